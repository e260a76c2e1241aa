"""`gate`: stop a regression, and only one. Stored results, or two interpreters side by side."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.compare import BaselineFolder
from bench.cli.options import Device, Only, Size, Weights
from bench.errors import InputError
from bench.session.settings import DeviceChoice, SizeChoice

if TYPE_CHECKING:
    from bench.present.gate import Gated

STORED = (
    "Stored results were compared: they are of two times, so this gate is for trends and for memory and status. "
    "For latency the gate to trust is --base-python A --head-python B, which measures both sides in turn."
)
SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"


def gate(
    what: Annotated[
        list[str],
        typer.Argument(
            help="BASE NEW: run folders or results.csv files; NEW alone is held against its baseline. "
            "With --base-python and --head-python: scenarios."
        ),
    ],
    threshold: Annotated[
        str, typer.Option(help="The slow-down that is a regression, unless the scenario says.")
    ] = "3%",
    base_python: Annotated[Path | None, typer.Option(help="The interpreter that is gated against.")] = None,
    head_python: Annotated[Path | None, typer.Option(help="The interpreter under test.")] = None,
    only: Only = None,
    device: Device = DeviceChoice.AUTO,
    size: Size = SizeChoice.AUTO,
    weights: Weights = "auto",
    samples: Annotated[int | None, typer.Option(min=1, help="Calls a process; 6 if not given.")] = None,
    output: Annotated[Path | None, typer.Option(help="Of the two interpreters' runs.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write the verdicts as JUnit XML into this file.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write them as Markdown into this file.")] = None,
    baselines: BaselineFolder = None,
) -> None:
    """Gate a regression: exit 0 passed, 1 regressed, 3 inconclusive, 4 not comparable."""
    from bench.analyze.gate import EXIT_CODES
    from bench.present import gate as presented

    share = _share(threshold)
    if (base_python is None) != (head_python is None):
        raise InputError("give both --base-python and --head-python, or neither and two results")
    if base_python is None or head_python is None:
        gated = _stored([Path(each) for each in what], share, baselines)
    else:
        from bench.session.paired_gate import GateRequest, duel

        question = GateRequest(what, only or [], str(device), str(size), weights, samples, output)
        gated = duel(base_python, head_python, question, share)
    presented.show(gated)
    _write(gated, junit, markdown)
    raise typer.Exit(EXIT_CODES[gated.verdict])


def _share(threshold: str) -> float:
    from bench import units

    try:
        return units.parse_share(threshold)
    except ValueError as error:
        raise InputError(f"--threshold: {error}") from error


def _stored(paths: list[Path], threshold: float, folder: Path | None) -> "Gated":
    """Gate stored results: two sides, or one against the baseline of its device."""
    from bench.analyze import baselines
    from bench.analyze.comparison import environment, pair_up, with_similarity
    from bench.analyze.gate import judge
    from bench.analyze.side import distinct, open_side
    from bench.present import gate as presented

    if len(paths) > 2:  # noqa: PLR2004 - a gate has two sides
        raise InputError(f"gate takes BASE and NEW, not {len(paths)} results; `compare` takes more than two")
    new = open_side(paths[-1])
    if len(paths) == 1:
        base, without = baselines.find(new, folder or baselines.FOLDER)
    else:
        base, without = open_side(paths[0]), []
    base, new = distinct([base, new])
    pairs = with_similarity(pair_up(base, new), base, new)
    judged = judge(pairs, threshold, without)
    held = {each.pair.key for each in judged}
    alone = [
        f"{pair.key}: only the new side has it, it was held against nothing" for pair in pairs if pair.key not in held
    ]
    tiny = [presented.TINY] if new.tiny else []
    return presented.Gated(f"{new.name} against {base.name}", judged, environment([base, new]), [*tiny, STORED, *alone])


def _write(gated: "Gated", junit: Path | None, markdown: Path | None) -> None:
    """Write the files that were asked for, and a CI job's summary where there is one."""
    from bench.present import gate as presented
    from bench.records import store

    try:
        for path, text in ((junit, presented.as_junit), (markdown, presented.as_markdown)):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                store.replace(path, text(gated))
        if summary := os.environ.get(SUMMARY_VARIABLE):
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(presented.as_markdown(gated) + "\n")
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be written ({error.strerror}); the verdict is above") from error
