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
NOT_IN_EVERY_ENVIRONMENT = ("pydantic", "pandas", "scipy", "matplotlib", "jinja2", "ruamel", "typer", "rich", "pynvml")
"""Dependencies of this package that diffusers and its companions do not bring along."""


def events(request, **variables):
    """Return the events of a request that an interpreter of its own handles."""
    worker = subprocess.run(
        [sys.executable, "-m", "bench.execute.worker.serve"],
        cwd=ROOT, env={**os.environ, **variables}, input=json.dumps({**request, "started_by": "spawn"}) + "\n",
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in worker.stdout.splitlines()]


def kinds(found):
    return [event["event"] for event in found if event["event"] in {"sample", "outcome"}]


def test_a_new_interpreter_measures_a_case_without_this_package_s_dependencies(write, tmp_path):
    """`gate` measures in other environments, which have diffusers but need not have what this package depends on."""
    write(f"import sys\nsys.modules.update(dict.fromkeys({NOT_IN_EVERY_ENVIRONMENT}))\n", "sitecustomize.py")
    request = {"op": "case", "case": CASE.to_json(), "run": SETTINGS.to_json(), "images": None}
    found = events(request, PYTHONPATH=str(tmp_path))
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
