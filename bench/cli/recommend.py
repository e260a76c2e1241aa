"""`recommend`, `tune`: which case to use, why, and the code for it; from a stored run, or after a search."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.analyze.constraints import Constraints, Goal
from bench.analyze.similarity import ALARM_DB
from bench.cli.exit import ENDINGS, NOTHING_TO_RECOMMEND
from bench.cli.options import Device, Only, RunFolder, Size, Threads, Weights, opened, seconds_of
from bench.errors import InputError
from bench.session.request import AUTO, Ending, RunOutcome, RunRequest, SizeChoice, TuneRequest
from bench.text import printed_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.analyze.recommend import Unmeasured
    from bench.session.advice import Advice

PROMPT = "a photo of an astronaut riding a horse on mars"
Objective = Annotated[Goal, typer.Option(help="What the recommended case must be best at.")]
MinPsnr = Annotated[
    float, typer.Option(help="The lowest acceptable similarity to the baseline's picture, in dB; at least 30.")
]
MaxMemory = Annotated[
    str | None,
    typer.Option(
        help="The most memory that torch may reserve, such as 8GiB; the driver uses more. By default, no limit."
    ),
]
CodeFile = Annotated[Path | None, typer.Option(help="Also write the code to this file. By default, it is printed.")]
OtherImages = Annotated[
    bool, typer.Option("--allow-other-images", help="Also consider cases that make a different image by design.")
]
Model = Annotated[str, typer.Argument(help="A known model, a hub id, or a folder.")]
Budget = Annotated[
    str, typer.Option(metavar="TIME", help="Time budget, such as 90s, 30m or 2h; a number alone is minutes.")
]
Skip = Annotated[list[str] | None, typer.Option(help="An optimization to leave out; may be repeated.")]
Prompt = Annotated[str, typer.Option(help="The prompt.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Inference steps. By default, the model's own.")]
Side = Annotated[int | None, typer.Option(min=8, help="Size in pixels. By default, the model's own.")]
Output = Annotated[Path | None, typer.Option(help="The folder for both runs. By default, results/<time>-tune-<model>.")]


def recommend(
    run: RunFolder = None,
    objective: Objective = Goal.LATENCY,
    min_psnr: MinPsnr = ALARM_DB,
    max_memory: MaxMemory = None,
    allow_other_images: OtherImages = False,
    only: Only = None,
    code: CodeFile = None,
) -> None:
    """Recommend which case of a run to use, and print its code.

    The exit code is 1 if no case can be recommended.
    """
    from bench.analyze.results import results
    from bench.session.advice import advise, gaps

    constraints = _constraints(objective, min_psnr, max_memory, other_images=allow_other_images)
    chosen_from = opened(run)
    found = results(chosen_from)
    advice = advise(chosen_from, found, constraints, only or ())
    _show(advice, constraints, code)
    _show_gaps(gaps(chosen_from, found, advice.models))
    raise typer.Exit(0 if any(advice.programs) else NOTHING_TO_RECOMMEND)


def tune(
    model: Model,
    objective: Objective = Goal.LATENCY,
    min_psnr: MinPsnr = ALARM_DB,
    max_memory: MaxMemory = None,
    budget: Budget = "30m",
    skip: Skip = None,
    prompt: Prompt = PROMPT,
    steps: Steps = None,
    height: Side = None,
    width: Side = None,
    device: Device = AUTO,
    size: Size = SizeChoice.AUTO,
    weights: Weights = "auto",
    threads: Threads = None,
    output: Output = None,
    code: CodeFile = None,
) -> None:
    """Search for the best optimizations on this device.

    It screens every optimization, greedily combines those that help, and then re-measures the best few carefully. The
    exit code is 1 if no case can be recommended.
    """
    from bench.session.progress import Notices
    from bench.session.tuning import tune as search

    if code is not None and not code.absolute().parent.is_dir():  # before the search, not after it
        raise InputError(f"--code {code}: there is no folder {code.parent}; create it, or choose another file")
    given = {"num_inference_steps": steps, "height": height, "width": width}
    request = TuneRequest(
        model=model,
        call={"prompt": prompt, **{name: value for name, value in given.items() if value is not None}},
        constraints=_constraints(objective, min_psnr, max_memory, other_images=False),
        budget_s=seconds_of(budget),
        skip=skip or (),
        run=RunRequest(device=device, size=size, weights=weights, threads=threads, output=output),
    )
    outcome = search(request, Notices())
    last = outcome.final or outcome.screening
    if outcome.ending is Ending.INTERRUPTED and last is not None:
        typer.echo(
            f"Stopped. To compare what was measured: python -m bench recommend {printed_line(str(last.run.folder))}"
        )
    if outcome.ending is not Ending.COMPLETE or last is None or outcome.screening is None:
        raise typer.Exit(ENDINGS[outcome.ending])
    raise typer.Exit(_conclude(request, outcome.screening, last, code))


def _conclude(request: TuneRequest, screening: RunOutcome, last: RunOutcome, code: Path | None) -> int:
    from bench.session.advice import advise, gaps

    advice = advise(last.run, last.results, request.constraints)
    _show(advice, request.constraints, code)
    models = list(dict.fromkeys(case.model for case in screening.run.plan.cases))
    _show_gaps(gaps(screening.run, screening.results, models))
    folders = dict.fromkeys([screening.run.folder, last.run.folder])
    typer.echo(f"Results: {', '.join(str(folder / 'results.csv') for folder in folders)}")
    return 0 if any(advice.programs) else NOTHING_TO_RECOMMEND


def _constraints(goal: Goal, min_psnr: float, max_memory: str | None, *, other_images: bool) -> Constraints:
    """Return what the command line asks of a case; raise `InputError` if it makes no sense."""
    from bench.units import parse_size

    try:
        most = None if max_memory is None else parse_size(max_memory)
    except InputError as error:
        raise InputError(f"--max-memory: {error}") from error
    return Constraints(goal, min_psnr, most, other_images)


def _show(advice: "Advice", constraints: Constraints, code: Path | None) -> None:
    from bench.present import recommendation as presented
    from bench.session.advice import write_code

    for found, program in zip(advice.recommendations, advice.programs, strict=True):
        presented.show(found, constraints.goal)
        if program is not None:
            typer.echo(program)
    if code is not None:
        write_code(advice, code)


def _show_gaps(gaps: "Mapping[str, Unmeasured]") -> None:
    from bench.present.recommendation import gaps as lines_of

    for model, unmeasured in gaps.items():
        for line in lines_of(model, unmeasured):
            typer.echo(printed_line(line))
