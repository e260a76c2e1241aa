import pytest

from bench.measure.device import HostDevice
from bench.measure.roofline import Rates, best, measure_rates


class ScriptedDevice(HostDevice):
    """A host whose clock readings are scripted: pairs of begin and end."""

    def __init__(self, *seconds):
        self.readings = iter([reading for second in seconds for reading in (0.0, second)])

    def now(self):
        return next(self.readings)


def test_the_limit_is_set_by_arithmetic_or_by_memory_whichever_takes_longer():
    rates = Rates(matrix_flops=100.0, copy_bytes=10.0)
    assert (rates.seconds(200, 10), rates.seconds(100, 30)) == (2.0, 3.0)


def test_a_rate_is_the_best_of_those_after_the_first():
    assert best(ScriptedDevice(0.1, 5.0, 3.0, 4.0, 6.0, 7.0), lambda: None) == 3.0


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_this_machine_has_rates(dtype):
    rates = measure_rates(HostDevice(), "cpu", {dtype}, tf32=False)
    assert rates.matrix_flops > 1e6
    assert rates.copy_bytes > 1e6
