#!/usr/bin/env python3
"""Keep a run under results/published/<device>/, replacing what was there, and show it in the README.

    python tools/publish.py results/my-run sd15-precision

One scenario's table and its plot of speed-ups (or of latency, if there are none) go between the README's two markers.
Logs and traces are not copied, and neither are pictures that are large together, because noise does not compress. What
is kept can be read again by `tables`, `report`, `recommend` and `compare`.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench.analyze.baselines import slug  # noqa: E402 - from this checkout, installed or not
from bench.analyze.results import results  # noqa: E402
from bench.analyze.run import Run, open_run  # noqa: E402
from bench.analyze.similarity import IMAGES  # noqa: E402
from bench.errors import InputError  # noqa: E402
from bench.files import replace  # noqa: E402
from bench.present import render, tables, words  # noqa: E402
from bench.records import store  # noqa: E402
from bench.records.case_result import CaseResult  # noqa: E402
from bench.records.outcomes import Status  # noqa: E402
from bench.session import files  # noqa: E402

PUBLISHED = ROOT / "results" / "published"
FILES = (store.PROCESSES, store.PLAN, store.ENVIRONMENT)
BEGIN, END = "<!-- published: begin -->", "<!-- published: end -->"
COLUMNS = ("setup", "latency", "95 % interval", "speed-up", "peak memory", "documented", "verdict")
PLOTS = ("speedup", "latency")
MOST_BYTES = 5_000_000
"""Of pictures, in a repository that everybody clones."""


def main() -> None:
    """Publish the run that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="the run's folder")
    parser.add_argument("scenario", help="the scenario that the README shows")
    arguments = parser.parse_args()
    try:
        kept = publish(arguments.run, PUBLISHED)
        show(kept, arguments.scenario, ROOT / "README.md")
    except InputError as error:
        sys.exit(f"error: {error}")
    print(f"published: {kept.relative_to(ROOT)}; look at it, then commit it with the README")


def publish(folder: Path, published: Path) -> Path:
    """Copy what lasts of a run, derive its tables and plots, and return the folder.

    Raises:
        InputError: others could not reproduce the run: it has tiny models, is incomplete, or is not of a clean commit.
    """
    run = open_run(folder)
    _refuse(run)
    kept = published / slug(run.environment["device_name"])
    if kept.resolve() != folder.resolve():
        shutil.rmtree(kept, ignore_errors=True)
        for path in (*(folder / name for name in FILES), *pictures(folder)):
            target = kept / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    _derive(open_run(kept))
    return kept


def _derive(run: Run) -> None:
    shutil.rmtree(run.folder / files.PLOTS, ignore_errors=True)
    found = results(run)
    files.write_data(run, found)
    files.write_tables(run, found)
    for path in files.write_plots(run, found):
        if path.suffix == ".svg":
            path.unlink()


def pictures(folder: Path) -> list[Path]:
    """Return the run's pictures, or none if they are large together."""
    found = sorted((folder / IMAGES).rglob("*.png"))
    return found if sum(path.stat().st_size for path in found) <= MOST_BYTES else []


def show(kept: Path, scenario: str, readme: Path) -> None:
    """Put a published scenario's table and plot between the markers of the README.

    Raises:
        InputError: the run does not have the scenario, or the README does not have the markers.
    """
    text = readme.read_text(encoding="utf-8")
    if not (BEGIN in text and END in text):
        raise InputError(f"{readme}: has no {BEGIN} ... {END}")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    replace(readme, f"{before}{BEGIN}\n\n{block(kept, scenario, readme.parent)}\n\n{END}{after}")


def block(kept: Path, scenario: str, root: Path) -> str:
    """Return the README's table and plot of a published scenario; paths are relative to `root`."""
    run = open_run(kept)
    infos = {info.scenario: info for info in run.plan.scenarios}
    if scenario not in infos:
        raise InputError(f"{kept}: does not have the scenario {scenario}; it has {', '.join(infos)}")
    of_scenario = tables.of_scenario(infos[scenario], results(run))
    grid = tables.table(infos[scenario], of_scenario)
    shown = grid.select(grid.header.index(name) for name in COLUMNS if name in grid.header)
    drawn = {kind: kept / files.PLOTS / f"{scenario}-{kind}.png" for kind in PLOTS}
    kind = next((kind for kind, plot in drawn.items() if plot.is_file()), None)
    if kind is None:
        raise InputError(f"{kept}: has no plot of {scenario}, because nothing of it was measured; show another one")
    return "\n\n".join(
        [
            f"{render.escaped(grid.title)}; {_ran(run, of_scenario)}:",
            render.markdown(shown),
            f"![{scenario}: {kind} of each case]({drawn[kind].relative_to(root)})",
        ]
    )


def _ran(run: Run, shown: Sequence[CaseResult]) -> str:
    counts = [sum(each.key == result.key for each in run.processes) for result in shown]
    processes = str(min(counts)) if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
    versions = words.versions(run.environment, "torch", "diffusers")
    parts = (run.environment["device_name"], versions, f"{processes} fresh processes per case", words.disturbed(shown))
    return ", ".join(filter(None, parts))


def _refuse(run: Run) -> None:
    if any(process.settings.size == "tiny" for process in run.processes):
        raise InputError(f"{run.folder}: has tiny models, whose figures mean nothing; measure with --size full")
    finished = {process.key for process in run.processes if process.status is not Status.INTERRUPTED}
    if missing := [key for key in run.cases if key not in finished]:
        raise InputError(f"{run.folder}: lacks {', '.join(missing)}; continue it with: bench run --resume")
    commit = run.environment.get("git_commit")
    if not commit or commit.endswith("-dirty"):
        state = commit or "an unknown commit"
        raise InputError(f"{run.folder}: was measured by {state}, which nobody can check out; commit and measure again")


if __name__ == "__main__":
    main()
