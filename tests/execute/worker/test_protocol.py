import os
from time import monotonic

import pytest

from bench.execute.worker.protocol import DeadlineError, Events, ServerGoneError, encode


@pytest.fixture
def pipe():
    read, write = os.pipe()
    yield Events(read), write
    os.close(read)


def test_what_is_encoded_is_read_back(pipe):
    events, write = pipe
    os.write(write, encode({"event": "sample", "latency_s": 0.1}))
    assert events.next() == {"event": "sample", "latency_s": 0.1}


def test_two_events_in_one_piece_are_two_events(pipe):
    events, write = pipe
    os.write(write, encode({"event": "a"}) + encode({"event": "b"}))
    assert [events.next()["event"], events.next()["event"]] == ["a", "b"]


def test_a_line_torn_by_a_dying_worker_is_passed_over(pipe):
    events, write = pipe
    os.write(write, b'{"event": "sam' + b"\n" + encode({"event": "exit"}))
    assert events.next() == {"event": "exit"}


def test_silence_past_the_deadline_is_an_error(pipe):
    events, _ = pipe
    with pytest.raises(DeadlineError):
        events.next(monotonic())


def test_a_closed_stream_is_an_error(pipe):
    events, write = pipe
    os.close(write)
    with pytest.raises(ServerGoneError):
        events.next()
