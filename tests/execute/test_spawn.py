"""Where forking is unsafe, every request gets a new interpreter that speaks the same protocol."""

import json
import subprocess
import sys

from bench.plan.case import Case
from bench.plan.settings import RunSettings

CASE = Case("test", "case", "stable-diffusion-v1-5", samples=1, call={"prompt": "a cat", "num_inference_steps": 5})


def test_a_worker_of_its_own_interpreter_measures_a_case():
    request = {
        "op": "case",
        "case": CASE.to_json(),
        "run": RunSettings("cpu", "tiny").to_json(),
        "images": None,
        "started_by": "spawn",
    }
    worker = subprocess.run(
        [sys.executable, "-m", "bench.execute.worker.serve"],
        input=json.dumps(request) + "\n", capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    events = [json.loads(line) for line in worker.stdout.splitlines()]
    assert [event["status"] for event in events if event["event"] == "outcome"] == ["ok"]
