"""The worker's end of a case that is measured one call at a time."""

import os
from dataclasses import replace

import pytest

from bench.execute.worker.on_demand import COLD, EndedError, OnDemandSampler
from bench.measure.clock import Timing
from bench.measure.sampling import TINY, Hooks


@pytest.fixture
def fifo(tmp_path):
    os.mkfifo(tmp_path / "requests")
    return tmp_path / "requests"


@pytest.fixture
def pair(fifo):
    """A sampler, and the descriptor that requests calls."""
    requests = os.open(fifo, os.O_RDWR)
    yield OnDemandSampler(str(fifo), warm_up=True), requests
    os.close(requests)


def test_no_call_is_made_before_it_is_requested(pair):
    sampler, requests = pair
    os.write(requests, b"\n")
    requested, made = 1, []

    def time_one_call():
        made.append(requested)
        return Timing(1.0, None)

    def on_sample(_index, _timing):
        nonlocal requested
        requested += 1
        os.write(requests, b"\n")

    sampler.measure(time_one_call, TINY.fixed(3), Hooks(on_sample=on_sample))
    assert made == [1, 1, 2, 3]  # warm-up, and one call after each byte


def test_a_rejected_call_is_repeated_without_another_request(pair):
    sampler, requests = pair
    os.write(requests, b"\n\n")
    causes = iter([None, "heat", None])
    sampled = sampler.measure(lambda: Timing(1.0, None), TINY.fixed(2), Hooks(rejected=lambda: next(causes)))
    assert len(sampled.samples) == 2
    assert sampled.rejected == ["heat"]


def test_samples_that_drift_are_reported_and_stay_samples(pair):
    sampler, requests = pair
    os.write(requests, b"\n" * 12)
    seconds = iter([1.0, *range(1, 13)])
    discarded = []
    rules = replace(TINY.fixed(12), check_stability=True)
    sampled = sampler.measure(lambda: Timing(next(seconds), None), rules, Hooks(on_discard=discarded.append))
    assert sampled.steady is False
    assert len(sampled.samples) == 12
    assert discarded == []


def test_a_worker_ends_when_nobody_is_left_to_request_calls(fifo):
    requests = os.open(fifo, os.O_RDWR)
    sampler = OnDemandSampler(str(fifo), warm_up=True)
    os.close(requests)
    with pytest.raises(EndedError):
        sampler.measure(lambda: Timing(1.0, None), COLD, Hooks())
