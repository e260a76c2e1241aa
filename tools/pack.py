#!/usr/bin/env python3
"""Copy what is worth keeping of a qualification into one folder of a few MB: `make gpu` does it as its last step.

    python tools/pack.py results/qualification package

Of every run that is what tools/publish.py keeps, and the logs; of long logs the end. Traces, plots and large pictures
are left out. Whoever gets the folder publishes its tables with `python tools/publish.py package/tables/run SCENARIO`.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import publish  # noqa: E402 - beside this file

from bench.errors import InputError  # noqa: E402 - from this checkout, installed or not
from bench.records import store  # noqa: E402
from bench.session import files  # noqa: E402

PACKAGE = "package"
TABLES = "tables/run"
MOST_BYTES = 10_000_000
LOG_BYTES = 20_000
"""Of each log: a traceback and the warnings before it."""
KEPT = (".json", ".md", ".txt", ".xml")
DERIVED = (store.RESULTS, store.SAMPLES, files.TABLES)


@dataclass(frozen=True)
class Packed:
    """The folder, what is in it, and why others could not use it (None: they can)."""

    folder: Path
    size_bytes: int
    too_large: bool
    refused: str | None  # by tools/publish.py, with its reason


def main() -> None:
    """Pack the folder that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("output", type=Path, help="what tools/qualify.py wrote")
    parser.add_argument("package", type=Path, help="the folder to write; what it contains is replaced")
    arguments = parser.parse_args()
    packed = pack(arguments.output, arguments.package)
    print(f"{packed.folder}: {packed.size_bytes / 1e6:.1f} MB")
    if reasons := problems(packed):
        sys.exit(f"error: {'; '.join(reasons)}")


def pack(output: Path, package: Path) -> Packed:
    """Replace the package by what is in the output folder now, and try to publish its tables."""
    clear(package)
    for source in selected(output, package):
        target = package / source.relative_to(output)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".log":
            target.write_bytes(source.read_bytes()[-LOG_BYTES:])
        else:
            shutil.copy(source, target)
    size_bytes = sum(path.stat().st_size for path in package.rglob("*") if path.is_file())
    return Packed(package, size_bytes, size_bytes > MOST_BYTES, refusal(package / TABLES))


def problems(packed: Packed) -> list[str]:
    """Return why others could not use a package."""
    large = f"has more than {MOST_BYTES / 1e6:.0f} MB; look for what is large in it"
    return [*([large] if packed.too_large else []), *([packed.refused] if packed.refused is not None else [])]


def selected(output: Path, package: Path) -> Iterator[Path]:
    """Yield the files that are kept: reports and logs of the steps, and of runs what can be published."""
    runs = {path.parent for path in output.rglob(store.PROCESSES) if package not in path.parents}
    for run in sorted(runs):
        yield from (path for name in (*publish.FILES, *DERIVED) if (path := run / name).is_file())
        yield from sorted(run.rglob("*.log"))
    yield from publish.pictures(output / TABLES)
    for path in sorted(output.rglob("*")):
        inside = {*path.parents} & {*runs, package}
        if path.is_file() and path.suffix in {*KEPT, ".log"} and not inside:
            yield path


def refusal(run: Path) -> str | None:
    """Return why tools/publish.py would refuse a run; what it publishes here is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            publish.publish(run, Path(folder))
        except InputError as error:
            return str(error)
    return None


def clear(folder: Path) -> None:
    """Make a folder empty, whether it exists or not."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


if __name__ == "__main__":
    main()
