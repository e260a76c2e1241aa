"""Real runs, really killed: no finished process is lost or there twice, and no worker is left behind."""

import csv
import random
import resource
import signal
import subprocess
import sys
import time

import psutil
import pytest
from support import bench

from bench.records.store import read_processes

pytestmark = pytest.mark.slow

SIX = """\
title: six short cases
model: stable-diffusion-v1-5
call: {prompt: a cat, num_inference_steps: 5}
samples: 2
matrix: {seed: [0, 1, 2, 3, 4, 5]}
"""
SKIPPED = f"""\
title: sixteen cases that are skipped at once, each with a long reason
model: somebody/{"x" * 80}
call: {{prompt: a cat}}
matrix: {{seed: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]}}
"""
ARGUMENTS = ("scenario.yaml", "--device", "cpu", "--output", "run")


def cases_on_file(folder):
    return [record.case for record in read_processes(folder / "run" / "processes.jsonl")]


def start(folder, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "bench", "run", *arguments], cwd=folder, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options,
    )  # fmt: skip


def wait_for(path, process):
    while process.poll() is None and not path.exists():
        time.sleep(0.02)


def assert_gone(family):
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []


def test_killed_at_random_moments_and_resumed_every_case_is_there_once(write, tmp_path):
    write(SIX)
    moments = random.Random(1)  # noqa: S311 - moments, not secrets
    family = []
    for attempt in range(3):
        with start(tmp_path, *ARGUMENTS, *(["--resume"] if attempt else [])) as process:
            wait_for(tmp_path / "run" / "logs", process)
            time.sleep(moments.uniform(0, 3))
            family += psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            process.kill()
    assert_gone(family)
    bench("run", *ARGUMENTS, "--resume", cwd=tmp_path)
    names = [f"{seed}" for seed in range(6)]
    with (tmp_path / "run" / "samples.csv").open(newline="") as file:
        samples = [row["case"] for row in csv.DictReader(file)]
    assert cases_on_file(tmp_path) == names
    assert samples == [name for name in names for _ in range(2)]


def test_a_full_disk_stops_the_run_with_a_reason_and_resume_completes_it(write, tmp_path):
    """A limit on the size of a file stands for the disk: every write beyond it is an OSError."""
    write(SKIPPED)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_500, 10_500))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    random_weights = ("--weights", "random")
    with start(tmp_path, *ARGUMENTS, *random_weights, preexec_fn=limit) as full:
        output, _ = full.communicate(timeout=120)
    before = cases_on_file(tmp_path)
    resumed = bench("run", *ARGUMENTS, *random_weights, "--resume", cwd=tmp_path)
    assert full.returncode == 1
    assert "cannot write the results" in output
    assert 0 < len(before) < 16
    assert resumed.returncode == 0, resumed.stderr
    assert cases_on_file(tmp_path) == [str(seed) for seed in range(16)]


def test_sigterm_ends_a_run_like_ctrl_c(write, tmp_path):
    write(SIX)
    with start(tmp_path, *ARGUMENTS) as process:
        wait_for(tmp_path / "run" / "logs", process)
        family = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        output, _ = process.communicate(timeout=60)
    assert_gone(family)
    assert process.returncode == 130
    assert "Stopped." in output


def test_two_runs_into_one_folder_are_one_run_and_one_refusal(write, tmp_path):
    write(SIX.replace("samples: 2", "samples: 500"))  # still running when the second one comes
    with start(tmp_path, *ARGUMENTS) as first:
        wait_for(tmp_path / "run" / "logs", first)
        second = bench("run", *ARGUMENTS, "--resume", cwd=tmp_path)
        first.kill()
    assert second.returncode == 2
    assert "another run is writing here" in second.stderr


def test_a_folder_that_cannot_be_made_is_refused(write, tmp_path):
    write(SIX)
    write("", "run")  # a file is in the folder's place
    refused = bench("run", *ARGUMENTS, cwd=tmp_path)
    assert refused.returncode == 2
    assert "cannot be written" in refused.stderr


@pytest.mark.parametrize("option", ["--samples", "--threads", "--processes"])
def test_a_number_of_nothing_is_a_usage_error(write, tmp_path, option):
    write(SIX)
    assert bench("run", *ARGUMENTS, option, "0", cwd=tmp_path).returncode == 2
