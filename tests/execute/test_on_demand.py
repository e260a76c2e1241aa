"""One call at a time: no call is made before it is requested, and no worker outlives its caller."""

import os
import signal
from dataclasses import replace

import psutil
import pytest
from execute.make import CASE, TINY

from bench.execute.client import WorkerClient
from bench.execute.on_demand import open_on_demand
from bench.execute.worker.on_demand import EndedError
from bench.measure.sampling import TINY as TINY_RULES
from bench.records.outcomes import Status

pytestmark = pytest.mark.slow

SETTINGS = replace(TINY, samples=2)
ENDLESS = {"prompt": "a cat", "num_inference_steps": 250_000}


@pytest.fixture
def open_case(client, tmp_path):
    """Open a case on the session's fork server."""
    return lambda case=CASE, **options: open_on_demand(client, case, SETTINGS, tmp_path / "case.log", **options)


def pid_of(opened):
    return opened._attempt.pid


def test_calls_return_the_latencies_of_the_worker_s_own_samples(open_case):
    with open_case() as opened:
        latencies = [opened.call() for _ in range(2)]
        record = opened.finish()
    assert latencies == [sample.latency_s for sample in record.samples]


def test_a_case_on_demand_has_the_record_of_any_other(open_case):
    with open_case() as opened:
        [opened.call() for _ in range(2)]
        record = opened.finish()
    assert record.status == Status.OK
    assert record.timings.warmup_calls == TINY_RULES.min_warmup
    assert record.memory.generation.rss_growth_bytes > 0


def test_more_calls_than_samples_are_refused(open_case):
    with open_case() as opened:
        [opened.call() for _ in range(2)]
        with pytest.raises(EndedError):
            opened.call()


def test_without_warm_up_there_is_a_single_call(open_case):
    with open_case(warm_up=False) as opened:
        opened.call()
        record = opened.finish()
    assert len(record.samples) == 1
    assert record.timings.warmup_calls == 0


def test_a_worker_that_waits_for_a_request_is_gone_after_the_context(open_case, client):
    with open_case() as opened:
        opened.call()
    assert not psutil.pid_exists(pid_of(opened))
    assert client.running


def test_a_killed_worker_ends_the_case_and_names_the_signal(open_case):
    with open_case() as opened:
        opened.call()
        os.kill(pid_of(opened), signal.SIGKILL)
        with pytest.raises(EndedError):
            opened.call()
        record = opened.finish()
    assert record.status == Status.CRASHED
    assert "SIGKILL" in record.reason


def test_a_case_that_takes_too_long_ends_and_its_fork_server_goes_on(open_case, client):
    with open_case(replace(CASE, timeout_s=1.0, call=ENDLESS)) as opened:
        with pytest.raises(EndedError):
            opened.call()
        record = opened.finish()
    assert record.status == Status.TIMEOUT
    assert client.running


def test_a_fork_server_that_died_ends_the_case(tmp_path):
    with WorkerClient() as client, open_on_demand(client, CASE, SETTINGS, tmp_path / "case.log") as opened:
        client._process.kill()
        with pytest.raises(EndedError):
            opened.call()
        assert opened.finish().status == Status.CRASHED
