"""`gate` with two interpreters: real processes, and a head that is slower, broken or stopped."""

import signal
import subprocess
import sys
import time

import psutil
import pytest
from support import bench

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
    """Make an interpreter whose libraries behave otherwise, as another environment's do."""

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


def test_a_head_that_is_three_times_as_slow_is_regressed(head, tmp_path):
    gated = bench(*arguments(head(SLOW)), cwd=tmp_path)
    assert gated.returncode == 1, gated.stderr
    assert "gate: regressed (1 regressed)" in gated.stdout


def test_a_base_that_fails_is_no_pass(head, tmp_path):
    failing = SLOW.replace("start = time.perf_counter()", 'raise RuntimeError("no luck")')
    command = arguments(sys.executable)
    command[command.index("--base-python") + 1] = str(head(failing))
    gated = bench(*command, cwd=tmp_path)
    assert gated.returncode == 4, gated.stdout + gated.stderr
    assert "no luck" in (tmp_path / "run/base/processes.csv").read_text(encoding="utf-8")


def test_a_head_that_cannot_import_diffusers_is_refused_with_the_reason(head, tmp_path):
    refused = bench(*arguments(head(BROKEN)), cwd=tmp_path)
    assert (refused.returncode, "Traceback" in refused.stderr) == (2, False)
    assert refused.stderr.startswith("--head-python: the fork server ended: ModuleNotFoundError")


@pytest.mark.parametrize("text", ["no program at all", None])
def test_a_head_that_is_no_program_is_refused(write, tmp_path, text):
    write(ONE, "one.yaml")
    python = tmp_path / "python"
    if text is not None:
        write(text, "python").chmod(0o755)
    refused = bench(*arguments(python), cwd=tmp_path)
    assert (refused.returncode, "Traceback" in refused.stderr) == (2, False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", ["run/base/logs", None], ids=["measuring", "starting"])
def test_a_stopped_duel_leaves_nobody_behind(head, tmp_path, number, moment):
    command = [sys.executable, "-m", "bench", *arguments(head(""))]
    with subprocess.Popen(
        command, cwd=tmp_path, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
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
    # CPython ends itself by SIGINT where that fell into an `exec`, as of a dataclass being made; a shell calls both 130
    assert (gate.returncode in {130, -signal.SIGINT}, alive) == (True, []), output
