"""One side of a comparison: the results of a run's folder, or of a results.csv that somebody sent.

A run's folder is derived from records and needs no check. A file may have been joined or converted by hand, so a row
whose figures contradict each other (mixed units, a median outside its samples) is refused with its line, not compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isclose
from pathlib import Path

from bench import statistics
from bench.analyze.memory import peak_bytes
from bench.analyze.results import results
from bench.analyze.run import Run, open_run
from bench.errors import InputError
from bench.records import store
from bench.records.case_result import CaseResult
from bench.records.table import read_results

_CLOSE = 1e-6
"""Relative. Figures of a row are derived from each other in double precision and written at full length."""


@dataclass(frozen=True)
class Side:
    """One run, as a comparison sees it."""

    name: str  # shown in tables; of the folder or the file
    path: Path
    results: Mapping[str, CaseResult]  # by key
    ignored: tuple[str, ...] = ()  # columns of a file that are not ours; the command names them

    @property
    def tiny(self) -> bool:
        """Whether any result is of a tiny model."""
        return any(result.tiny for result in self.results.values())


def open_side(path: Path) -> Side:
    """Read a run's folder or a results.csv.

    Raises:
        InputError: it is neither, is damaged, has no case, or a row contradicts itself; with file and line.
    """
    if path.is_dir():
        return of_run(open_run(path))
    file = read_results(path)
    if not file.results:
        raise InputError(f"{path}:1: contains no case, so nothing can be compared with it")
    name = path.stem if path.name != store.RESULTS else path.resolve().parent.name
    return Side(name, path, _checked(path, file.results), file.ignored)


def of_run(run: Run) -> Side:
    """Return a run as a side, without a look at its pictures; raise `InputError` if it has no case."""
    found = results(run, pictures=False)
    if not found:
        raise InputError(f"{run.folder / store.PROCESSES}: contains no case, so nothing can be compared with it")
    return Side(run.folder.resolve().name, run.folder, {result.key: result for result in found})


def distinct(sides: Sequence[Side]) -> list[Side]:
    """Return the sides under different names: their paths where two have the same name."""
    names = [side.name for side in sides]
    return [side if names.count(side.name) == 1 else replace(side, name=str(side.path)) for side in sides]


def _checked(path: Path, rows: Sequence[tuple[int, CaseResult]]) -> dict[str, CaseResult]:
    lines: dict[str, int] = {}
    for line, result in rows:
        first = lines.setdefault(result.key, line)
        if first != line:
            raise InputError(f"{path}:{line}: the case '{result.key}' is on line {first} already; remove one of them")
        if result.status.measured and (problem := _contradiction(result)) is not None:
            raise InputError(f"{path}:{line}: {problem}")
    return {result.key: result for _, result in rows}


def _contradiction(result: CaseResult) -> str | None:
    """Return what is missing from a measured row, or which of its figures contradict each other; else None."""
    figures, images = result.statistics, result.settings.images
    median, low, high = figures.latency_median_s, figures.latency_min_s, figures.latency_max_s
    each, medians = figures.seconds_per_image, list((figures.process_medians_s or {}).values())
    if not median or not low or not high or not each or not images or not medians:
        needed = {
            "latency_median_s": median, "latency_min_s": low, "latency_max_s": high, "seconds_per_image": each,
            "images": images, "process_medians_s": medians,
        }  # fmt: skip
        missing = next(name for name, value in needed.items() if not value)
        return f"status is '{result.status}', but {missing} is missing"
    if figures.processes != len(medians):
        return f"processes is {figures.processes}, but process_medians_s has {len(medians)}"
    if not all(low * (1 - _CLOSE) <= seconds <= high * (1 + _CLOSE) for seconds in (median, *medians)):
        return "a median is outside latency_min_s and latency_max_s; are the units mixed?"
    frames = result.settings.frames
    for name, share, count, whole, of in (
        ("seconds_per_image", each, images, median, "latency_median_s / images"),
        ("seconds_per_frame", figures.seconds_per_frame or 0.0, frames, each, "seconds_per_image / frames"),
    ):
        if count and not isclose(share * count, whole, rel_tol=_CLOSE):
            return f"{name} is not {of}; are the units mixed?"
    if not isclose(statistics.geometric_mean_interval(medians)[0], median, rel_tol=_CLOSE):
        return "latency_median_s is not the geometric mean of process_medians_s; are the units mixed?"
    return _outside(result) or _other_peak(result)


def _outside(result: CaseResult) -> str | None:
    """Return which estimate is outside its own interval; else None."""
    figures, compared = result.statistics, result.comparison
    for name, low, value, high in (
        ("latency_median_s", figures.latency_low_s, figures.latency_median_s, figures.latency_high_s),
        ("speedup", compared.speedup_low, compared.speedup, compared.speedup_high),
    ):
        if low is not None and high is not None and not low <= (value or 0.0) <= high:
            return f"{name} is outside its own interval"
    return None


def _other_peak(result: CaseResult) -> str | None:
    peaks = (result.statistics.process_peaks_bytes or {}).values()
    if peaks and not isclose(max(peaks), peak_bytes(result) or 0.0, rel_tol=_CLOSE):
        kind = result.statistics.process_peaks_kind
        return f"peak_{kind} is not the largest of process_peaks_bytes; are the units mixed?"
    return None
