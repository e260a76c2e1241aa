"""`tune`: search the optimization table for this device, within a budget of minutes; ends as `recommend` does."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.analyze.constraints import Constraints, Goal
from bench.analyze.similarity import ALARM_DB
from bench.cli.options import Device, Size, Threads, Weights
from bench.cli.recommend import NOTHING, CodeFile, MaxMemory, MinPsnr, Optimize
from bench.cli.run import INTERRUPTED, RESULTS
from bench.errors import InputError
from bench.session.settings import DeviceChoice, SizeChoice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.execute.client import WorkerClient
    from bench.plan.case import Case
    from bench.session.budget import Search
    from bench.session.tuning import Tuning

PROMPT = "a photo of an astronaut riding a horse on mars"
FAULT = 1
BFLOAT16_CAPABILITY = (8, 0)
"""Ampere, the first architecture with bfloat16 (NVIDIA A100 white paper); torch emulates it on older ones."""


@dataclass(frozen=True)
class _Asked:
    """The command line, checked. `on` is device, size and weights; seconds are of `time.monotonic`."""

    begun_s: float
    budget_s: float
    template: "Case"
    constraints: Constraints
    allowed: "Mapping[str, frozenset[str]]"
    folder: Path
    on: tuple[str, str, str]
    threads: int | None
    code: Path | None


def tune(
    model: Annotated[str, typer.Argument(help="A known model, a hub id, or a folder.")],
    optimize: Optimize = Goal.LATENCY,
    min_psnr: MinPsnr = ALARM_DB,
    max_memory: MaxMemory = None,
    budget: Annotated[float, typer.Option(min=0.1, help="Minutes that it may take.")] = 30.0,
    skip: Annotated[list[str] | None, typer.Option(help="An optimization that is not to be tried.")] = None,
    prompt: Annotated[str, typer.Option(help="What is drawn.")] = PROMPT,
    steps: Annotated[int | None, typer.Option(min=1, help="The pipeline's own if none.")] = None,
    height: Annotated[int | None, typer.Option(min=8, help="Pixels; the pipeline's own if none.")] = None,
    width: Annotated[int | None, typer.Option(min=8, help="Pixels; the pipeline's own if none.")] = None,
    device: Device = DeviceChoice.AUTO,
    size: Size = SizeChoice.AUTO,
    weights: Weights = "auto",
    threads: Threads = None,
    output: Annotated[
        Path | None, typer.Option(help="The folder of both runs; results/<time>-tune-<model> if none.")
    ] = None,
    code: CodeFile = None,
) -> None:
    """Search the optimization table for the best combination on this device, and print the code for it."""
    from time import monotonic

    from bench.cli.recommend import wishes_of

    asked = _Asked(
        begun_s=monotonic(),
        budget_s=budget * 60,
        template=_template(model, prompt, {"num_inference_steps": steps, "height": height, "width": width}),
        constraints=wishes_of(optimize, min_psnr, max_memory, other_images=False),
        allowed=_allowed(skip or []),
        folder=output or RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-tune-{Path(model).name}",
        on=(str(device), str(size), weights),
        threads=threads,
        code=_writable(code),
    )
    try:
        ended = _tune(asked)
    except KeyboardInterrupt:  # before the first case, or while something is printed
        ended = INTERRUPTED
    except OSError as error:
        typer.echo(f"stopped: cannot write the results ({error}); make room, then begin anew", err=True)
        ended = FAULT
    raise typer.Exit(ended)


def _writable(code: Path | None) -> Path | None:
    """Refuse now what would be found out after the search."""
    if code is not None and not code.absolute().parent.is_dir():
        raise InputError(f"--code {code}: there is no folder {code.parent}; make it, or choose another file")
    return code


def _refuse_results(folder: Path) -> None:
    """Refuse a folder that has results, its own or of either part: a search is begun anew, never gone on with."""
    from bench.records.store import PLAN, PROCESSES
    from bench.session.tuning import FINAL, SCREENING

    if any((folder / part / name).exists() for part in ("", SCREENING, FINAL) for name in (PLAN, PROCESSES)):
        raise InputError(f"--output {folder}: has results already; choose another --output, or remove the folder")


def _template(model: str, prompt: str, given: "Mapping[str, int | None]") -> "Case":
    """Return the case that every configuration is laid over; raise `InputError` where it cannot be measured."""
    from bench.pipelines import architectures
    from bench.pipelines.diffusers_api import vocabulary
    from bench.plan.case import Case
    from bench.plan.check import problems
    from bench.session.tuning import SCENARIO

    facts = architectures.find_model(model)
    own = {"num_inference_steps": facts.steps, "height": facts.height, "width": facts.width} if facts else {}
    call = {**own, **{name: value for name, value in given.items() if value is not None}}
    case = Case(SCENARIO, "template", model, call={"prompt": prompt, **call})
    for path, message in problems(case, vocabulary()):
        raise InputError(f"{path[-1]}: {message}")
    return case


def _tune(asked: _Asked) -> int:
    """Screen, measure the best with care, and say what to use; return the exit code."""
    from bench.execute.client import WorkerClient

    _refuse_results(asked.folder)
    with WorkerClient() as server:
        tuning = _prepare(server, asked)
        screening = tuning.screen(server)
    if tuning.search.out_of_time() and not tuning.interrupted:
        minutes = f"{asked.budget_s / 60:g} min"
        typer.echo(f"The reference did not end within the budget of {minutes}; give more minutes (--budget).", err=True)
        return NOTHING
    best = None if tuning.interrupted else measure_best(tuning)
    if tuning.interrupted:
        typer.echo(f"Stopped. What is on file can be weighed: python -m bench recommend {best or screening}")
        return INTERRUPTED
    return _conclude(asked, screening, best or screening)


def measure_best(tuning: "Tuning") -> Path | None:
    """Measure the best with care and say what there was no time for; return the run's folder, if there is one."""
    from bench.execute.client import WorkerClient

    configs, rounds = tuning.search.final()
    for line in words(tuning.search, [config.name for config in configs], rounds):
        typer.echo(line)
    if not configs:
        return None
    with WorkerClient() as server:
        folder = tuning.measure_best(server, configs, rounds)
    done = tuning.search.rounds_done
    if done < rounds and not tuning.interrupted:
        typer.echo(f"Measured {done} of {rounds} rounds: there was no time for more.")
    return folder


def _prepare(server: "WorkerClient", asked: _Asked) -> "Tuning":
    """Look at the machine and say what begins."""
    from time import monotonic

    from bench.pipelines.tiny import resolve
    from bench.records import environment
    from bench.session.budget import Search
    from bench.session.measure import announce, fetch_missing
    from bench.session.search import Space
    from bench.session.settings import settle
    from bench.session.tuning import Tuning

    settings, machine = settle(server, [asked.template], *asked.on)
    settings = replace(settings, threads=asked.threads, diagnose=False)
    if asked.constraints.goal == Goal.ENERGY and settings.device != "cuda":
        raise InputError(f"--optimize energy: is told by an NVIDIA GPU, this is {settings.device}; optimize another")
    space = Space(_dtypes(machine), asked.allowed)
    tiny = resolve(asked.template, settings.size)[1] == "tiny"
    announce(settings, environment.describe(machine), asked.folder, tiny=tiny)
    asked_at = monotonic()
    fetch_missing([asked.template], settings)
    search = Search(space, asked.budget_s, monotonic, asked.begun_s + monotonic() - asked_at)  # no part of the budget
    return Tuning(asked.folder, asked.template, settings, machine, asked.constraints, search)


def _allowed(skipped: list[str]) -> dict[str, frozenset[str]]:
    """Return the optimizations that may be tried, each with its conflicts; raise `InputError` for an unknown name."""
    from bench.pipelines.optimizations import conflicts_of, names
    from bench.plan.vocabulary import suggestion

    for name in skipped:
        if name not in names():
            raise InputError(f"--skip {name}: there is no such optimization; {suggestion(name, names())}")
    return {name: conflicts_of(name) for name in names() if name not in skipped}


def _dtypes(machine: "Mapping[str, Any]") -> tuple[str, ...]:
    """Return the dtypes that a device computes in by itself, the reference's first."""
    if machine["device"] == "cpu":
        return "float32", "bfloat16"  # float16 convolutions are emulated there, tens of times slower
    capability = tuple(map(int, machine.get("compute_capability", "99.0").split(".")))
    return ("float32", "float16", "bfloat16") if capability >= BFLOAT16_CAPABILITY else ("float32", "float16")


def words(search: "Search", finals: list[str], rounds: int) -> "Iterator[str]":
    """Say what screening came to, what it had no time for, and what follows."""
    from bench.present.markdown import listed

    yield f"Screened {len(search.scores)} configurations; {search.left_s() / 60:.1f} min are left."
    if left_out := search.left_out():
        yield f"Left out for lack of time: {listed(left_out)}."
    if helpful := search.uncombined():
        told = f"No combination was tried for lack of time, though {len(helpful)} optimizations help alone"
        yield f"{told} ({listed(helpful)}); give more minutes (--budget)."
    if finals:
        yield f"Measuring with care, {rounds} {'rounds' if rounds > 1 else 'round'}: {', '.join(finals)}."
    elif search.ties():
        yield "There is no time to measure anything with care: what follows is of the screening alone."
    else:
        yield "There is nothing to compare with care: what follows is of the screening alone."


def _conclude(asked: _Asked, screening: Path, last: Path) -> int:
    """Print the recommendation with its code, and what was not tried; return the exit code."""
    from bench.analyze.results import write_results
    from bench.analyze.run import open_run
    from bench.cli.recommend import present, show_gaps

    found = present(last, asked.constraints, [], asked.code, say_gaps=False)
    show_gaps(open_run(screening), write_results(screening), [asked.template.model])
    typer.echo(f"Rows: {screening / 'results.csv'}" + (f", {last / 'results.csv'}" if last != screening else ""))
    return 0 if any(each.best for each in found) else NOTHING
