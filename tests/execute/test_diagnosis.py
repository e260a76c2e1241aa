import json

import pytest

from bench.execute.runner import Runner
from bench.execute.server import Server
from bench.plan.case import Case
from bench.plan.order import Job
from bench.plan.settings import RunSettings

CASE = Case("test", "case", "stable-diffusion-v1-5", samples=1, call={"prompt": "a cat", "num_inference_steps": 15})


class Nobody:
    def begin(self, job): ...
    def event(self, job, event): ...
    def end(self, job, outcome): ...


def diagnosed(server, folder, case, settings):
    """Measure a case and return its row."""
    runner = Runner(folder, settings, server, Server)
    return next(iter(runner.run([Job(case, 0)], Nobody()))).process


@pytest.fixture(scope="module")
def row(server, tmp_path_factory):
    settings = RunSettings("cpu", "tiny", diagnose=True)
    return diagnosed(server, tmp_path_factory.mktemp("diagnosed"), CASE, settings)


def test_every_call_of_the_denoiser_has_its_seconds(row):
    assert len(json.loads(row["split_denoiser_calls_s"])) == row["denoiser_calls"]


def test_the_calls_of_the_denoiser_are_what_its_part_of_the_split_is(row):
    assert sum(json.loads(row["split_denoiser_calls_s"])) == pytest.approx(row["split_denoiser_s"], rel=1e-5)


def test_a_tiny_twin_that_nobody_asked_to_diagnose_is_not_split(server, tmp_path):
    assert "split_denoiser_calls_s" not in diagnosed(server, tmp_path, CASE, RunSettings("cpu", "tiny"))
