"""A run in memory and on disk, with a worker client whose cases end as a test says and take no time."""

import signal
from contextlib import suppress

import pytest

from bench.analyze.run import open_run
from bench.execute.client import ServerError, WorkerClient
from bench.execute.events import InvalidEventError
from bench.execute.runner import InterruptedRunError
from bench.plan.case import Case, Plan, ScenarioInfo
from bench.plan.order import Job
from bench.plan.settings import RunSettings
from bench.records.outcomes import Status
from bench.records.store import ENVIRONMENT, PLAN, PROCESSES
from bench.session.live import LiveRun, Machine, terminable
from bench.session.progress import Notices

FACTS = {"started_by": "fork", "device": "cpu", "device_name": "a CPU", "torch": "2.13", "diffusers": "0.42"}
QUIET = Notices(quiet=True)


class Client(WorkerClient):
    """A client without a server: each case has three samples, unless `events` are given for it."""

    running = True

    def __init__(self, **events):
        self.events = events

    def ask(self, message):
        raise ServerError(f"'{message['op']}' failed: there is no server")

    def request(self, message, timeout_s=None):
        yield {"event": "started", "pid": 1}
        if message["case"]["name"] in self.events:
            yield from self.events[message["case"]["name"]]
            return
        yield {"event": "facts", "facts": {"images": 1, "size": "tiny"}}
        yield from ({"event": "sample", "latency_s": 1.0 + n / 100, "device_time_s": None} for n in range(3))
        yield {"event": "outcome", "status": "ok", "reason": ""}
        yield {"event": "exit", "code": 0}

    def end_worker(self, _pid):
        return True

    def close(self):
        pass


def cases(*names):
    return tuple(Case("s", name, "stable-diffusion-v1-5", baseline="s/a") for name in names)


def live_run(folder, *names, client=None, **options):
    plan = Plan((ScenarioInfo("s", "title"),), cases(*names))
    return LiveRun(folder, plan, RunSettings("cpu", "tiny"), Machine(client or Client(), FACTS), **options)


def measure(live):
    """Measure what is not on file; return whether that was interrupted."""
    return live.measure_all(jobs_of(live), None, QUIET)


def jobs_of(live):
    done = {record.case for record in live.records}
    return [Job(case, 0) for case in live.plan.cases if case.name not in done]


def fails(*_):
    yield {"event": "outcome", "status": "failed", "reason": "no luck"}
    yield {"event": "exit", "code": 0}


def stops(*events):
    """Report events, then be interrupted."""
    yield from events
    raise KeyboardInterrupt


def stops_while_diagnosing():
    """Report samples and an outcome, then be interrupted."""
    return stops(*list(Client().request({"case": {"name": ""}}))[1:-1])


def test_a_run_in_memory_is_the_run_on_disk(tmp_path):
    with live_run(tmp_path, "a", "b") as live:
        measure(live)
        assert live.run() == open_run(tmp_path)


def test_an_interrupted_run_says_so(tmp_path):
    with live_run(tmp_path, "a", "b", client=Client(b=stops())) as live:
        assert measure(live) is True


def test_a_run_that_is_stopped_while_it_diagnoses_was_interrupted(tmp_path):
    with live_run(tmp_path, "a", "b", client=Client(a=stops_while_diagnosing())) as live:
        assert measure(live) is True
    assert [(record.case, record.status) for record in open_run(tmp_path).processes] == [("a", Status.OK)]


def test_a_library_that_catches_exceptions_does_not_swallow_sigterm():
    with pytest.raises(InterruptedRunError), terminable(), suppress(Exception):
        signal.raise_signal(signal.SIGTERM)


def test_a_library_that_catches_everything_delays_sigterm_until_the_next_process(tmp_path):
    with live_run(tmp_path, "a", "b") as live, terminable(), QUIET.watch(2) as progress:
        with suppress(BaseException):
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(InterruptedRunError):
            next(live.measure(jobs_of(live), progress))
    assert live.records == []


def test_the_process_in_flight_has_a_record_when_a_run_is_interrupted(tmp_path):
    with live_run(tmp_path, "a", "b", client=Client(a=stops())) as live:
        measure(live)
    assert [(record.case, record.status) for record in open_run(tmp_path).processes] == [("a", Status.INTERRUPTED)]


def test_a_process_that_reports_what_is_not_an_event_has_crashed_and_the_next_one_is_measured(tmp_path):
    def gossips():
        yield {"event": "facts", "facts": {"images": 1, "size": "tiny"}}
        raise InvalidEventError("sample.latency_s: Field required")

    with live_run(tmp_path, "a", "b", client=Client(a=gossips())) as live:
        measure(live)
        failed, measured = live.records
    assert failed.status is Status.CRASHED
    assert measured.status is Status.OK
    assert failed.reason == "reported what is not an event: sample.latency_s: Field required"


def test_a_complete_run_was_not_interrupted(tmp_path):
    with live_run(tmp_path, "a") as live:
        assert measure(live) is False


def test_a_resumed_run_has_the_records_on_file_in_memory(tmp_path):
    with live_run(tmp_path, "a", "b", client=Client(b=stops())) as live:
        measure(live)
    with live_run(tmp_path, "a", "b", resume=True) as live:
        measure(live)
        assert live.run() == open_run(tmp_path)


def test_a_run_in_which_no_process_has_finished_can_be_resumed(tmp_path):
    live_run(tmp_path, "a").__exit__()
    with live_run(tmp_path, "a", resume=True) as live:
        measure(live)
    assert [record.status for record in open_run(tmp_path).processes] == [Status.OK]


def test_a_failed_process_is_measured_again_if_asked_for(tmp_path):
    with live_run(tmp_path, "a", client=Client(a=fails())) as live:
        measure(live)
    with live_run(tmp_path, "a", resume=True, again={Status.FAILED}) as live:
        measure(live)
    assert [record.status for record in open_run(tmp_path).processes] == [Status.OK]


def test_a_failed_process_is_kept_otherwise(tmp_path):
    with live_run(tmp_path, "a", client=Client(a=fails())) as live:
        measure(live)
    with live_run(tmp_path, "a", resume=True) as live:
        assert [record.status for record in live.records] == [Status.FAILED]


def test_a_run_does_not_read_back_what_it_wrote(tmp_path):
    with live_run(tmp_path, "a", "b") as live:
        live.measure_all(jobs_of(live), None, QUIET, lambda _: (tmp_path / PROCESSES).unlink())
        assert [record.case for record in live.run().processes] == ["a", "b"]


def test_no_derived_file_is_written_while_a_run_goes_on(tmp_path):
    seen = set()
    with live_run(tmp_path, "a", "b") as live:
        live.measure_all(jobs_of(live), None, QUIET, lambda _: seen.update(path.name for path in tmp_path.iterdir()))
    assert seen == {".lock", "logs", PLAN, ENVIRONMENT, PROCESSES}


def test_facts_that_become_known_later_are_on_file(tmp_path):
    with live_run(tmp_path / "run", "a") as live:
        live.describe(rates={"copy_bytes_per_s": 1.0})
    assert open_run(tmp_path / "run").environment["rates"] == {"copy_bytes_per_s": 1.0}


def test_a_resumed_run_knows_the_facts_on_file(tmp_path):
    with live_run(tmp_path / "run", "a") as live:
        live.describe(rates={"copy_bytes_per_s": 1.0})
    with live_run(tmp_path / "run", "a", resume=True) as live:
        assert live.environment["rates"] == {"copy_bytes_per_s": 1.0}
