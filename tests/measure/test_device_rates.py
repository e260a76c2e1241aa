"""The rates of a device."""

import pytest

from bench.measure.device import Device
from bench.measure.roofline import measure_rates, shortest_s


class ScriptedDevice(Device):
    """A host whose clock readings are scripted: pairs of begin and end."""

    def __init__(self, *seconds):
        self.readings = iter([reading for second in seconds for reading in (0.0, second)])

    def now(self):
        return next(self.readings)


def test_the_first_call_never_counts_as_the_shortest():
    assert shortest_s(ScriptedDevice(0.1, 5.0), lambda: None) == 5.0


def test_a_rate_is_the_best_of_all_repetitions_within_a_second():
    """0.4 + 0.3 + 0.2 is not yet a second; what comes after one is not waited for."""
    assert shortest_s(ScriptedDevice(9.0, 0.4, 0.3, 0.2, 0.25, 0.1), lambda: None) == 0.2


@pytest.mark.slow
def test_this_machine_has_rates():
    rates = measure_rates(Device(), "cpu", ["float32", "bfloat16"])
    assert list(rates["matrix_flops"]) == ["float32", "bfloat16"]
    assert min(*rates["matrix_flops"].values(), rates["copy_bytes_per_s"]) > 1e6
