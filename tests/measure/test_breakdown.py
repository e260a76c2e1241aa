"""Breaking one call down into its parts, on a clock that the test moves."""

import pytest

from bench.measure.breakdown import CallBreakdown, Recorder, break_down
from bench.measure.device import Device


class TickingDevice(Device):
    """A host whose clock advances only when a test says so."""

    def __init__(self):
        self.time = 0.0

    def now(self):
        return self.time


class EventDevice(TickingDevice):
    """An accelerator whose events run ten times as fast as the host's clock."""

    def mark(self):
        return self.time * 10

    def elapsed_s(self, start, end):
        return end - start


def breakdown_of_a_call(device):
    recorder = Recorder(device)

    def call():
        for step in (1.0, 2.0, 3.0):
            with recorder.part("denoiser"):
                device.time += step
        with recorder.part("vae"):
            device.time += 4.0
        device.time += 0.5

    return break_down(device, call, recorder)


def test_every_visit_of_a_part_has_its_span():
    assert breakdown_of_a_call(TickingDevice()).spans == {"denoiser": [1.0, 2.0, 3.0], "vae": [4.0]}


def test_the_seconds_of_a_part_are_the_sum_of_its_visits():
    assert breakdown_of_a_call(TickingDevice()).seconds("denoiser") == 6.0


def test_a_typical_visit_is_the_median():
    assert breakdown_of_a_call(TickingDevice()).typical("denoiser") == 2.0


def test_the_rest_is_what_no_part_explains():
    assert breakdown_of_a_call(TickingDevice()).rest_s == 0.5


def test_a_device_with_events_is_broken_down_on_its_own_clock():
    found = breakdown_of_a_call(EventDevice())
    assert found.whole_s == 105.0
    assert found.seconds("vae") == 40.0


def test_a_part_within_another_belongs_to_the_outer_one():
    device = TickingDevice()
    recorder = Recorder(device)

    def call():
        with recorder.part("vae"):
            device.time += 1.0
            with recorder.part("denoiser"):
                device.time += 1.0

    assert break_down(device, call, recorder).spans == {"vae": [2.0]}


def test_a_part_that_raises_does_not_contain_the_next_one():
    recorder = Recorder(TickingDevice())
    with pytest.raises(ValueError, match="broken"), recorder.part("vae"):
        raise ValueError("broken")
    with recorder.part("image"):
        pass
    assert list(recorder.spans()) == ["vae", "image"]


def test_a_part_that_was_never_visited_is_unknown():
    assert breakdown_of_a_call(TickingDevice()).seconds("scheduler") is None


@pytest.mark.parametrize(("whole", "adds_up"), [(10.0, True), (10.5, True), (10.6, False), (9.4, False)])
def test_parts_that_miss_more_than_five_per_cent_do_not_add_up(whole, adds_up):
    assert CallBreakdown(whole, {"denoiser": [10.0]}).adds_up is adds_up
