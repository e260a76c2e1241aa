import os
from time import monotonic

import pytest

from bench.execute.events import DeadlineError, Events, InvalidEventError, ServerGoneError
from bench.execute.worker.protocol import Reporter, encode
from bench.measure.clock import Timing
from bench.records.outcomes import Status


@pytest.fixture
def pipe():
    read, write = os.pipe()
    yield Events(read), write
    os.close(read)


REPORTS = {
    "phase": (lambda report: report.phase("building"), {"phase": "building"}),
    "facts": (lambda report: report.facts(steps=3, seed=(0,)), {"facts": {"steps": 3, "seed": [0]}}),
    "sample": (
        lambda report: report.sample(4, Timing(0.1 + 0.2, None)),
        {"index": 4, "latency_s": 0.1 + 0.2, "device_time_s": None},
    ),
    "discard": (lambda report: report.discard(5), {"count": 5}),
    "answer": (lambda report: report.answer(["a", 1]), {"answer": ["a", 1]}),
    "outcome": (lambda report: report.outcome(Status.OOM, "größer"), {"status": Status.OOM, "reason": "größer"}),
}


@pytest.mark.parametrize("kind", REPORTS)
def test_what_is_reported_is_read_back(pipe, kind):
    events, write = pipe
    report, fields = REPORTS[kind]
    report(Reporter(write))
    assert events.next() == {"event": kind, **fields}


def test_two_events_in_one_piece_are_two_events(pipe):
    events, write = pipe
    os.write(write, encode({"event": "ready"}) + encode({"event": "exit", "code": -9}))
    assert [events.next(), events.next()] == [{"event": "ready"}, {"event": "exit", "code": -9}]


def test_an_event_in_two_pieces_is_one_event(pipe):
    events, write = pipe
    line = encode({"event": "ready"})
    os.write(write, line[:5])
    with pytest.raises(DeadlineError):
        events.next(monotonic())
    os.write(write, line[5:])
    assert events.next() == {"event": "ready"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"42", "the event: "),
        (b'{"event": "gossip"}', "gossip"),
        (b'{"event": "phase"}', "phase.phase: Field required"),
        (b'{"event": "sample", "index": 0, "latency_s": null, "device_time_s": null}', "sample.latency_s: "),
    ],
)  # fmt: skip
def test_json_that_is_not_an_event_is_an_error_that_says_why(pipe, line, reason):
    events, write = pipe
    os.write(write, line + b"\n" + encode({"event": "exit", "code": 0}))
    with pytest.raises(InvalidEventError, match=reason):
        events.next()
    assert events.next() == {"event": "exit", "code": 0}


@pytest.mark.parametrize("line", [b'{"event": "sam', b"", b"\xff"])
def test_a_line_that_is_not_json_is_skipped(pipe, line):
    events, write = pipe
    os.write(write, line + b"\n" + encode({"event": "exit", "code": 0}))
    assert events.next() == {"event": "exit", "code": 0}


def test_a_reason_that_is_not_unicode_arrives(pipe):
    events, write = pipe
    Reporter(write).outcome(Status.FAILED, os.fsdecode(b"weights-\xff: no such file"))
    assert events.next()["reason"] == "weights-?: no such file"


def test_silence_past_the_deadline_is_an_error(pipe):
    events, _ = pipe
    with pytest.raises(DeadlineError):
        events.next(monotonic())


def test_a_closed_pipe_is_an_error(pipe):
    events, write = pipe
    os.close(write)
    with pytest.raises(ServerGoneError):
        events.next()
