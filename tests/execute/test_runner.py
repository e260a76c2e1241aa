import os
import signal
from dataclasses import replace

import psutil
import pytest

from bench.execute.client import ServerError, WorkerClient
from bench.execute.runner import Runner
from bench.plan.case import Case
from bench.plan.order import Job
from bench.plan.settings import RunSettings

CASE = Case("test", "case", "stable-diffusion-v1-5", call={"prompt": "a cat", "num_inference_steps": 5})
LONG = replace(CASE, name="long", call={"prompt": "a cat", "num_inference_steps": 2500})
TINY = RunSettings("cpu", "tiny")


class At:
    """A listener that acts once, at the first event of a kind."""

    def __init__(self, kind=None, act=None):
        self.kind, self.act, self.pid = kind, act, None

    def begin(self, job):
        pass

    def event(self, job, event):
        if event["event"] == "started":
            self.pid = event["pid"]
        if event["event"] == self.kind and self.act is not None:
            act, self.act = self.act, None
            act(self.pid)

    def end(self, job, outcome):
        pass


@pytest.fixture
def measure(server, tmp_path):
    """Measure cases through the session's server; a runner that had to replace it closes the new one."""

    def run(*cases, listener=None, settings=TINY):
        runner = Runner(tmp_path, settings, server, WorkerClient)
        try:
            return list(runner.run([Job(case, 0) for case in cases], listener or At()))
        finally:
            if runner._server is not server:
                runner.close()

    return run


@pytest.fixture(scope="module")
def outcome(server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("outcome")
    runner = Runner(folder, TINY, server, WorkerClient)
    return next(iter(runner.run([Job(CASE, 0)], At()))), folder


def statuses(outcomes):
    return [outcome.process["status"] for outcome in outcomes]


def test_a_measured_case_has_its_samples(outcome):
    measured, _ = outcome
    assert (measured.process["status"], len(measured.samples)) == ("ok", 6)


def test_the_first_call_is_apart_from_the_samples(outcome):
    measured, _ = outcome
    assert measured.process["first_call_s"] not in [sample["latency_s"] for sample in measured.samples]


def test_a_row_tells_the_sizes_that_were_really_used(outcome):
    row = outcome[0].process
    assert (row["size"], row["steps"], row["height"], row["width"]) == ("tiny", 1, 64, 64)


def test_a_row_tells_both_tf32_flags(outcome):
    row = outcome[0].process
    assert (row["tf32_matmul"], row["tf32_conv"]) == (False, True)


def test_a_row_tells_denoiser_calls(outcome):
    assert outcome[0].process["denoiser_calls"] >= 1


def test_memory_that_a_cpu_does_not_count_is_empty_and_growth_is_there(outcome):
    row = outcome[0].process
    assert row["peak_allocated_bytes"] is None
    assert row["peak_rss_growth_bytes"] > 0


def test_the_pictures_of_the_first_call_are_saved(outcome):
    assert (outcome[1] / "images" / "test" / "case-0.png").is_file()


def test_a_case_that_takes_too_long_becomes_a_row_and_the_next_one_is_measured(measure):
    outcomes = measure(replace(LONG, timeout_s=1.0), CASE)
    assert statuses(outcomes) == ["timeout", "ok"]
    assert outcomes[0].process["reason"].startswith("not done within 1 s, while ")


def test_of_the_processes_of_a_case_one_is_diagnosed(measure):
    outcomes = measure(CASE, CASE, settings=replace(TINY, diagnose=True))
    assert ["breakdown_whole_s" in outcome.process for outcome in outcomes] == [True, False]


def test_a_timed_out_worker_is_gone(measure):
    listener = At()
    measure(replace(LONG, timeout_s=1.0), listener=listener)
    assert not psutil.pid_exists(listener.pid)


def test_a_killed_worker_becomes_a_row_that_names_the_signal(measure):
    outcomes = measure(LONG, CASE, listener=At("phase", lambda pid: os.kill(pid, signal.SIGKILL)))
    assert statuses(outcomes) == ["crashed", "ok"]
    assert "SIGKILL" in outcomes[0].process["reason"]


def test_what_was_measured_before_a_crash_is_in_the_row(measure):
    outcomes = measure(CASE, listener=At("sample", lambda pid: os.kill(pid, signal.SIGKILL)))
    assert outcomes[0].process["first_call_s"] > 0
    assert outcomes[0].samples


def test_a_server_that_dies_is_replaced(tmp_path):
    first = WorkerClient()
    runner = Runner(tmp_path, TINY, first, WorkerClient)
    try:
        outcomes = list(runner.run([Job(LONG, 0), Job(CASE, 0)], At("phase", lambda _pid: first._process.kill())))
    finally:
        runner.close()
    assert statuses(outcomes) == ["crashed", "ok"]


def test_a_worker_dies_with_its_server(tmp_path):
    server = WorkerClient()
    seen = []

    def kill_server(pid):
        seen.append(psutil.Process(pid))
        server._process.kill()

    runner = Runner(tmp_path, TINY, server, WorkerClient)
    list(runner.run([Job(LONG, 0)], At("phase", kill_server)))
    runner.close()
    _, alive = psutil.wait_procs(seen, timeout=10)
    assert not alive


def test_an_exception_becomes_a_failed_row_with_its_message(measure, tmp_path):
    broken = replace(CASE, model=str(tmp_path / "nowhere" / "else"), scheduler="DDIMScheduler")
    outcome = measure(broken, settings=RunSettings("cpu", "full", weights="hub"))[0].process
    assert outcome["status"] == "failed"
    assert outcome["reason"]


def test_a_failed_cases_log_has_the_traceback(measure, tmp_path):
    measure(replace(CASE, scheduler="NoSuchScheduler"))
    assert "Traceback" in (tmp_path / "logs" / "test" / "case-0.log").read_text()


def test_an_unsupported_setting_becomes_a_skipped_row(measure):
    outcome = measure(replace(CASE, scheduler="DPMSolverSDEScheduler"))[0].process
    if outcome["status"] == "ok":
        pytest.skip("torchsde is installed here")
    assert (outcome["status"], "torchsde" in outcome["reason"]) == ("skipped", True)


def test_an_impossible_allocation_is_out_of_memory_not_a_failure(measure):
    """8 million pixels a side are more than any machine's memory; the allocator says so at once."""
    huge = replace(CASE, call={"prompt": "a cat", "height": 2**26, "width": 2**26, "num_inference_steps": 5})
    assert statuses(measure(huge)) == ["oom"]


def test_a_fixed_number_of_samples_is_taken(measure):
    assert len(measure(replace(CASE, samples=2))[0].samples) == 2


def test_the_run_overrides_a_cases_number_of_samples(measure):
    settings = RunSettings("cpu", "tiny", samples=3)
    assert len(measure(replace(CASE, samples=2), settings=settings)[0].samples) == 3


def test_an_interrupt_becomes_a_row_and_ends_the_run(tmp_path):
    def interrupt(_pid):
        raise KeyboardInterrupt

    with WorkerClient() as server:
        runner = Runner(tmp_path, TINY, server, WorkerClient)
        outcomes = list(runner.run([Job(LONG, 0), Job(CASE, 0)], At("phase", interrupt)))
    assert statuses(outcomes) == ["interrupted"]


def test_the_probe_names_the_device_and_the_versions(server):
    import torch

    answer = server.ask({"op": "probe", "device": "cpu"})
    assert (answer["device"], answer["torch"]) == ("cpu", torch.__version__)


def test_a_device_that_is_not_here_is_named_and_no_reason_to_stop_forking(server):
    before = server.ask({"op": "probe", "device": "cpu"})["started_by"]
    with pytest.raises(ServerError, match="there is no xpu device here"):
        server.ask({"op": "probe", "device": "xpu"})
    assert server.ask({"op": "probe", "device": "cpu"})["started_by"] == before


def test_compatible_schedulers_are_those_the_pipeline_lists(server):
    from diffusers import PNDMScheduler

    listed = server.ask({"op": "compatible", "models": ["stable-diffusion-v1-5"]})["stable-diffusion-v1-5"]
    assert {cls.__name__ for cls in PNDMScheduler()._get_compatibles()} <= set(listed)


@pytest.mark.gpu
def test_a_forked_worker_measures_on_the_accelerator(tmp_path):
    with WorkerClient() as server:
        assert server.ask({"op": "probe", "device": "cuda"})["device"] == "cuda"
        runner = Runner(tmp_path, RunSettings("cuda", "tiny"), server, WorkerClient)
        row = next(iter(runner.run([Job(replace(CASE, dtype="float16"), 0)], At()))).process
    assert (row["status"], row["devices"]) == ("ok", "cuda")
    assert row["peak_allocated_bytes"] > 0
