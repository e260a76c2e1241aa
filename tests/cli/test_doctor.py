"""`doctor` as a person uses it: on this machine, with a scripted card, an old driver, and a torch that is broken."""

import json
import os

import pytest
import torch
from support import ROOT, SCENARIO, assert_ended, bench, environment

pytestmark = pytest.mark.slow

CARDS = json.dumps([{"uuid": "GPU-a", "name": "NVIDIA A100-SXM4-80GB", "memory": 80 * 1024**3}])
OLD_DRIVER = """\
import sys

if any("bench.execute.worker" in word for word in sys.orig_argv):
    import torch

    def zeros(*args, device="cpu", made=torch.zeros, **options):
        if device == "cuda":
            raise RuntimeError("The NVIDIA driver on your system is too old (found version 12040).")
        return made(*args, device=device, **options)

    torch.zeros, torch.version.cuda = zeros, "13.0"
    torch.accelerator.current_accelerator = lambda check_available=False: torch.device("cuda")
"""
"""What a worker's Python runs first: it makes torch one for a CUDA after the driver's."""


@pytest.fixture(scope="module")
def doctor(tmp_path_factory):
    """Run it on a small scenario, with these modules before all others; return the process."""

    def run(*arguments, modules=(), **variables):
        folder = tmp_path_factory.mktemp("doctor")
        (folder / "small.yaml").write_text(SCENARIO, encoding="utf-8")
        for name, source in dict(modules).items():
            (folder / "modules" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "modules" / name).write_text(source)
        scripted = [str(ROOT / "tests" / "scripted")] if "SCRIPTED_CARDS" in variables else []
        path = os.pathsep.join([str(folder / "modules"), *scripted, str(ROOT)])
        env = environment(COLUMNS="100", **variables) | {"PYTHONPATH": path}
        process = bench("doctor", "small.yaml", *arguments, cwd=folder, env=env)
        process.folder = folder
        return process

    return run


def texts(process):
    return " ".join(process.stdout.split())


def problems(process):
    return [each["problem"] for each in json.loads(process.stdout)["problems"] if each["problem"] != "busy-machine"]


@pytest.fixture(scope="module")
def healthy(doctor):
    return doctor("--device", "cpu", "--processes", "2")


@pytest.fixture(scope="module")
def cpu_build(doctor):
    """A CPU build of torch beside a card, and results that cannot be written."""
    if torch.version.cuda is not None:
        pytest.skip("this torch is not a CPU build")
    return doctor("--output", "small.yaml/run", "--only", "*/baseline", "--json", SCRIPTED_CARDS=CARDS)


@pytest.fixture(scope="module")
def old_driver(doctor):
    return doctor(modules={"sitecustomize.py": OLD_DRIVER}, SCRIPTED_CARDS=CARDS, SCRIPTED_DRIVER="550.54.15")


@pytest.fixture(scope="module")
def broken_torch(doctor):
    return doctor(modules={"torch.py": "raise ImportError('libcudnn.so.9: cannot open shared object file')"})


def test_a_machine_that_can_measure_exits_with_0(healthy):
    assert_ended(healthy, 0)


def test_the_first_line_is_the_answer(healthy):
    assert healthy.stdout.startswith("A run would work and take about ")


def test_what_would_be_measured_is_counted(healthy):
    assert "3 cases, of which 2 would be measured, 6 processes." in healthy.stdout


def test_what_would_be_skipped_is_named_with_the_reason(healthy):
    assert "small/tf32 │ skipped │ TF32 needs cuda, but this device is cpu" in texts(healthy)


def test_on_a_cpu_tiny_models_would_be_measured(healthy):
    assert "TINY MODELS" in healthy.stdout


def test_nothing_is_written(healthy):
    assert [path.name for path in healthy.folder.iterdir()] == ["small.yaml"]


def test_a_cpu_build_beside_a_card_is_a_problem(cpu_build):
    assert problems(cpu_build) == ["results-not-writable", "cpu-build"]


def test_results_that_cannot_be_written_exit_with_1(cpu_build):
    assert_ended(cpu_build, 1)


def test_the_card_is_listed_that_the_cpu_build_cannot_use(cpu_build):
    assert json.loads(cpu_build.stdout)["cards"]["cards"][0]["name"] == "NVIDIA A100-SXM4-80GB"


def test_a_driver_that_is_too_old_exits_with_1(old_driver):
    assert_ended(old_driver, 1)


def test_a_driver_that_is_too_old_is_named(old_driver):
    assert "is built for CUDA 13.0, for which the driver 550.54.15 is too old." in texts(old_driver)


def test_a_broken_torch_exits_with_1(broken_torch):
    assert_ended(broken_torch, 1)


def test_a_broken_torch_is_named_with_its_error(broken_torch):
    assert "libcudnn.so.9: cannot open shared object file" in texts(broken_torch)
