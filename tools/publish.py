#!/usr/bin/env python3
"""Keep what lasts of a run under results/published/<device>/, in the place of what was there, and in the README.

    python tools/publish.py results/my-run sd15-precision

One scenario's table and its plot of speed-ups (or of latency, where there is none) go between the README's two marks.
Logs and traces stay where they are, and so do pictures that are large together, for noise cannot be compressed. What is
kept can be read again: `bench tables`, `report`, `recommend`, `compare`.
"""

import argparse
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench.analyze.baselines import slug  # noqa: E402 - from this checkout, installed or not
from bench.analyze.results import write_results  # noqa: E402
from bench.analyze.run import Run, open_run  # noqa: E402
from bench.analyze.similarity import IMAGES  # noqa: E402
from bench.errors import InputError  # noqa: E402
from bench.present import markdown, tables  # noqa: E402
from bench.present.plots import registry as plots  # noqa: E402
from bench.records import store  # noqa: E402
from bench.records.schema import Status  # noqa: E402

PUBLISHED = ROOT / "results" / "published"
FILES = (store.PROCESSES, store.SAMPLES, store.PLAN, store.ENVIRONMENT, store.RESULTS, "tables.md")
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
    asked = parser.parse_args()
    try:
        kept = publish(asked.run, PUBLISHED)
        show(kept, asked.scenario, ROOT / "README.md")
    except InputError as error:
        sys.exit(f"error: {error}")
    print(f"published: {kept.relative_to(ROOT)}; look at it, then commit it with the README")


def publish(folder: Path, published: Path) -> Path:
    """Write a run's tables and plots anew, and copy what lasts; return the folder it is in.

    Raises:
        InputError: the run is not for others to see: of toys, of a checkout with changes, or not at its end.
    """
    run = open_run(folder)
    _refuse(run)
    kept = published / slug(run.environment["device_name"])
    if kept.resolve() == folder.resolve():  # it is there already, and shall show another scenario
        return kept
    rows = write_results(folder)
    tables.write(folder, rows)
    drawn = plots.write(folder, rows)
    shutil.rmtree(kept, ignore_errors=True)
    lasting = [*(folder / name for name in FILES), *(path for path in drawn if path.suffix == ".png"), *_small(folder)]
    for path in lasting:
        target = kept / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return kept


def _small(folder: Path) -> list[Path]:
    """Return the run's pictures, or none where they are large together."""
    pictures = sorted((folder / IMAGES).rglob("*.png"))
    return pictures if sum(path.stat().st_size for path in pictures) <= MOST_BYTES else []


def show(kept: Path, scenario: str, readme: Path) -> None:
    """Put a published scenario's table and plot between the marks of the README.

    Raises:
        InputError: the run has no such scenario, or the README has no marks.
    """
    text = readme.read_text(encoding="utf-8")
    if not (BEGIN in text and END in text):
        raise InputError(f"{readme}: has no {BEGIN} ... {END}")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    store.replace(readme, f"{before}{BEGIN}\n\n{block(kept, scenario, readme.parent)}\n\n{END}{after}")


def block(kept: Path, scenario: str, root: Path) -> str:
    """Return the README's table and plot of a published scenario; paths are from `root`."""
    run = open_run(kept)
    by_name = {table.scenario: shown for table, shown in zip(run.plan.scenarios, tables.tables(run), strict=True)}
    if scenario not in by_name:
        raise InputError(f"{kept}: has no scenario {scenario}; it has {', '.join(by_name)}")
    shown = by_name[scenario]
    columns = [shown.header.index(name) for name in COLUMNS if name in shown.header]
    rows = [[row[column] for column in columns] for row in shown.rows]
    header = [shown.header[column] for column in columns]
    drawn = {kind: kept / plots.FOLDER / f"{scenario}-{kind}.png" for kind in PLOTS}
    kind = next((kind for kind, plot in drawn.items() if plot.is_file()), None)
    if kind is None:
        raise InputError(f"{kept}: has no plot of {scenario}, for nothing of it was measured; show another scenario")
    return "\n\n".join(
        [
            f"{markdown.cell(shown.title)}; {_ran(run)}:",
            markdown.table(header, rows, tables.ALIGN_LEFT),
            f"![{scenario}: {kind} of each case]({drawn[kind].relative_to(root)})",
        ]
    )


def _ran(run: Run) -> str:
    facts = run.environment
    versions = ", ".join(f"{name} {facts[name]}" for name in ("torch", "diffusers") if facts.get(name))
    processes = run.processes.groupby(["scenario", "case"]).size()
    return f"{facts['device_name']}, {versions}, {processes.min()} fresh processes a case"


def _refuse(run: Run) -> None:
    if (run.processes["size"] == "tiny").any():
        raise InputError(f"{run.folder}: has tiny twins, and figures of toys are nobody's to read; measure --size full")
    ended = run.processes[run.processes["status"] != Status.INTERRUPTED]
    measured = set(ended["scenario"] + "/" + ended["case"])
    if missing := [case.key for case in run.plan.cases if case.key not in measured]:
        raise InputError(f"{run.folder}: has no row of {markdown.listed(missing)}; go on with it: bench run --resume")
    commit = run.environment.get("git_commit")
    if not commit or commit.endswith("-dirty"):
        told = commit or "no commit"
        raise InputError(f"{run.folder}: was measured by {told}, which nobody can check out; commit, then measure anew")


if __name__ == "__main__":
    main()
