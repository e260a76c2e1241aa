"""One call at a time: nothing is made unasked, and no worker outlives who asked."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bench.execute.client import WorkerClient
from bench.execute.on_demand import stepped
from bench.execute.worker.on_demand import COLD, EndedError, Steps
from bench.measure.clock import Timing
from bench.measure.sampling import TINY, Hooks
from bench.plan.case import Case
from bench.plan.settings import RunSettings

CASE = Case("test", "case", "stable-diffusion-v1-5", call={"prompt": "a cat", "num_inference_steps": 5})
SETTINGS = RunSettings("cpu", "tiny", samples=2)


@pytest.fixture
def open_case(server, tmp_path):
    """Open a case on the session's server."""
    return lambda case=CASE, **options: stepped(server, case, SETTINGS, tmp_path / "case.log", **options)


@pytest.fixture
def steps(tmp_path):
    """The worker's end, and the descriptor that asks for calls."""
    os.mkfifo(tmp_path / "steps")
    asks = os.open(tmp_path / "steps", os.O_RDWR)
    yield Steps(str(tmp_path / "steps"), warm_up=True), asks
    os.close(asks)


def pid_of(opened):
    return opened._attempt.pid


def test_calls_tell_the_latencies_of_the_workers_own_samples(open_case):
    with open_case() as opened:
        latencies = [opened.call() for _ in range(2)]
        outcome = opened.finish()
    assert latencies == [sample["latency_s"] for sample in outcome.samples]


def test_a_case_in_steps_leaves_the_same_columns_as_another(open_case):
    with open_case() as opened:
        [opened.call() for _ in range(2)]
        process = opened.finish().process
    assert process["status"] == "ok"
    assert process["warmup_calls"] == TINY.min_warmup
    assert process["peak_rss_growth_bytes"] > 0


def test_more_calls_than_samples_are_refused(open_case):
    with open_case() as opened:
        [opened.call() for _ in range(2)]
        with pytest.raises(EndedError):
            opened.call()


def test_without_warm_up_there_is_one_call(open_case):
    with open_case(warm_up=False) as opened:
        opened.call()
        process = opened.finish().process
    assert (process["status"], process["warmup_calls"]) == ("ok", 0)


def test_a_worker_that_waits_for_a_call_is_gone_after_the_context(open_case, server):
    with open_case() as opened:
        opened.call()
    assert not psutil.pid_exists(pid_of(opened))
    assert server.running


def test_a_killed_worker_ends_the_case_and_names_the_signal(open_case):
    with open_case() as opened:
        opened.call()
        os.kill(pid_of(opened), signal.SIGKILL)
        with pytest.raises(EndedError):
            opened.call()
        process = opened.finish().process
    assert (process["status"], "SIGKILL" in process["reason"]) == ("crashed", True)


def test_a_case_that_takes_too_long_ends_and_its_server_goes_on(open_case, server):
    slow = replace(CASE, timeout_s=1.0, call={"prompt": "a cat", "num_inference_steps": 250_000})
    with open_case(slow) as opened:
        with pytest.raises(EndedError):
            opened.call()
        process = opened.finish().process
    assert process["reason"].startswith("not done within 1 s, while ")
    assert server.running


def test_a_server_that_died_ends_the_case(tmp_path):
    with WorkerClient() as server, stepped(server, CASE, SETTINGS, tmp_path / "case.log") as opened:
        server._process.kill()
        with pytest.raises(EndedError):
            opened.call()
        assert opened.finish().process["status"] == "crashed"


def test_an_interpreter_of_its_own_makes_calls_in_steps_too(tmp_path):
    """A spawned worker; the bytes that ask for both calls wait in the FIFO before it is there."""
    fifo = tmp_path / "steps"
    os.mkfifo(fifo)
    asks = os.open(fifo, os.O_RDWR)
    os.write(asks, b"\n\n")
    request = {
        "op": "steps", "case": CASE.to_json(), "run": SETTINGS.to_json(), "steps": str(fifo), "warm_up": True,
        "started_by": "spawn",
    }  # fmt: skip
    worker = subprocess.run(
        [sys.executable, "-m", "bench.execute.worker.serve"], cwd=Path(__file__).parents[2],
        input=json.dumps(request) + "\n", capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    os.close(asks)
    kinds = [json.loads(line)["event"] for line in worker.stdout.splitlines()]
    assert [kind for kind in kinds if kind in {"sample", "outcome"}] == ["sample", "sample", "outcome"]


def test_no_call_is_made_before_it_is_asked_for(steps):
    end, asks = steps
    os.write(asks, b"\n")
    asked, made = 1, []

    def time_one_call():
        made.append(asked)
        return Timing(1.0, None)

    def on_sample(_index, _timing):
        nonlocal asked
        asked += 1
        os.write(asks, b"\n")

    end.measure(time_one_call, TINY.fixed(3), Hooks(on_sample=on_sample))
    assert made == [1, 1, 2, 3]  # warm-up, and a call after each byte


def test_a_rejected_call_is_made_again_unasked(steps):
    end, asks = steps
    os.write(asks, b"\n\n")
    causes = iter([None, "heat", None])
    sampled = end.measure(lambda: Timing(1.0, None), TINY.fixed(2), Hooks(rejected=lambda: next(causes)))
    assert (len(sampled.samples), sampled.rejected) == (2, ["heat"])


def test_samples_that_drift_stay_and_are_told(steps):
    end, asks = steps
    os.write(asks, b"\n" * 12)
    seconds = iter([1.0, *range(1, 13)])
    discarded = []
    drifting = replace(TINY.fixed(12), check_stability=True)
    sampled = end.measure(lambda: Timing(next(seconds), None), drifting, Hooks(on_discard=discarded.append))
    assert (len(sampled.samples), sampled.stable, discarded) == (12, False, [])


def test_a_worker_ends_when_nobody_is_left_to_ask(tmp_path):
    fifo = tmp_path / "steps"
    os.mkfifo(fifo)
    asks = os.open(fifo, os.O_RDWR)
    end = Steps(str(fifo), warm_up=True)
    os.close(asks)
    with pytest.raises(EndedError):
        end.measure(lambda: Timing(1.0, None), COLD, Hooks())
