"""What is wrong with a machine, and whether that prevents a run."""

from dataclasses import replace

import pytest
from analyze.checkups import (
    CARD,
    CPU,
    CPU_BUILD,
    FACTS,
    FAILING,
    FAST,
    GIB,
    LEFT_OUT,
    PLACE,
    SKIPPED,
    checkup,
    without_a_device,
)

from bench.analyze.checkup import Problem, findings, is_ready
from bench.records.cards import Cards
from bench.records.checkup import Hub, Place

OLD_DRIVER = Cards([CARD], "550.54.15", "12.4")
MIG = "NVIDIA A100-SXM4-40GB MIG 1g.5gb"
ROCM, NO_HIP = {**CPU, "torch_build": "rocm 7.0"}, {"HIP_VISIBLE_DEVICES": ""}
HIDDEN = {"CUDA_VISIBLE_DEVICES": ""}
REFUSED = Place("x", exists=True, free_bytes=0, refusal="No space left on device")
UNCACHED = {"uncached": ("a/b",)}
DOWNLOAD = {"uncached": ("a/b",), "downloads": {"a/b": 5 * GIB, "c/d": None}}


def problems(found):
    return [finding.problem for finding in findings(found)]


def test_a_machine_where_all_is_well_has_no_problems():
    assert problems(checkup()) == []


PREVENTING = {
    "no folder for temporary files": (checkup(temporary=None), Problem.NO_TEMPORARY_FOLDER),
    "a full disk of temporary files": (checkup(temporary=REFUSED), Problem.NO_TEMPORARY_FOLDER),
    "broken libraries": (without_a_device(worker_failure="no", device_failure=None), Problem.WORKER_FAILS),
    "a device that is not here": (without_a_device(cards=Cards()), Problem.DEVICE_FAILS),
    "an index that no card has": (without_a_device(requested="cuda:1"), Problem.DEVICE_FAILS),
    "a card that fails by its index": (without_a_device(requested="cuda:0"), Problem.UNUSED_CARD),
    "another device that fails": (without_a_device(requested="xpu"), Problem.DEVICE_FAILS),
    "a CPU build that is to use a card": (without_a_device(facts=CPU_BUILD, requested="cuda"), Problem.CPU_BUILD),
    "an old driver": (without_a_device(cards=OLD_DRIVER), Problem.DRIVER_TOO_OLD),
    "hidden cards that are asked for": (
        without_a_device(facts={**CPU, "variables": HIDDEN}, requested="cuda"), Problem.HIDDEN_CARDS,
    ),
    "hidden cards of AMD that are asked for": (
        without_a_device(facts={**ROCM, "variables": NO_HIP}, requested="cuda", cards=Cards()), Problem.HIDDEN_CARDS,
    ),
    "a card that fails": (without_a_device(), Problem.UNUSED_CARD),
    "results on a full disk": (checkup(results=REFUSED), Problem.RESULTS_NOT_WRITABLE),
    "a cache that cannot be written": (checkup(DOWNLOAD, cache=REFUSED), Problem.CACHE_NOT_WRITABLE),
    "a cache that is too small": (
        checkup(DOWNLOAD, cache=Place("hub", free_bytes=4 * GIB)), Problem.CACHE_TOO_SMALL,
    ),
    "a hub that is needed": (checkup({**UNCACHED, "weights": "hub"}, hub=Hub.OFFLINE), Problem.HUB_NEEDED),
    "cases that are all skipped": (checkup({"cases": (SKIPPED,)}), Problem.NOTHING_TO_MEASURE),
    "a budget without time": (checkup({"cases": (LEFT_OUT, SKIPPED)}), Problem.NOTHING_TO_MEASURE),
}  # fmt: skip
NOTED = {
    "a CPU build beside a card": (checkup(facts=CPU_BUILD), Problem.CPU_BUILD),
    "hidden cards": (checkup(facts={**CPU, "variables": HIDDEN}), Problem.HIDDEN_CARDS),
    "a card that torch does not find": (checkup(facts=CPU), Problem.UNUSED_CARD),
    "a case that would fail": (checkup({"cases": (FAST, FAILING)}), Problem.FAILING_CASES),
    "random weights instead of the hub's": (checkup(UNCACHED, hub=Hub.UNREACHABLE), Problem.HUB_MISSED),
    "a busy card": (checkup(card=replace(CARD, processes=1)), Problem.CARDS_BUSY),
    "a slice": (checkup(card=replace(CARD, uuid="MIG-0")), Problem.SLICE),
    "a slice that NVML does not know": (checkup(facts={**FACTS, "device_name": MIG}, card=None), Problem.SLICE),
    "a hidden card of AMD": (checkup(facts={**ROCM, "variables": NO_HIP}, cards=Cards()), Problem.HIDDEN_CARDS),
    "no free core": (checkup(busy_cores=7.5), Problem.BUSY_MACHINE),
    "no nvidia-ml-py": (checkup(cards=Cards(), driver_loaded=True, nvml_installed=False), Problem.NO_NVML),
    "a driver without cards": (checkup(cards=Cards(), driver_loaded=True), Problem.SILENT_DRIVER),
    "a TMPDIR that is not there": (checkup(ignored_tmpdir="/nowhere"), Problem.IGNORED_TMPDIR),
    "little space": (checkup(results=replace(PLACE, free_bytes=10 * 1024**2)), Problem.LITTLE_SPACE),
    "little shared memory": (checkup(shared_memory=Place("shm", free_bytes=1)), Problem.LITTLE_SHARED_MEMORY),
}


@pytest.mark.parametrize(("found", "problem"), PREVENTING.values(), ids=PREVENTING)
def test_a_problem_is_found(found, problem):
    assert problems(found) == [problem]


@pytest.mark.parametrize("found", [found for found, _ in PREVENTING.values()], ids=PREVENTING)
def test_a_problem_prevents_a_run(found):
    assert not is_ready(found)


@pytest.mark.parametrize(("found", "problem"), NOTED.values(), ids=NOTED)
def test_an_oddity_is_found(found, problem):
    assert problems(found) == [problem]


@pytest.mark.parametrize("found", [found for found, _ in NOTED.values()], ids=NOTED)
def test_an_oddity_does_not_prevent_a_run(found):
    assert is_ready(found)


def test_every_problem_is_in_a_test():
    assert {problem for _, problem in [*PREVENTING.values(), *NOTED.values()]} == set(Problem)


@pytest.mark.parametrize(
    "found",
    [
        checkup(facts=CPU_BUILD, requested="cpu"),
        checkup(facts=CPU_BUILD, cards=Cards()),
        checkup(facts=FACTS, cards=Cards([CARD], "575.1", "12.9")),
        checkup(card=CARD, cards=Cards([CARD, replace(CARD, number=1, uuid="GPU-1", processes=3)])),
        checkup(hub=Hub.UNREACHABLE),
        checkup(DOWNLOAD, cache=Place("hub", free_bytes=6 * GIB), hub=Hub.REACHABLE),
        checkup(busy_cores=6.9),
        checkup({"cases": (FAST, SKIPPED, LEFT_OUT)}),
    ],
    ids=[
        "the CPU was asked for", "a CPU build without a card", "an older CUDA that works", "one idle card of two",
        "an unreachable hub that nobody needs", "room for the download", "one free core", "one case of three",
    ],
)  # fmt: skip
def test_what_is_in_order_is_no_problem(found):
    assert problems(found) == []


def test_minor_versions_of_cuda_do_not_count():
    found = without_a_device(cards=Cards([CARD], "580.65.06", "13.0"), facts={**CPU, "torch_build": "cuda 13.2"})
    assert problems(found) == [Problem.UNUSED_CARD]


def test_what_prevents_a_run_comes_first():
    found = checkup(facts=CPU_BUILD, results=REFUSED)
    assert problems(found) == [Problem.RESULTS_NOT_WRITABLE, Problem.CPU_BUILD]
