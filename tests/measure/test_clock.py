"""Timing one call on a scripted clock."""

import gc

import pytest

from bench.measure.clock import no_garbage_collection, timed


class ScriptedDevice:
    """A device with scripted clock readings, which logs what is done to it."""

    def __init__(self, ticks, device_seconds=None):
        self.ticks = iter(ticks)
        self.device_seconds = device_seconds
        self.log = []

    def synchronize(self):
        self.log.append("synchronize")

    def now(self):
        self.log.append("now")
        return next(self.ticks)

    def mark(self):
        self.log.append("mark")
        return len(self.log)

    def elapsed_s(self, start, end):
        return self.device_seconds


def test_latency_is_the_time_between_the_two_clock_readings():
    timing, _ = timed(ScriptedDevice([10.0, 12.5]), lambda: None)
    assert timing.latency_s == 2.5


def test_device_time_is_what_the_device_says():
    timing, _ = timed(ScriptedDevice([0.0, 1.0], device_seconds=0.75), lambda: None)
    assert timing.device_time_s == 0.75


@pytest.mark.parametrize(("device_seconds", "expected"), [(0.75, 0.75), (None, 1.0)])
def test_the_devices_own_clock_is_preferred_to_the_hosts(device_seconds, expected):
    timing, _ = timed(ScriptedDevice([0.0, 1.0], device_seconds), lambda: None)
    assert timing.own_clock_s == expected


def test_the_result_of_the_call_is_returned():
    _, result = timed(ScriptedDevice([0.0, 1.0]), lambda: "image")
    assert result == "image"


def test_the_device_is_synchronized_before_the_clock_starts_and_before_it_stops():
    device = ScriptedDevice([0.0, 1.0])
    timed(device, lambda: device.log.append("call"))
    assert device.log == ["synchronize", "mark", "now", "call", "mark", "synchronize", "now"]


def test_garbage_collection_is_off_inside_and_on_again_after():
    with no_garbage_collection():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_frozen_objects_are_released_after():
    with no_garbage_collection():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0
