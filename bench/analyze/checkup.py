"""What is wrong with a machine, judged from what was found there, and whether that prevents a run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bench.records.cards import is_slice
from bench.records.checkup import Checkup, Hub
from bench.records.outcomes import Status
from bench.records.torch_builds import Obstacle

LEAST_FREE_BYTES = 256 * 1024**2
"""For pictures, logs, plots and tables: the published runs take up to 20 MB, and a run of all scenarios about 50."""
LEAST_SHARED_BYTES = 16 * 1024**2
"""The compiler's worker processes keep their locks in /dev/shm; containers have 64 MiB by default."""


class Problem(StrEnum):
    """One thing that is wrong. `bench.present.checkup` has the words, and the command that solves it."""

    NO_TEMPORARY_FOLDER = "no-temporary-folder"
    WORKER_FAILS = "worker-fails"
    CPU_BUILD = "cpu-build"  # torch cannot use the card that is here
    DRIVER_TOO_OLD = "driver-too-old"  # for the CUDA that torch was built for
    HIDDEN_CARDS = "hidden-cards"
    UNUSED_CARD = "unused-card"  # for another reason
    DEVICE_FAILS = "device-fails"
    RESULTS_NOT_WRITABLE = "results-not-writable"
    CACHE_NOT_WRITABLE = "cache-not-writable"
    CACHE_TOO_SMALL = "cache-too-small"
    HUB_NEEDED = "hub-needed"
    NOTHING_TO_MEASURE = "nothing-to-measure"
    FAILING_CASES = "failing-cases"
    HUB_MISSED = "hub-missed"  # random weights take the place of those that the cache lacks
    CARDS_BUSY = "cards-busy"  # that which would be measured on
    SLICE = "slice"  # of a card, which knows less than the whole one
    BUSY_MACHINE = "busy-machine"
    NO_NVML = "no-nvml"
    SILENT_DRIVER = "silent-driver"
    IGNORED_TMPDIR = "ignored-tmpdir"
    LITTLE_SPACE = "little-space"
    LITTLE_SHARED_MEMORY = "little-shared-memory"


ALWAYS_PREVENT = frozenset({
    Problem.NO_TEMPORARY_FOLDER, Problem.WORKER_FAILS, Problem.DEVICE_FAILS, Problem.RESULTS_NOT_WRITABLE,
    Problem.CACHE_NOT_WRITABLE, Problem.CACHE_TOO_SMALL, Problem.HUB_NEEDED, Problem.NOTHING_TO_MEASURE,
})  # fmt: skip
CARD_PROBLEMS = (Problem.CPU_BUILD, Problem.DRIVER_TOO_OLD, Problem.HIDDEN_CARDS)
"""Why a card that NVML lists is not used. They prevent a run unless another device takes its place."""


@dataclass(frozen=True)
class Finding:
    """A problem, and whether it prevents a run."""

    problem: Problem
    prevents: bool


def findings(checkup: Checkup) -> list[Finding]:
    """Return what is wrong, that which prevents a run first."""
    found = [problem for problem, is_there in _CHECKS.items() if is_there(checkup)]
    judged = [Finding(problem, _prevents(problem, checkup)) for problem in found]
    return sorted(judged, key=lambda each: not each.prevents)


def is_ready(checkup: Checkup) -> bool:
    """Return whether a run would work."""
    return not any(finding.prevents for finding in findings(checkup))


def _prevents(problem: Problem, checkup: Checkup) -> bool:
    if problem in {*CARD_PROBLEMS, Problem.UNUSED_CARD}:
        return checkup.device is None
    return problem in ALWAYS_PREVENT


def _card_is_unused(checkup: Checkup) -> bool:
    """Return whether a run would not use the card that NVML lists, although nobody asked for another device."""
    wanted = checkup.requested == "auto" or checkup.requested.startswith("cuda")
    hidden = checkup.hidden_by is not None and checkup.facts.get("device") == "cpu"
    known = checkup.worker_failure is None and (checkup.wrong_build is not None or hidden)
    return wanted and known and not _is_no_card(checkup)


def _is_no_card(checkup: Checkup) -> bool:
    """Return whether a card was asked for by an index that none of the visible ones has."""
    index, cards = checkup.requested.partition(":")[2], checkup.visible_cards
    return bool(index and cards) and int(index) >= len(cards)


def _is_cpu_build(checkup: Checkup) -> bool:
    return _card_is_unused(checkup) and checkup.facts["torch_build"] == "cpu"


def _driver_is_too_old(checkup: Checkup) -> bool:
    found = checkup.wrong_build
    return _card_is_unused(checkup) and found is not None and found.obstacle is Obstacle.DRIVER


def _cards_are_hidden(checkup: Checkup) -> bool:
    return _card_is_unused(checkup) and checkup.hidden_by is not None


def _is_unused_for_another_reason(checkup: Checkup) -> bool:
    return _card_is_unused(checkup) and not any(_CHECKS[problem](checkup) for problem in CARD_PROBLEMS)


def _device_fails(checkup: Checkup) -> bool:
    return checkup.device_failure is not None and not _card_is_unused(checkup)


def _cache_is_not_writable(checkup: Checkup) -> bool:
    return bool(_downloads(checkup)) and checkup.cache is not None and checkup.cache.refusal is not None


def _cache_is_too_small(checkup: Checkup) -> bool:
    if checkup.outlook is None or checkup.cache is None or checkup.cache.free_bytes is None or checkup.cache.refusal:
        return False
    return checkup.outlook.download_bytes > checkup.cache.free_bytes


def _hub_is_missed(checkup: Checkup, weights: str) -> bool:
    outlook = checkup.outlook
    absent = checkup.hub in {Hub.UNREACHABLE, Hub.OFFLINE}
    return absent and outlook is not None and outlook.weights == weights and bool(outlook.uncached)


def _nothing_is_measured(checkup: Checkup) -> bool:
    return checkup.outlook is not None and not checkup.outlook.measured


def _cases_fail(checkup: Checkup) -> bool:
    cases = checkup.outlook.cases if checkup.outlook is not None else ()
    return any(case.status in {Status.FAILED, Status.OOM} for case in cases)


def _cards_are_busy(checkup: Checkup) -> bool:
    return checkup.device == "cuda" and checkup.card is not None and checkup.card.busy


def _is_slice(checkup: Checkup) -> bool:
    slice_of_nvml = checkup.card is not None and checkup.card.is_slice
    return checkup.device == "cuda" and (slice_of_nvml or is_slice(checkup.facts))


def _machine_is_busy(checkup: Checkup) -> bool:
    usable = checkup.facts.get("cpu_threads_usable") or checkup.facts.get("cpu_threads") or 0
    return checkup.busy_cores > max(usable - 1, 0)


def _there_is_little_space(checkup: Checkup) -> bool:
    places = [place for place in (checkup.results, checkup.temporary) if place is not None and place.refusal is None]
    return any(place.free_bytes is not None and place.free_bytes < LEAST_FREE_BYTES for place in places)


def _there_is_little_shared_memory(checkup: Checkup) -> bool:
    place = checkup.shared_memory
    return place is not None and (place.refusal is not None or (place.free_bytes or 0) < LEAST_SHARED_BYTES)


def _downloads(checkup: Checkup) -> Mapping[str, int | None]:
    return checkup.outlook.downloads if checkup.outlook is not None else {}


_CHECKS: Mapping[Problem, Callable[[Checkup], bool]] = {
    Problem.NO_TEMPORARY_FOLDER: lambda found: found.temporary is None or found.temporary.refusal is not None,
    Problem.WORKER_FAILS: lambda found: found.worker_failure is not None,
    Problem.CPU_BUILD: _is_cpu_build,
    Problem.DRIVER_TOO_OLD: _driver_is_too_old,
    Problem.HIDDEN_CARDS: _cards_are_hidden,
    Problem.UNUSED_CARD: _is_unused_for_another_reason,
    Problem.DEVICE_FAILS: _device_fails,
    Problem.RESULTS_NOT_WRITABLE: lambda found: found.results.refusal is not None,
    Problem.CACHE_NOT_WRITABLE: _cache_is_not_writable,
    Problem.CACHE_TOO_SMALL: _cache_is_too_small,
    Problem.HUB_NEEDED: lambda found: _hub_is_missed(found, "hub"),
    Problem.NOTHING_TO_MEASURE: _nothing_is_measured,
    Problem.FAILING_CASES: _cases_fail,
    Problem.HUB_MISSED: lambda found: _hub_is_missed(found, "auto"),
    Problem.CARDS_BUSY: _cards_are_busy,
    Problem.SLICE: _is_slice,
    Problem.BUSY_MACHINE: _machine_is_busy,
    Problem.NO_NVML: lambda found: found.driver_loaded and not found.nvml_installed,
    Problem.SILENT_DRIVER: lambda found: found.driver_loaded and found.nvml_installed and not found.cards.cards,
    Problem.IGNORED_TMPDIR: lambda found: found.ignored_tmpdir is not None,
    Problem.LITTLE_SPACE: _there_is_little_space,
    Problem.LITTLE_SHARED_MEMORY: _there_is_little_shared_memory,
}
