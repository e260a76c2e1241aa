"""Every case yields a record, however its process ends, and the next case is measured."""

import os
import signal
import tempfile
from dataclasses import replace

import psutil
import pytest
from execute.make import CASE, LONG, TINY, ActOnce

from bench import scratch
from bench.execute.client import WorkerClient
from bench.execute.runner import InterruptedRunError, Runner
from bench.measure.sampling import TINY as TINY_RULES
from bench.plan.order import Job
from bench.plan.settings import RunSettings
from bench.records.columns import columns, flatten
from bench.records.models import ProcessRecord
from bench.records.outcomes import Status

pytestmark = pytest.mark.slow


@pytest.fixture
def measure(client, tmp_path):
    """Measure cases through the session's fork server; a runner that had to replace it closes the new one."""

    def run(*cases, listener=None, settings=TINY):
        runner = Runner(tmp_path, settings, client, WorkerClient)
        try:
            return list(runner.run([Job(case, 0) for case in cases], listener or ActOnce()))
        finally:
            if runner._client is not client:
                runner.close()

    return run


@pytest.fixture(scope="module")
def measured(client, tmp_path_factory):
    """The record of a case that was measured without trouble, and the folder of its run."""
    folder = tmp_path_factory.mktemp("measured")
    runner = Runner(folder, replace(TINY, diagnose=True), client, WorkerClient)
    return next(iter(runner.run([Job(CASE, 0)], ActOnce()))), folder


@pytest.fixture(scope="module")
def record(measured):
    return measured[0]


def statuses(records):
    return [record.status for record in records]


def kill(pid):
    os.kill(pid, signal.SIGKILL)


def test_a_measured_case_has_its_samples(record):
    assert record.status is Status.OK
    assert len(record.samples) == TINY_RULES.min_samples


def test_the_first_call_is_not_a_sample(record):
    assert record.timings.first_call_s not in {sample.latency_s for sample in record.samples}


def test_a_record_has_the_sizes_that_were_really_used(record):
    settings = record.settings
    assert settings.size == "tiny"
    assert settings.steps == 1
    assert settings.height == 64
    assert settings.width == 64


def test_a_record_has_both_tf32_flags(record):
    assert not record.effective.tf32_matmul
    assert record.effective.tf32_conv


def test_a_record_has_the_number_of_denoiser_calls(record):
    assert record.effective.denoiser_calls == record.settings.steps


def test_memory_that_a_cpu_does_not_count_is_unknown(record):
    assert record.memory.generation.allocated_bytes is None


@pytest.mark.parametrize("phase", ["load", "first_call", "generation"])
def test_every_phase_has_the_growth_of_its_memory(record, phase):
    assert getattr(record.memory, phase).rss_growth_bytes > 0


def test_only_what_another_device_or_case_would_have_is_unknown(record):
    """A column that nothing fills is found here."""
    of_accelerators = {each.name for each in columns(ProcessRecord) if each.path[0] in {"telemetry", "memory"}}
    unknown = {name for name, value in flatten(record).items() if value is None}
    assert unknown - of_accelerators == {
        "reason", "revision", "frames", "inputs", "components", "adapters", "vae", "vae_weights", "vae_weights_from",
        "vae_revision", "scheduler_config", "load",
        "offload", "compiled", "compile_s", "compile_cache", "device_busy_s", "clip_score", "clip_model", "undiagnosed",
        "breakdown_other_s",
        "steady",  # of a tiny model
    }  # fmt: skip


def test_the_pictures_of_the_first_call_are_saved(measured):
    assert (measured[1] / "images" / "test" / "case-0.png").is_file()


def test_a_case_that_takes_too_long_becomes_a_record_and_the_next_one_is_measured(measure):
    records = measure(replace(LONG, timeout_s=1.0), CASE)
    assert statuses(records) == [Status.TIMEOUT, Status.OK]


def test_of_the_processes_of_a_case_one_is_diagnosed(measure):
    records = measure(CASE, CASE, settings=replace(TINY, diagnose=True))
    assert [record.breakdown.whole_s is not None for record in records] == [True, False]


def test_a_worker_that_took_too_long_is_gone(measure):
    listener = ActOnce()
    measure(replace(LONG, timeout_s=1.0), listener=listener)
    assert not psutil.pid_exists(listener.pid)


def test_a_killed_worker_becomes_a_record_that_names_the_signal(measure):
    records = measure(LONG, CASE, listener=ActOnce("phase", kill))
    assert statuses(records) == [Status.CRASHED, Status.OK]
    assert "SIGKILL" in records[0].reason


def test_a_case_that_could_not_be_measured_is_not_tried_again(measure):
    assert statuses(measure(LONG, LONG, CASE, listener=ActOnce("phase", kill))) == [Status.CRASHED, Status.OK]


def test_what_was_measured_before_a_crash_is_in_the_record(measure):
    (record,) = measure(CASE, listener=ActOnce("sample", kill))
    assert record.timings.first_call_s > 0
    assert record.samples[0].latency_s > 0


def test_a_fork_server_that_dies_is_replaced(tmp_path):
    first = WorkerClient()
    runner = Runner(tmp_path, TINY, first, WorkerClient)
    try:
        records = list(runner.run([Job(LONG, 0), Job(CASE, 0)], ActOnce("phase", lambda _pid: first._process.kill())))
    finally:
        runner.close()
    assert statuses(records) == [Status.CRASHED, Status.OK]


def test_a_worker_dies_with_its_fork_server(tmp_path):
    client = WorkerClient()
    workers = []

    def kill_server(pid):
        workers.append(psutil.Process(pid))
        client._process.kill()

    runner = Runner(tmp_path, TINY, client, WorkerClient)
    list(runner.run([Job(LONG, 0)], ActOnce("phase", kill_server)))
    runner.close()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert alive == []


def test_an_exception_becomes_a_failed_record_with_its_message(measure, tmp_path):
    nowhere = replace(CASE, model=str(tmp_path / "nowhere" / "else"), scheduler="DDIMScheduler")
    (record,) = measure(nowhere, settings=RunSettings("cpu", "full", weights="hub"))
    assert record.status == Status.FAILED
    assert record.reason.startswith("HFValidationError: ")


def test_a_message_that_is_not_unicode_is_still_the_reason(measure):
    """As of an OSError about a file whose name is not."""
    named = os.fsdecode(b"weights-\xff/model")
    (record,) = measure(replace(CASE, model=named), settings=RunSettings("cpu", "full", weights="hub"))
    assert "weights-?/model" in record.reason


def test_the_log_of_a_failed_case_has_the_traceback(measure, tmp_path):
    measure(replace(CASE, scheduler="NoSuchScheduler"))
    assert "Traceback" in (tmp_path / "logs" / "test" / "case-0.log").read_text()


def test_an_unsupported_setting_becomes_a_skipped_record(measure):
    (record,) = measure(replace(CASE, optimizations=("tf32",)))
    assert record.status == Status.SKIPPED
    assert "TF32 needs cuda" in record.reason


def test_an_impossible_allocation_is_out_of_memory_and_not_a_failure(measure):
    """No machine has the memory for 2**26 pixels a side, and the allocator says so at once."""
    huge = replace(CASE, call={"prompt": "a cat", "height": 2**26, "width": 2**26, "num_inference_steps": 5})
    assert statuses(measure(huge)) == [Status.OOM]


def test_a_fixed_number_of_samples_is_taken(measure):
    (record,) = measure(replace(CASE, samples=2))
    assert len(record.samples) == 2


def test_the_run_overrides_the_number_of_samples_of_a_case(measure):
    (record,) = measure(replace(CASE, samples=2), settings=replace(TINY, samples=3))
    assert len(record.samples) == 3


def test_an_interrupt_becomes_a_record_and_ends_the_run(tmp_path):
    def interrupt(_pid):
        raise KeyboardInterrupt

    with WorkerClient() as client:
        running = Runner(tmp_path, TINY, client, WorkerClient).run(
            [Job(LONG, 0), Job(CASE, 0)], ActOnce("phase", interrupt)
        )
        records = [next(running)]
        with pytest.raises(InterruptedRunError):
            next(running)
    assert statuses(records) == [Status.INTERRUPTED]


@pytest.fixture
def leftovers(tmp_path, monkeypatch):
    """Make a temporary folder that looks as if a worker had left weights in it, and list what is still there."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    name = f"{scratch.TEMPORARY}{{}}-0"

    def leave(pid):
        (scratch.user_folder() / name.format(pid)).mkdir()

    return leave, lambda: list(scratch.user_folder().glob(name.format("*")))


def test_what_a_killed_worker_left_in_the_temporary_folder_is_removed(measure, leftovers):
    leave, left = leftovers
    measure(CASE, listener=ActOnce("started", lambda pid: (leave(pid), os.kill(pid, signal.SIGKILL))))
    assert left() == []


def test_what_a_worker_of_an_interrupted_run_left_in_the_temporary_folder_is_removed(tmp_path, leftovers):
    leave, left = leftovers

    def interrupt(pid):
        leave(pid)
        raise InterruptedRunError

    with WorkerClient() as client, pytest.raises(InterruptedRunError):
        list(Runner(tmp_path, TINY, client, WorkerClient).run([Job(CASE, 0)], ActOnce("started", interrupt)))
    assert left() == []


def test_a_client_that_was_closed_before_the_first_case_is_replaced(tmp_path):
    with WorkerClient() as client:
        client.close()
        runner = Runner(tmp_path, TINY, client, WorkerClient)
        records = list(runner.run([Job(CASE, 0)], ActOnce()))
        runner.close()
    assert statuses(records) == [Status.OK]


@pytest.mark.gpu
def test_a_forked_worker_measures_on_the_accelerator(tmp_path):
    with WorkerClient() as client:
        assert client.ask({"op": "probe", "device": "cuda"})["device"] == "cuda"
        runner = Runner(tmp_path, RunSettings("cuda", "tiny"), client, WorkerClient)
        record = next(iter(runner.run([Job(replace(CASE, dtype="float16"), 0)], ActOnce())))
    assert record.status is Status.OK
    assert record.effective.devices == "cuda"
    assert record.memory.generation.allocated_bytes > 0


@pytest.mark.parametrize(
    ("device", "wanted", "path"),
    [("cuda", True, "traces/test/case.pickle"), ("cuda", False, None), ("cpu", True, None), ("mps", True, None)],
)
def test_a_memory_trace_is_requested_where_the_device_has_one(tmp_path, device, wanted, path):
    settings = RunSettings(device, "tiny", memory_trace=wanted)
    request = Runner(tmp_path, settings, None, None)._request(Job(CASE, 0), tmp_path / "log")
    assert request["memory_trace"] == (path and str(tmp_path / path))
