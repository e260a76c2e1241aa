"""`recommend`: which of a run's cases to use, why, and the code for it. Reads files only; no torch is needed."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.analyze.constraints import Constraints, Goal
from bench.analyze.similarity import ALARM_DB
from bench.cli.report import RunFolder
from bench.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from bench.analyze.recommend import Recommendation
    from bench.analyze.run import Run

Optimize = Annotated[Goal, typer.Option(help="What the case is to be best at.")]
MinPsnr = Annotated[float, typer.Option(help="Least similarity to the baseline's picture, in dB; 30 or more.")]
MaxMemory = Annotated[
    str | None, typer.Option(help="Most memory that torch may reserve, such as 8GiB; the driver's own comes on top.")
]
OtherImages = Annotated[
    bool, typer.Option("--allow-other-images", help="Admit cases that make another image by design.")
]
CodeFile = Annotated[Path | None, typer.Option(help="Write the code to this file, too.")]
NOTHING = 1
"""The exit code where no case can be recommended."""


def recommend(
    run: RunFolder = None,
    optimize: Optimize = Goal.LATENCY,
    min_psnr: MinPsnr = ALARM_DB,
    max_memory: MaxMemory = None,
    allow_other_images: OtherImages = False,
    only: Annotated[
        list[str] | None, typer.Option(help="Weigh cases whose scenario/case matches this pattern.")
    ] = None,
    code: CodeFile = None,
) -> None:
    """Say which case of a run to use, why it and not its neighbors, and print the code for it."""
    from bench.cli.report import folder_of

    constraints = wishes_of(optimize, min_psnr, max_memory, other_images=allow_other_images)
    found = present(folder_of(run), constraints, only or [], code)
    raise typer.Exit(0 if any(each.best for each in found) else NOTHING)


def wishes_of(goal: Goal, min_psnr: float, max_memory: str | None, *, other_images: bool) -> Constraints:
    """Return what the command line asks for; raise `InputError` where it makes no sense."""
    from bench import units

    try:
        most = units.parse_size(max_memory) if max_memory is not None else None
    except InputError as error:
        raise InputError(f"--max-memory: {error}") from error
    return Constraints(goal, min_psnr, most, other_images)


def present(
    folder: Path, constraints: Constraints, only: list[str], code: Path | None, *, say_gaps: bool = True
) -> "list[Recommendation]":
    """Print the recommendations of a run with their code, and return them.

    Raises:
        InputError: the folder is no run's, `only` matches nothing, or `code` is to hold more than one program.
    """
    from dataclasses import replace

    from bench.analyze.candidates import tasks
    from bench.analyze.recommend import recommend
    from bench.analyze.results import results
    from bench.analyze.run import open_run
    from bench.plan.load import choose
    from bench.present import recommendation as presented

    run = open_run(folder)
    table = results(run)
    chosen = replace(run, plan=choose(run.plan, only)[0])
    found = [recommend(task, constraints.goal) for task in tasks(chosen, table, constraints)]
    _one_program(found, code)
    for each in found:
        presented.show(each, constraints.goal)
        _show_code(each, code)
    if say_gaps:
        models = dict.fromkeys(candidate.case.model for each in found for candidate in each.task.candidates)
        show_gaps(run, table, list(models))
    return found


def show_gaps(run: "Run", table: "pd.DataFrame", models: list[str]) -> None:
    """Print what a run says nothing of."""
    from bench.analyze.recommend import unmeasured
    from bench.pipelines.optimizations import names
    from bench.present.recommendation import gaps

    for model in models:
        for line in gaps(model, unmeasured(run, table, model, names())):
            typer.echo(line)


def _one_program(found: "list[Recommendation]", code: Path | None) -> None:
    programs = [each.best.case.key for each in found if each.best is not None]
    if code is not None and len(programs) > 1:
        raise InputError(
            f"--code {code}: the run has {len(programs)} tasks with a case each ({', '.join(programs)}); "
            "choose the cases of one with --only"
        )


def _show_code(found: "Recommendation", code: Path | None) -> None:
    from bench.pipelines.snippet import snippet

    if found.best is None:
        return
    program = snippet(found.best.case, found.best.row)
    typer.echo(program)
    if code is not None:
        try:
            code.write_text(program, encoding="utf-8")
        except OSError as error:
            raise InputError(f"--code {code}: cannot be written ({error.strerror}); choose another file") from error
