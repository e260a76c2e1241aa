"""What a process reported becomes its record, however it ended."""

import pytest

from bench.execute.attempt import Attempt
from bench.plan.case import Case
from bench.plan.order import Job
from bench.records.models import Sample
from bench.records.outcomes import Status


def attempt(*events):
    """Return the attempt of a process that reported these events."""
    made = Attempt(Job(Case("sd", "fp16", "stable-diffusion-v1-5"), 2))
    for event in events:
        made.take(event)
    return made


def phase(name):
    return {"event": "phase", "phase": name}


def facts(**columns):
    return {"event": "facts", "facts": columns}


def sample(latency_s, device_time_s=None):
    return {"event": "sample", "index": 0, "latency_s": latency_s, "device_time_s": device_time_s}


def outcome(status, reason=""):
    return {"event": "outcome", "status": Status(status), "reason": reason}


def exited(code):
    return {"event": "exit", "code": code}


def test_a_record_has_the_key_of_its_job():
    record = attempt(outcome("ok"), exited(0)).record()
    assert record.key == "sd/fp16"
    assert record.process == 2


def test_facts_become_columns_and_the_last_word_counts():
    record = attempt(facts(dtype="float32", steps=1), facts(dtype="float16"), outcome("ok")).record()
    assert record.settings.dtype == "float16"
    assert record.settings.steps == 1


def test_a_process_that_ended_well_has_no_reason():
    record = attempt(outcome("ok"), exited(0)).record()
    assert record.status is Status.OK
    assert record.reason is None


def test_a_process_has_the_reason_that_it_reported():
    record = attempt(outcome("skipped", "torchsde is not installed"), exited(0)).record()
    assert record.status is Status.SKIPPED
    assert record.reason == "torchsde is not installed"


def test_discarded_samples_are_not_in_the_record():
    record = attempt(sample(1.0), sample(0.5, 0.25), {"event": "discard", "count": 1}, outcome("ok")).record()
    assert record.samples == (Sample(0.5, 0.25),)


def test_a_record_says_when_the_process_began_and_how_long_it_took():
    timings = attempt(outcome("ok")).record().timings
    assert timings.started_at.endswith("+00:00")
    assert 0 <= timings.wall_s < 60


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1, "the worker ended with exit code 1 while building; see its log"),
        (-11, "the worker was killed by SIGSEGV while building; see its log"),
        (-9, "the worker was killed by SIGKILL (as the system does when memory runs out) while building; see its log"),
    ],
)
def test_a_process_that_died_says_how_and_during_what(code, reason):
    record = attempt(phase("building"), exited(code)).record()
    assert record.status is Status.CRASHED
    assert record.reason == reason


def test_a_process_that_exits_without_an_outcome_crashed():
    assert attempt(exited(0)).record().status == Status.CRASHED


def test_a_crash_keeps_what_was_measured_before():
    record = attempt(facts(first_call_s=2.0), sample(0.5), exited(-9)).record()
    assert record.timings.first_call_s == 2.0
    assert record.samples == (Sample(0.5, None),)


def test_a_crash_after_the_outcome_costs_the_diagnosis_only():
    record = attempt(outcome("ok"), phase("diagnosing"), exited(-11)).record()
    assert record.status == Status.OK
    assert record.undiagnosed == "crashed: the worker was killed by SIGSEGV while diagnosing; see its log"


def test_a_process_that_was_not_done_in_time_says_during_what():
    late = attempt(phase("first call"))
    late.time_out(1800)
    assert late.record().reason == "not finished within 1800 s, while first call"


def test_what_no_column_can_hold_fails_the_process():
    record = attempt(facts(power_w=float("nan")), sample(0.5), outcome("ok"), exited(0)).record()
    assert record.status == Status.CRASHED
    assert record.reason.startswith("reported: power_w is 'nan'")


def test_a_call_that_took_no_time_fails_the_process():
    record = attempt(sample(0.0), outcome("ok"), exited(0)).record()
    assert record.reason.startswith("reported: samples.latency_s is '0.0'")


def test_a_fact_that_is_not_a_column_fails_the_process():
    record = attempt(facts(latncy=1), outcome("ok"), exited(0)).record()
    assert record.reason == "reported: latncy is not a column of ProcessRecord"
