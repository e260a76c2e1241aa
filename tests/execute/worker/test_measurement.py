"""What the samples of a process say about how it ended."""

import gc
import os
import weakref

import pytest

from bench.execute.worker.measurement import _peak_reported, outcome_of
from bench.execute.worker.protocol import Reporter
from bench.measure.clock import Timing
from bench.measure.memory import Memory
from bench.measure.sampling import Sampled
from bench.records.outcomes import Status

ONE = [Timing(1.0, None)]


@pytest.mark.parametrize(
    ("sampled", "recompilations", "status", "reason"),
    [
        (Sampled(ONE, steady=True), 0, Status.OK, ""),
        (Sampled(ONE, steady=None), 0, Status.OK, ""),
        (Sampled(ONE, steady=False), 0, Status.UNSTABLE, "samples drift"),
        (Sampled(ONE, steady=True), 2, Status.UNSTABLE, "2 graphs were compiled"),
        (Sampled(ONE * 6, steady=True, throttled="power brake"), 0, Status.UNSTABLE, "kept: power brake"),
    ],
)
def test_an_outcome_is_unstable_only_for_a_reason(sampled, recompilations, status, reason):
    found, said = outcome_of(sampled, recompilations)
    assert found is status
    assert reason in said


def test_what_loading_left_in_cycles_is_gone_before_the_peak_is_reset():
    alive = []

    class Watched(Memory):
        def reset(self):
            alive.append(leftover())

    cycle = Sampled()
    cycle.itself = cycle
    leftover = weakref.ref(cycle)
    gc.disable()
    try:
        del cycle
        with _peak_reported(Watched(), Reporter(os.open(os.devnull, os.O_WRONLY)), "peak_"):
            pass
    finally:
        gc.enable()
    assert alive == [None]
