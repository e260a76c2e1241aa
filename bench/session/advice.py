"""Which cases of a run to use, with the code for each. Reads results only; no torch is needed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench import files
from bench.analyze.candidates import tasks
from bench.analyze.constraints import Constraints
from bench.analyze.recommend import Recommendation, Unmeasured, recommend, unmeasured
from bench.analyze.run import Run
from bench.errors import InputError
from bench.pipelines.optimizations import names
from bench.pipelines.snippet import snippet
from bench.plan.load import choose
from bench.records.case_result import CaseResult


@dataclass(frozen=True)
class Advice:
    """One recommendation per task, each with the program to paste; None if no case can be recommended."""

    recommendations: tuple[Recommendation, ...]
    programs: tuple[str | None, ...]

    @property
    def models(self) -> list[str]:
        """The models that the recommendations are about."""
        return list(dict.fromkeys(each.case.model for found in self.recommendations for each in found.task.candidates))


def advise(run: Run, results: Sequence[CaseResult], constraints: Constraints, only: Sequence[str] = ()) -> Advice:
    """Return the best case of each task; raise `InputError` if a pattern of `only` matches nothing."""
    chosen = replace(run, plan=choose(run.plan, only)[0])
    found = tuple(recommend(task, constraints.goal) for task in tasks(chosen, results, constraints))
    best = [each.best for each in found]
    return Advice(found, tuple(None if each is None else snippet(each.case, each.result.settings) for each in best))


def gaps(run: Run, results: Sequence[CaseResult], models: Sequence[str]) -> dict[str, Unmeasured]:
    """Return what a run says nothing about, by model."""
    return {model: unmeasured(run, results, model, names()) for model in models}


def write_code(advice: Advice, path: Path) -> None:
    """Write the one program of an advice; raise `InputError` if there are several, or the file cannot be written."""
    best = [each.best.case.key for each in advice.recommendations if each.best is not None]
    if len(best) > 1:
        tasks_with_best = f"the run has {len(best)} tasks, each with its best case ({', '.join(best)})"
        raise InputError(f"--code {path}: {tasks_with_best}; choose the cases of one with --only")
    try:
        for program in filter(None, advice.programs):
            files.replace(path, program)
    except OSError as error:
        raise InputError(f"--code {path}: cannot be written ({error.strerror}); choose another file") from error
