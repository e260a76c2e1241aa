import json
from types import SimpleNamespace

import pytest

from bench.measure.profile import busy_s, profiled, union


@pytest.mark.parametrize(
    ("intervals", "length"),
    [
        ([], 0),
        ([(0, 2), (3, 4)], 3),
        ([(0, 2), (1, 3)], 3),
        ([(0, 10), (2, 3), (4, 5)], 10),
        ([(5, 6), (0, 1), (0, 1)], 2),
    ],
)
def test_the_union_of_intervals_counts_each_point_once(intervals, length):
    assert union(intervals) == length


def on_device(start, end, *, marked=False):
    return SimpleNamespace(time_range=SimpleNamespace(start=start, end=end), is_user_annotation=marked)


def test_a_mark_around_kernels_is_no_work():
    assert busy_s([on_device(0, 10e6, marked=True), on_device(0, 1e6), on_device(9e6, 10e6)]) == 2.0


@pytest.mark.parametrize("events", [[], [on_device(0, 10e6, marked=True)]])
def test_a_device_that_tells_no_kernel_is_unknown_not_idle(events):
    assert busy_s(events) is None


def test_a_cpu_has_no_busy_device():
    assert profiled("cpu", lambda: None, None) is None


def test_a_trace_is_json_of_events(tmp_path):
    import torch

    profiled("cpu", lambda: torch.ones(8) + 1, tmp_path / "traces" / "case.json")
    names = {event.get("name") for event in json.loads((tmp_path / "traces" / "case.json").read_text())["traceEvents"]}
    assert "aten::add" in names


@pytest.mark.gpu
def test_a_busy_device_is_busy():
    import torch

    left = torch.randn(4096, 4096, device="cuda")
    assert profiled("cuda", lambda: (left @ left, torch.cuda.synchronize()), None) > 1e-4
