"""What is wrong with a machine, in words, and the command that solves it. One row per problem."""

from collections.abc import Callable, Mapping

from bench import units
from bench.analyze.checkup import LEAST_FREE_BYTES, Problem
from bench.present import cards, shell, torch_builds
from bench.records.checkup import Checkup, Hub, Place
from bench.records.outcomes import Status

Worded = tuple[str, str]
"""What is wrong, and the command that solves it, or the next best advice."""


def _no_temporary_folder(found: Checkup) -> Worded:
    if found.temporary is None:
        return "Python finds no folder for temporary files.", "mkdir -p /tmp && chmod 1777 /tmp"
    return _unwritable("The folder for temporary files", found.temporary), "export TMPDIR=FOLDER"


def _worker_fails(found: Checkup) -> Worded:
    what = f"The libraries cannot be used: {_sentence(found.worker_failure)}"
    if found.missing_libraries:
        return what, shell.of_python("-m", "pip", "install", *found.missing_libraries)
    return what, f"{shell.of_python('-c', 'import torch, diffusers, transformers, accelerate')}   # shows where"


def _wrong_build(found: Checkup) -> Worded:
    """Return the words that a run has for a card that torch does not use."""
    assert found.wrong_build is not None  # noqa: S101 - it is the problem
    todo = torch_builds.to_use_it(found.wrong_build, shell.python())
    return torch_builds.why_unused(found.wrong_build), f"{todo[0].upper()}{todo[1:]}."


def _hidden_cards(found: Checkup) -> Worded:
    hidden_by = found.hidden_by or ""
    return f"THE GPU IS NOT USED: {hidden_by} hides every card.", f"unset {hidden_by.partition('=')[0]}"


def _unused_card(found: Checkup) -> Worded:
    what, todo = _wrong_build(found)
    return (f"{what} {_sentence(found.device_failure)}" if found.device_failure else what), todo


def _device_fails(found: Checkup) -> Worded:
    choose = "Choose another device, for example with --device cpu."
    return f"The device '{found.requested}' cannot be used: {_sentence(found.device_failure)}", choose


def _results_not_writable(found: Checkup) -> Worded:
    return _unwritable("The results", found.results), "Choose another folder with --output, or free some space."


def _cache_not_writable(found: Checkup) -> Worded:
    assert found.cache is not None  # noqa: S101 - the problem is that of a cache
    return _unwritable("The hub's cache", found.cache), "export HF_HOME=FOLDER"


def _cache_too_small(found: Checkup) -> Worded:
    assert found.cache is not None  # noqa: S101 - as above
    assert found.outlook is not None  # noqa: S101 - as above
    needed, free = units.memory(found.outlook.download_bytes), units.memory(found.cache.free_bytes)
    return (
        f"The hub's cache {found.cache.path} has {free} free, but {needed} would be downloaded.",
        "export HF_HOME=FOLDER   # on a larger disk; or measure with --weights random",
    )


def _hub_needed(found: Checkup) -> Worded:
    return f"{_hub(found)}, and --weights hub needs {_uncached(found)}.", _reach_hub(found)


def _hub_missed(found: Checkup) -> Worded:
    what = f"{_hub(found)}, so random weights would take the place of {_uncached(found)}."
    return f"{what} Latency and memory hardly depend on the values, but pictures do.", _reach_hub(found)


def _hub(found: Checkup) -> str:
    return "HF_HUB_OFFLINE is set" if found.hub is Hub.OFFLINE else "The hub is unreachable"


def _uncached(found: Checkup) -> str:
    return units.listed(found.outlook.uncached if found.outlook is not None else ())


def _reach_hub(found: Checkup) -> str:
    if found.hub is Hub.OFFLINE:
        return "unset HF_HUB_OFFLINE"
    return "export HTTPS_PROXY=ADDRESS   # if there is a proxy; or name a folder of saved pipelines with --weights"


def _nothing_to_measure(found: Checkup) -> Worded:
    cases = found.outlook.cases if found.outlook is not None else ()
    if any(case.left_out and case.status is None for case in cases):
        return "The budget has no time for a single case.", "Give more time with --budget."
    return "No case can be measured here; the table below says why.", shell.of_python("-m", "bench", "list")


def _failing_cases(found: Checkup) -> Worded:
    cases = found.outlook.cases if found.outlook is not None else ()
    failing = [case for case in cases if case.status in {Status.FAILED, Status.OOM}]
    names = units.listed([case.key for case in failing])
    return f"These cases would fail: {names}. {_sentence(failing[0].reason)}", "Leave them out with --only."


def _cards_busy(found: Checkup) -> Worded:
    assert found.card is not None  # noqa: S101 - it is the problem
    use = f"{cards.named(found.card)}: {cards.use(found.card)}"
    what = f"Other programs use {use}. That makes figures worse and less certain."
    if found.idle:
        return what, f"Measure on cuda:{found.idle[0]}, which is idle, with {cards.idle_options('--', found.idle)}."
    return what, "nvidia-smi   # shows which; end them"


def _slice(found: Checkup) -> Worded:
    what = cards.of_slice(str(found.facts["device_name"]))
    spawned = f" {cards.SPAWNED_FOR_SLICE}" if found.facts.get("started_by") == "spawn" else ""
    return f"{what}{spawned}", "CUDA_VISIBLE_DEVICES selects another device; nvidia-smi -L lists what there is."


def _busy_machine(found: Checkup) -> Worded:
    return (
        f"Other programs keep {found.busy_cores:.1f} cores busy, so no core is free to measure on.",
        "top   # shows which; end them, or expect wide intervals",
    )


def _no_nvml(_found: Checkup) -> Worded:
    what = "The package nvidia-ml-py is missing, so clocks, power, heat and other users of the card would be unknown."
    return what, shell.of_python("-m", "pip", "install", "nvidia-ml-py")


def _silent_driver(_found: Checkup) -> Worded:
    what = "NVIDIA's driver is loaded, but lists no card; after an update of the driver, a reboot is needed."
    return what, "nvidia-smi   # shows why"


def _ignored_tmpdir(found: Checkup) -> Worded:
    used = found.temporary.path if found.temporary is not None else "none"
    what = f"Files cannot be written into {found.ignored_tmpdir}, which the environment names; Python uses {used}."
    return what, f"mkdir -p {found.ignored_tmpdir}"


def _little_space(found: Checkup) -> Worded:
    places = [place for place in (found.results, found.temporary) if place is not None]
    tight = min(places, key=lambda place: float("inf") if place.free_bytes is None else place.free_bytes)
    free, enough = units.memory(tight.free_bytes), units.memory(LEAST_FREE_BYTES)
    return (
        f"Only {free} is free in {tight.path}; a run of all scenarios may need {enough}.",
        f"df -h {tight.path}   # free some space, or choose another folder with --output",
    )


def _little_shared_memory(found: Checkup) -> Worded:
    assert found.shared_memory is not None  # noqa: S101 - as above
    path, free = found.shared_memory.path, units.memory(found.shared_memory.free_bytes)
    return (
        f"Only {free} is free in {path}; torch.compile's worker processes need it.",
        f"docker run --shm-size=1g   # for a container; otherwise: mount -o remount,size=1g {path}",
    )


def _unwritable(what: str, place: Place) -> str:
    return f"{what} cannot be written to {place.path}: {_sentence(place.refusal)}"


def _sentence(reason: str | None) -> str:
    text = (reason or "the reason is unknown").strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


WORDS: Mapping[Problem, Callable[[Checkup], Worded]] = {
    Problem.NO_TEMPORARY_FOLDER: _no_temporary_folder,
    Problem.WORKER_FAILS: _worker_fails,
    Problem.CPU_BUILD: _wrong_build,
    Problem.DRIVER_TOO_OLD: _wrong_build,
    Problem.HIDDEN_CARDS: _hidden_cards,
    Problem.UNUSED_CARD: _unused_card,
    Problem.DEVICE_FAILS: _device_fails,
    Problem.RESULTS_NOT_WRITABLE: _results_not_writable,
    Problem.CACHE_NOT_WRITABLE: _cache_not_writable,
    Problem.CACHE_TOO_SMALL: _cache_too_small,
    Problem.HUB_NEEDED: _hub_needed,
    Problem.NOTHING_TO_MEASURE: _nothing_to_measure,
    Problem.FAILING_CASES: _failing_cases,
    Problem.HUB_MISSED: _hub_missed,
    Problem.CARDS_BUSY: _cards_busy,
    Problem.SLICE: _slice,
    Problem.BUSY_MACHINE: _busy_machine,
    Problem.NO_NVML: _no_nvml,
    Problem.SILENT_DRIVER: _silent_driver,
    Problem.IGNORED_TMPDIR: _ignored_tmpdir,
    Problem.LITTLE_SPACE: _little_space,
    Problem.LITTLE_SHARED_MEMORY: _little_shared_memory,
}
