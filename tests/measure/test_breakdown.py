import pytest

from bench.measure.breakdown import Recorder, Split, split


class TickingDevice:
    """A host whose clock advances only when a test says so."""

    def __init__(self):
        self.time = 0.0

    def synchronize(self):
        pass

    def now(self):
        return self.time

    def mark(self):
        return None

    def elapsed_s(self, start, end):
        return None


class EventDevice(TickingDevice):
    """An accelerator whose events tell another time than the host's clock."""

    def mark(self):
        return self.time * 10

    def elapsed_s(self, start, end):
        return end - start


def recorded(device):
    recorder = Recorder(device)

    def call():
        for step in (1.0, 2.0, 3.0):
            with recorder.part("denoiser"):
                device.time += step
        with recorder.part("vae"):
            device.time += 4.0
        device.time += 0.5

    return split(device, call, recorder)


def test_every_visit_of_a_part_has_its_span():
    assert recorded(TickingDevice()).spans == {"denoiser": [1.0, 2.0, 3.0], "vae": [4.0]}


def test_a_part_is_the_sum_of_its_visits_and_its_typical_one_the_median():
    found = recorded(TickingDevice())
    assert (found.seconds("denoiser"), found.typical("denoiser")) == (6.0, 2.0)


def test_the_rest_is_what_no_part_explains():
    assert recorded(TickingDevice()).rest_s == 0.5


def test_a_device_with_events_is_split_on_its_own_clock():
    found = recorded(EventDevice())
    assert (found.whole_s, found.seconds("vae")) == (105.0, 40.0)


def test_a_part_within_another_is_the_outer_ones():
    device = TickingDevice()
    recorder = Recorder(device)

    def call():
        with recorder.part("vae"):
            device.time += 1.0
            with recorder.part("denoiser"):
                device.time += 1.0

    assert split(device, call, recorder).spans == {"vae": [2.0]}


def test_a_part_that_raises_is_left():
    recorder = Recorder(TickingDevice())
    with pytest.raises(ValueError, match="broken"), recorder.part("vae"):
        raise ValueError("broken")
    assert list(recorder.spans()) == ["vae"]


def test_a_part_that_was_never_visited_is_unknown():
    assert recorded(TickingDevice()).seconds("scheduler") is None


@pytest.mark.parametrize(("whole", "adds_up"), [(10.0, True), (10.5, True), (10.6, False), (9.4, False)])
def test_parts_that_miss_more_than_five_per_cent_do_not_add_up(whole, adds_up):
    assert Split(whole, {"denoiser": [10.0]}).adds_up is adds_up
