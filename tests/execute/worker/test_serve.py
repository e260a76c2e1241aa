"""Where forking is unsafe, each request gets a new interpreter that speaks the same protocol."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from execute.make import CASE, TINY
from support import ROOT

pytestmark = pytest.mark.slow

SETTINGS = replace(TINY, samples=2)


def events(request):
    """Return the events of a request that an interpreter of its own handles."""
    worker = subprocess.run(
        [sys.executable, "-m", "bench.execute.worker.serve"],
        cwd=ROOT, input=json.dumps({**request, "started_by": "spawn"}) + "\n",
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in worker.stdout.splitlines()]


def kinds(found):
    return [event["event"] for event in found if event["event"] in {"sample", "outcome"}]


def test_a_new_interpreter_measures_a_case():
    found = events({"op": "case", "case": CASE.to_json(), "run": SETTINGS.to_json(), "images": None})
    assert kinds(found) == ["sample", "sample", "outcome"]
    assert {"event": "facts", "facts": {"started_by": "spawn"}} in found


def test_a_new_interpreter_measures_on_demand(tmp_path):
    """The bytes that request both calls wait in the FIFO before the worker is there."""
    os.mkfifo(tmp_path / "requests")
    requests = os.open(tmp_path / "requests", os.O_RDWR)
    os.write(requests, b"\n\n")
    found = events({
        "op": "on-demand", "case": CASE.to_json(), "run": SETTINGS.to_json(),
        "fifo": str(tmp_path / "requests"), "warm_up": True,
    })  # fmt: skip
    os.close(requests)
    assert kinds(found) == ["sample", "sample", "outcome"]


def test_what_fails_is_an_event_with_a_reason_of_one_line():
    (event,) = events({"op": "compatible", "models": ["nobody/nothing"]})
    assert event["status"] == "failed"
    assert event["reason"].count("\n") == 0
