"""One further call with the history of the allocator."""

import pickle

import pytest
import torch

from bench.measure.memory_trace import write_memory_trace


def unpickled(path):
    return pickle.loads(path.read_bytes())  # noqa: S301 - the test has just written it


@pytest.fixture
def history(monkeypatch):
    """What happened to a scripted history of the allocator, in order."""
    seen = []

    def record(enabled="all", **_options):
        seen.append(f"history {enabled}")

    monkeypatch.setattr(torch.cuda.memory, "_record_memory_history", record)
    monkeypatch.setattr(torch.cuda.memory, "_snapshot", lambda: seen.append("snapshot") or {"segments": [1]})
    return seen


def test_the_history_is_kept_during_the_call_only(history, tmp_path):
    write_memory_trace("cuda", lambda: history.append("call"), tmp_path / "case.pickle")
    assert history == ["history all", "call", "snapshot", "history None"]


def test_the_snapshot_is_a_pickle(history, tmp_path):
    write_memory_trace("cuda", lambda: None, tmp_path / "traces" / "case.pickle")
    assert unpickled(tmp_path / "traces" / "case.pickle") == {"segments": [1]}


def test_a_call_that_fails_ends_the_history(history, tmp_path):
    with pytest.raises(ZeroDivisionError):
        write_memory_trace("cuda", lambda: 1 / 0, tmp_path / "case.pickle")
    assert history[-1] == "history None"


@pytest.mark.gpu
def test_a_real_snapshot_has_the_allocation_of_the_call(tmp_path):
    write_memory_trace("cuda", lambda: torch.empty(64 * 1024**2, device="cuda"), tmp_path / "case.pickle")
    snapshot = unpickled(tmp_path / "case.pickle")
    events = [event for device in snapshot["device_traces"] for event in device]
    assert any(event["action"] == "alloc" and event["size"] >= 256 * 1024**2 for event in events)
