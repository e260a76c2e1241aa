"""The rates of a device, and the least time they allow."""

import pytest

from bench.measure.device import Device
from bench.measure.roofline import Rates, measure_rates, shortest_s


class ScriptedDevice(Device):
    """A host whose clock readings are scripted: pairs of begin and end."""

    def __init__(self, *seconds):
        self.readings = iter([reading for second in seconds for reading in (0.0, second)])

    def now(self):
        return next(self.readings)


@pytest.mark.parametrize(("operations", "moved", "seconds"), [(200, 10, 2.0), (100, 30, 3.0)])
def test_the_roofline_is_set_by_arithmetic_or_memory_whichever_takes_longer(operations, moved, seconds):
    assert Rates(matrix_flops=100.0, copy_bytes=10.0).seconds(operations, moved) == seconds


def test_the_first_call_never_counts_as_the_shortest():
    assert shortest_s(ScriptedDevice(0.1, 5.0, 3.0, 4.0, 6.0, 7.0), lambda: None) == 3.0


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_this_machine_has_rates(dtype):
    rates = measure_rates(Device(), "cpu", {dtype}, tf32=False)
    assert rates.matrix_flops > 1e6
    assert rates.copy_bytes > 1e6
