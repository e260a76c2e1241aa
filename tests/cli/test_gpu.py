"""The commands on a real GPU, end to end with tiny models."""

import pytest
from support import bench

SCENARIO = """\
title: "Half precision on a GPU"
model: stable-diffusion-v1-5
call: {prompt: a fox, num_inference_steps: 20}
samples: 6
baseline: fp32
cases:
  fp32: {}
  fp16: {dtype: float16}
  offloaded: {dtype: float16, optimizations: [model_cpu_offload]}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpu")
    scenario = folder / "gpu.yaml"
    scenario.write_text(SCENARIO)
    finished = bench("run", scenario, "--device", "cuda", "--size", "tiny", "--output", folder / "run", cwd=folder)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return folder / "run"


@pytest.mark.gpu
@pytest.mark.parametrize("command", ["tables", "report", "recommend"])
def test_a_run_on_a_gpu_can_be_read(run, tmp_path, command):
    assert bench(command, run, cwd=tmp_path).returncode == 0


@pytest.mark.gpu
def test_a_run_on_a_gpu_compares_with_itself(run, tmp_path):
    assert bench("compare", run, run, cwd=tmp_path).returncode == 0
