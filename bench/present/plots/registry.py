"""Plots of a run, drawn from its files alone: what each case took, what it gained, and what it cost in memory.

A case without a measurement says why, and a toy twin is labelled as one and never stands beside a documented figure.
Every plot is written as PNG and as SVG.
"""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from bench.analyze import pareto
from bench.analyze.results import results
from bench.analyze.run import Run, open_run
from bench.plan.case import ScenarioInfo
from bench.present.plots import bars as plot_bars
from bench.present.plots import breakdown as plot_parts
from bench.present.plots import heatmap as plot_maps
from bench.present.plots import page as paper
from bench.present.plots import pareto as plot_pareto
from bench.present.plots import rows as plot_rows
from bench.present.plots import steps as plot_steps
from bench.present.plots.page import Page

FOLDER = "plots"
KINDS = ("latency", "speedup", "memory", "pareto", "heatmap", "split", "steps", "limit")


def write(folder: Path, frame: pd.DataFrame | None = None) -> list[Path]:
    """Draw the plots of a run under `plots/` in its folder, in the place of those of an earlier call.

    Args:
        folder: of the run.
        frame: its results, where they are at hand; derived from its files otherwise.

    Returns:
        The files written: `<scenario>-<kind>.png` and `.svg`, for each kind that there is something to show of.

    Raises:
        InputError: the folder is no run's, or a file in it is damaged.
        OSError: the disk refuses.
    """
    run = open_run(folder)
    target = folder / FOLDER
    target.mkdir(exist_ok=True)
    frame = results(run) if frame is None else frame
    written = [
        path
        for table in run.plan.scenarios
        for kind, page in pages(run, table, frame).items()
        for path in paper.save(page, target, f"{table.scenario}-{kind}")
    ]
    for kind in KINDS:
        for path in target.glob(f"*-{kind}.*"):
            if path.suffix[1:] in paper.FORMATS and path not in written:
                path.unlink()
    return written


def pages(run: Run, table: ScenarioInfo, frame: pd.DataFrame, *, captioned: bool = False) -> dict[str, Page]:
    """Draw what there is to draw of one scenario, by kind; nothing where nothing of it was measured.

    Args:
        run: of the scenario.
        table: the scenario.
        frame: the run's results.
        captioned: whether the title, the device and the versions stand around the plots already.
    """
    frame = frame[frame["scenario"] == table.scenario]
    rows = [plot_rows.row(record) for record in frame.to_dict("records")]
    measured = [row for row in rows if row.measured]
    if not measured:
        return {}
    head = paper.head(table.scenario, table.title, run.environment, frame["weights"].dropna(), measured)
    head = replace(head, title="", ran="") if captioned else head
    cases = [case for case in run.plan.cases if case.scenario == table.scenario]
    drawn = {
        "latency": plot_bars.latency(head, rows),
        "speedup": plot_bars.speedup(head, rows),
        "memory": plot_maps.memory(head, rows),
        "pareto": plot_pareto.front(head, pareto.points(frame)),
        "heatmap": plot_maps.heatmap(head, rows, cases, table.axes),
        "split": plot_parts.split(head, rows),
        "steps": plot_steps.steps(head, rows),
        "limit": plot_parts.limit(head, rows),
    }
    return {kind: page for kind, page in drawn.items() if page is not None}
