"""`gate` with two interpreters: real processes, and a head that is slower or broken, or a gate that is stopped."""

import signal
import subprocess
import sys
import time

import psutil
import pytest
from support import assert_ended, assert_refused, bench, environment

from bench.analyze.run import open_run

pytestmark = pytest.mark.slow

ONE = """\
title: one short case
model: stable-diffusion-v1-5
call: {prompt: a cat, num_inference_steps: 2}
samples: 2
cases: {only: {}}
"""
SLOW = """\
import functools, importlib.abc, importlib.util, sys, time

class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            call = module.StableDiffusionPipeline.__call__

            @functools.wraps(call)
            def slow(*arguments, **options):
                start = time.perf_counter()
                output = call(*arguments, **options)
                time.sleep(2 * (time.perf_counter() - start))
                return output

            module.StableDiffusionPipeline.__call__ = slow

        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Slow())
"""
BROKEN = 'import sys\nsys.modules["diffusers"] = None\n'


@pytest.fixture
def head(write, tmp_path):
    """Make an interpreter whose libraries behave differently, as those of another environment do."""

    def make(code):
        write(ONE, "one.yaml")
        write(code, "site/sitecustomize.py")
        python = write(f'#!/bin/sh\nPYTHONPATH="{tmp_path}/site:$PYTHONPATH" exec "{sys.executable}" "$@"\n', "python")
        python.chmod(0o755)
        return python

    return make


def arguments(head):
    return ["gate", "one.yaml", "--base-python", sys.executable, "--head-python", str(head), "--device", "cpu",
            "--samples", "2", "--output", "run"]  # fmt: skip


def test_a_head_that_is_three_times_as_slow_has_regressed(head, tmp_path):
    gated = bench(*arguments(head(SLOW)), cwd=tmp_path)
    assert_ended(gated, 1)
    assert "gate: regressed (1 regressed)" in gated.stdout
    base, new = (open_run(tmp_path / "run" / side) for side in ("base", "head"))
    assert [record.process for record in base.processes] == [record.process for record in new.processes] != []


def test_a_base_that_fails_is_not_comparable(head, tmp_path):
    failing = SLOW.replace("start = time.perf_counter()", 'raise RuntimeError("no luck")')
    command = arguments(sys.executable)
    command[command.index("--base-python") + 1] = str(head(failing))
    assert_ended(bench(*command, cwd=tmp_path), 4)
    (record,) = open_run(tmp_path / "run" / "base").processes
    assert "no luck" in record.reason


def test_a_head_that_cannot_import_diffusers_is_refused_with_the_reason(head, tmp_path):
    assert_refused(bench(*arguments(head(BROKEN)), cwd=tmp_path), "--head-python: ", "ModuleNotFoundError")


@pytest.mark.parametrize("text", ["not a program", None])
def test_a_head_that_cannot_be_executed_is_refused(write, tmp_path, text):
    write(ONE, "one.yaml")
    python = tmp_path / "python"
    if text is not None:
        write(text, "python").chmod(0o755)
    assert_refused(bench(*arguments(python), cwd=tmp_path), f"--head-python {python}: ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", ["run/base/logs", None], ids=["measuring", "starting"])
def test_a_stopped_gate_leaves_no_process_behind(head, tmp_path, number, moment):
    command = [sys.executable, "-m", "bench", *arguments(head(""))]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(), start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - background jobs ignore it
    ) as gate:  # fmt: skip
        family = []
        while gate.poll() is None and not (len(family) > 1 if moment is None else (tmp_path / moment).exists()):
            family = psutil.Process(gate.pid).children(recursive=True)
            time.sleep(0.02)
        family = psutil.Process(gate.pid).children(recursive=True)
        gate.send_signal(number)
        output, _ = gate.communicate(timeout=60)
    _, alive = psutil.wait_procs(family, timeout=10)
    # CPython ends itself by SIGINT if that comes during an `exec`, as of a dataclass; a shell calls both 130
    assert gate.returncode in {130, -signal.SIGINT}, output
    assert alive == []
