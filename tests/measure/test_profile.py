"""One profiled call, and how long the device was busy."""

import json
from contextlib import nullcontext
from pathlib import Path
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


def event(start_s, end_s, name="ampere_sgemm", *, annotation=False):
    """Return an event as kineto has it."""
    return SimpleNamespace(
        start_ns=lambda: int(start_s * 1e9),
        end_ns=lambda: int(end_s * 1e9),
        name=lambda: name,
        is_user_annotation=lambda: annotation,
    )


def test_an_annotation_around_kernels_is_not_work():
    assert busy_s([event(0, 10, annotation=True), event(0, 1), event(9, 10)]) == 2.0


def test_a_torch_without_annotations_in_its_results_is_read_too():
    old = event(0, 1)
    del old.is_user_annotation
    assert busy_s([old]) == 1.0


@pytest.mark.parametrize(
    "copy", ["Memcpy HtoD (Pinned -> Device)", "Memcpy DtoH (Device -> Pageable)", "Memset (Device)"]
)
def test_copies_are_not_computing(copy):
    assert busy_s([event(0, 10, copy), event(0, 1)]) == 1.0


@pytest.mark.parametrize("events", [[], [event(0, 10, annotation=True)], [event(0, 10, "Memset (Device)")]])
def test_a_device_without_kernels_is_unknown_and_not_idle(events):
    assert busy_s(events) is None


def test_the_busy_time_of_a_cpu_is_unknown():
    assert profiled("cpu", lambda: None, None) is None


def test_a_trace_is_a_json_file_of_events(tmp_path):
    import torch

    profiled("cpu", lambda: torch.ones(8) + 1, tmp_path / "traces" / "case.json")
    names = {found.get("name") for found in json.loads((tmp_path / "traces" / "case.json").read_text())["traceEvents"]}
    assert "aten::add" in names


@pytest.fixture
def profiler(monkeypatch):
    """Record the options of torch's profiler, which sees one kernel of a second."""
    import torch
    from torch.autograd import DeviceType

    seen = {}
    kernel = event(0, 1)
    kernel.device_type = lambda: DeviceType.CUDA
    results = SimpleNamespace(events=lambda: [kernel])
    running = SimpleNamespace(
        profiler=SimpleNamespace(kineto_results=results),
        export_chrome_trace=lambda path: Path(path).write_text("{}", encoding="utf-8"),
    )

    def profile(**options):
        seen.update(options)
        return nullcontext(running)

    monkeypatch.setattr(torch.profiler, "profile", profile)
    return seen


@pytest.mark.parametrize(("traced", "activities"), [(False, ["CUDA"]), (True, ["CPU", "CUDA"])])
def test_events_of_the_host_are_recorded_for_a_trace_only(profiler, tmp_path, traced, activities):
    assert profiled("cuda", lambda: None, tmp_path / "trace.json" if traced else None) == 1.0
    assert [activity.name for activity in profiler["activities"]] == activities


@pytest.mark.gpu
def test_a_busy_device_is_busy():
    import torch

    left = torch.randn(4096, 4096, device="cuda")
    busy = profiled("cuda", lambda: (left @ left, torch.cuda.synchronize()), None)
    if busy is None:
        pytest.skip("the driver's profiler is not available to this process")
    assert busy > 1e-4
