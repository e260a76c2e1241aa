"""Every kind of plot of a run, in one table: its name, what it shows, and the function that draws it.

A case without a measurement says why, and a tiny model is labeled as one and never shown beside a documented figure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.analyze.run import Run
from bench.present.plots import bars, breakdown, heatmap, page, pareto, scatter, steps
from bench.present.plots.page import Page
from bench.present.plots.subject import Subject, subject
from bench.present.tables import of_scenario
from bench.records.case_result import CaseResult

FORMATS = ("png", "svg")


@dataclass(frozen=True)
class Kind:
    """One kind of plot: its name in files, its caption, and what draws it (None if there is nothing to show)."""

    name: str
    caption: str
    draw: Callable[[Subject], Page | None]
    lines: bool = True  # it has a line or a name per case, so that of many only the fastest are shown


KINDS = (
    Kind("latency", "Latency of one call of each case, with the documented figures if there are any", bars.latency),
    Kind("speedup", "Speed-up of each case over its baseline, measured and documented", bars.speedup),
    Kind("memory", "Peak memory against time per image", scatter.memory),
    Kind("pareto", "Pareto front of time, memory and similarity", pareto.front, lines=False),
    Kind("heatmap", "Latency of each scheduler at each number of steps", heatmap.heatmap, lines=False),
    Kind("breakdown", "Breakdown of one call into its parts", breakdown.breakdown),
    Kind("steps", "Calls of the denoiser, from the first step to the last", steps.steps),
    Kind("roofline", "Latency of each case beside the least time on this device", breakdown.roofline),
)


def write(run: Run, results: Sequence[CaseResult], folder: Path) -> list[Path]:
    """Draw the plots of a run into a folder, replacing those of an earlier call.

    Args:
        run: of the results.
        results: to draw.
        folder: of the plots, made if it is missing.

    Returns:
        The files: `<scenario>-<kind>.png` and `.svg`, for each kind of plot that has something to show.

    Raises:
        OSError: the disk refuses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for info in run.plan.scenarios:
        for kind, drawn in pages(subject(run, info, of_scenario(info, results))):
            paths = [folder / f"{info.scenario}-{kind.name}.{form}" for form in FORMATS]
            for path in paths:
                page.save(drawn, path)
            written += paths
    old = (path for kind in KINDS for form in FORMATS for path in folder.glob(f"*-{kind.name}.{form}"))
    for path in set(old) - set(written):
        path.unlink()
    return written


def pages(drawn: Subject, *, captioned: bool = False) -> list[tuple[Kind, Page]]:
    """Draw what there is to draw of one scenario; nothing if nothing of it was measured.

    Args:
        drawn: the scenario.
        captioned: whether title, device and versions are around the plots already.
    """
    if not any(result.measured for result in drawn.results):
        return []
    if captioned:
        drawn = replace(drawn, head=replace(drawn.head, title="", ran=""))
    made = [(kind, kind.draw(drawn.of_the_fastest() if kind.lines else drawn)) for kind in KINDS]
    return [(kind, page) for kind, page in made if page is not None]
