"""What a look at a machine might have found, for tests of its judgement and its words."""

from dataclasses import replace

from bench.records.cards import Card, Cards
from bench.records.checkup import CaseOutlook, Checkup, Place, RunOutlook
from bench.records.environment import Span
from bench.records.outcomes import Status, Tiny

GIB = 1024**3
FACTS = {
    "python": "3.12.1", "cpu": "AMD EPYC", "cpu_threads_usable": 8, "memory_bytes": 64 * GIB, "torch": "2.13.0",
    "torch_build": "cuda 13.0", "diffusers": "0.42.1", "device": "cuda", "device_name": "NVIDIA H200", "variables": {},
}  # fmt: skip
CPU = {**FACTS, "device": "cpu", "device_name": "AMD EPYC"}
CPU_BUILD = {**CPU, "torch": "2.13.0+cpu", "torch_build": "cpu"}
CARD = Card(0, "GPU-0", "GPU-0", "NVIDIA H200", 140 * GIB, 1 * GIB, 0.0, 0, "9.0")
CARDS = Cards([CARD], "580.65.06", "13.0")
PLACE = Place("results", exists=True, free_bytes=100 * GIB)
FAST = CaseOutlook("sd15", "fast", time=Span(1.0, 2.0, 3.0))
SKIPPED = CaseOutlook("sd15", "tf32", Status.SKIPPED, "TF32 needs compute capability 8.0 or later", Span(0.1, 0.2, 0.3))
FAILING = CaseOutlook("sd15", "broken", Status.FAILED, "FileNotFoundError: no such folder")
LEFT_OUT = CaseOutlook("sd15", "slow", time=None, left_out=True)
OUTLOOK = RunOutlook((FAST,), Tiny.NONE, "auto", processes=1, time=Span(1.0, 2.0, 3.0))
READY = Checkup(FACTS, results=PLACE, temporary=replace(PLACE, path="tmp"), cards=CARDS, outlook=OUTLOOK)


def checkup(outlook=None, **changes):
    """Return what was found on a machine where all is well, but for these changes of it and of its outlook."""
    return replace(READY, outlook=replace(OUTLOOK, **(outlook or {})), **changes)


def without_a_device(**changes):
    """Return what was found where the device that was asked for cannot be used."""
    return replace(READY, **{"facts": CPU, "device_failure": "the device is broken", "outlook": None, **changes})
