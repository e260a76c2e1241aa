"""`gate`: fail on a regression and on nothing else, from stored results or two interpreters side by side."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.exit import INTERRUPTED, VERDICTS
from bench.cli.options import BaselineFolder, Device, Only, Size, Weights, seconds_of
from bench.errors import InputError
from bench.session.request import AUTO, RunRequest, SizeChoice

if TYPE_CHECKING:
    from bench.analyze.gate import GateResult

MEASURING = {name: name for name in ("only", "device", "size", "weights", "samples", "output")} | {"budget": "budget_s"}
"""Options that stored results have no use for, and their fields in a request."""
SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
What = Annotated[
    list[str],
    typer.Argument(
        help="BASE NEW: run folders or results.csv files. NEW alone is compared with its saved baseline. With "
        "--base-python and --head-python: scenarios to measure."
    ),
]
Threshold = Annotated[
    str, typer.Option(help="The slow-down that counts as a regression, unless the scenario sets its own.")
]
BasePython = Annotated[Path | None, typer.Option(help="The interpreter to compare with.")]
HeadPython = Annotated[Path | None, typer.Option(help="The interpreter under test.")]
Samples = Annotated[
    int | None, typer.Option(min=1, help="Timed calls per process, if interpreters are measured. By default, 6.")
]
Budget = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="How long measuring may take, such as 90m or 5h, without downloads. What it has no time for is "
        "inconclusive. By default, no limit.",
    ),
]
Output = Annotated[
    Path | None, typer.Option(help="The folder for both runs. By default, results/<time>-gate-<device>-<size>.")
]
Junit = Annotated[Path | None, typer.Option(help="Also write the verdicts to this file, as JUnit XML.")]
Markdown = Annotated[Path | None, typer.Option(help="Also write the verdicts to this file, as Markdown.")]


def gate(
    what: What,
    threshold: Threshold = "3%",
    base_python: BasePython = None,
    head_python: HeadPython = None,
    only: Only = None,
    device: Device = AUTO,
    size: Size = SizeChoice.AUTO,
    weights: Weights = "auto",
    samples: Samples = None,
    budget: Budget = None,
    output: Output = None,
    junit: Junit = None,
    markdown: Markdown = None,
    baselines: BaselineFolder = None,
) -> None:
    """Judge whether anything became slower or uses more memory.

    The exit code is 0 if everything passed, 1 if something regressed, 3 if the data is inconclusive, and 4 if the sides
    cannot be compared.
    """
    from bench.present import gate as presented
    from bench.units import parse_share

    try:
        share = parse_share(threshold)
    except ValueError as error:
        raise InputError(f"--threshold: {error}") from error
    request = RunRequest(
        scenarios=what, only=only or (), device=device, size=size, weights=weights, samples=samples, output=output,
        budget_s=None if budget is None else seconds_of(budget),
    )  # fmt: skip
    if base_python and head_python:
        if baselines is not None:
            raise InputError("--baselines is for stored results; leave it out, or leave out the interpreters")
        result = _gate_interpreters(base_python, head_python, request, share)
    elif base_python or head_python:
        raise InputError("give both --base-python and --head-python, or neither and two results")
    else:
        _refuse_options_of_measuring(request)
        result = _gate_stored([Path(each) for each in what], share, baselines)
    presented.show(result)
    _write(result, junit, markdown)
    raise typer.Exit(VERDICTS[result.verdict])


def _refuse_options_of_measuring(request: RunRequest) -> None:
    default = RunRequest()
    names = [name for name, field in MEASURING.items() if getattr(request, field) != getattr(default, field)]
    if names:
        raise InputError(
            f"{', '.join(f'--{name}' for name in names)}: stored results are judged as they are; leave this out, or "
            "measure with --base-python and --head-python"
        )


def _gate_stored(paths: list[Path], threshold: float, folder: Path | None) -> "GateResult":
    from bench.analyze.baselines import FOLDER
    from bench.session.progress import Notices
    from bench.session.stored import gate as gate_stored

    if len(paths) > 2:  # noqa: PLR2004 - a gate has two sides
        raise InputError(f"gate takes BASE and NEW, not {len(paths)} results; `compare` takes more than two")
    base = paths[0] if len(paths) > 1 else None
    return gate_stored(base, paths[-1], threshold, Notices(), folder or FOLDER)


def _gate_interpreters(base: Path, head: Path, request: RunRequest, threshold: float) -> "GateResult":
    from bench.session.paired_gate import StoppedError, gate_interpreters
    from bench.session.progress import Notices

    try:
        return gate_interpreters(base, head, request, threshold, Notices())
    except StoppedError as error:
        typer.echo("Stopped before a verdict.", err=True)
        raise typer.Exit(INTERRUPTED) from error


def _write(result: "GateResult", junit: Path | None, markdown: Path | None) -> None:
    from bench import files
    from bench.present import gate as presented

    try:
        for path, text in ((junit, presented.as_junit), (markdown, presented.as_markdown)):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                files.replace(path, text(result))
        if summary := os.environ.get(SUMMARY_VARIABLE):
            with files.appending(Path(summary)) as file:
                file.write(f"{presented.as_markdown(result)}\n".encode())
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be written ({error.strerror}); the verdict is above") from error
