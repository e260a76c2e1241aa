"""Real processes, really killed: no finished row is lost or doubled, and nobody is left behind."""

import csv
import os
import random
import resource
import signal
import subprocess
import sys
import time

import psutil
import pytest
from support import bench

SIX = """\
title: six short cases
model: stable-diffusion-v1-5
call: {prompt: a cat, num_inference_steps: 5}
samples: 2
matrix: {seed: [0, 1, 2, 3, 4, 5]}
"""
SKIPPED = f"""\
title: sixteen rows in a moment, with a long reason each
model: somebody/{"x" * 80}
call: {{prompt: a cat}}
matrix: {{seed: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]}}
"""
ARGUMENTS = ("scenario.yaml", "--device", "cpu", "--output", "run")


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def start(folder, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "bench", "run", *arguments], cwd=folder, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options,
    )  # fmt: skip


def wait_for(path, process):
    while process.poll() is None and not path.exists():
        time.sleep(0.02)


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
    _, alive = psutil.wait_procs(family, timeout=10)
    bench("run", *ARGUMENTS, "--resume", cwd=tmp_path)
    names = [f"{seed}" for seed in range(6)]
    samples = [row["case"] for row in rows(tmp_path / "run" / "samples.csv")]
    assert alive == []
    assert [row["case"] for row in rows(tmp_path / "run" / "processes.csv")] == names
    assert samples == [name for name in names for _ in range(2)]


def test_a_full_disk_stops_the_run_with_a_reason_and_resume_completes_it(write, tmp_path):
    """A limit on the size of a file stands for the disk: every write past it fails with an OSError."""
    write(SKIPPED)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    random_weights = ("--weights", "random")
    with start(tmp_path, *ARGUMENTS, *random_weights, preexec_fn=limit) as full:
        output, _ = full.communicate(timeout=120)
    assert full.returncode == 1
    assert "cannot write the results" in output
    before = rows(tmp_path / "run" / "processes.csv")
    resumed = bench("run", *ARGUMENTS, *random_weights, "--resume", cwd=tmp_path)
    after = rows(tmp_path / "run" / "processes.csv")
    assert resumed.returncode == 0, resumed.stderr
    assert 0 < len(before) < 16
    assert [row["case"] for row in after] == [str(seed) for seed in range(16)]


def test_sigterm_ends_a_run_like_ctrl_c(write, tmp_path):
    write(SIX)
    with start(tmp_path, *ARGUMENTS) as process:
        wait_for(tmp_path / "run" / "logs", process)
        family = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert (process.returncode, alive, "Stopped." in output) == (130, [], True)


def test_two_runs_into_one_folder_are_one_run_and_one_refusal(write, tmp_path):
    write(SIX.replace("samples: 2", "samples: 500"))  # still at it when the second one comes
    with start(tmp_path, *ARGUMENTS) as first:
        wait_for(tmp_path / "run" / "logs", first)
        second = bench("run", *ARGUMENTS, "--resume", cwd=tmp_path)
        first.kill()
    assert (second.returncode, "another run is writing here" in second.stderr) == (2, True)


def test_a_folder_that_cannot_be_made_is_refused(write, tmp_path):
    write(SIX)
    write("", "run")  # a file stands in the folder's place
    refused = bench("run", *ARGUMENTS, cwd=tmp_path)
    assert (refused.returncode, "cannot be written" in refused.stderr) == (2, True)


@pytest.mark.parametrize("option", ["--samples", "--threads", "--processes"])
def test_a_number_of_nothing_is_a_usage_error(write, tmp_path, option):
    write(SIX)
    assert bench("run", *ARGUMENTS, option, "0", cwd=tmp_path).returncode == 2
