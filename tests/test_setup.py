"""`tools/setup.py` in environments with made-up packages and a pip that only records what it is asked to do."""

import json
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from support import ROOT

PARTS = [
    *("pyproject.toml", "constraints.txt", "bench/__init__.py", "bench/version.py"),
    *("bench/records/__init__.py", "bench/records/torch_builds.py"),
    *(f"tools/{name}.py" for name in ("setup", "driver", "packages", "pins")),
]
RUN = "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import driver; driver.PROC = pathlib.Path(sys.argv[2]); "
RUN += "driver.TIMEOUT_S = 1.0; import setup; "
PIP = """\
import json, os, pathlib, shutil, sys
arguments = sys.argv[1:]
constraints = pathlib.Path(arguments[arguments.index("--constraint") + 1]).read_text().splitlines()
call = {"arguments": arguments, "constraints": constraints, "given": os.environ.get("PIP_CONSTRAINT")}
with open(os.environ["PIP_CALLS"], "a") as calls:
    calls.write(json.dumps(call) + "\\n")
if "--report" in arguments:
    shutil.copy(os.environ["PIP_REPORT"], arguments[arguments.index("--report") + 1])
"""
TORCH = """\
class accelerator: max_memory_allocated = None
class Event: pass
class version: cuda = {cuda!r}
def zeros(*_, **__):
    raise RuntimeError("The NVIDIA driver on your system is too old")
"""
WORKING_TORCH = (
    TORCH.replace("raise RuntimeError", "return Tensor() #")
    + """
class Tensor:
    add_ = lambda self, _: self
    cpu = lambda self: self
"""
)
PINNED = next(line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("torch=="))
KERNEL = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  {}  Tue Mar  5 22:23:56 UTC 2024\nGCC version:  gcc 11.4.0\n"
OPEN_KERNEL = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  {}  Release Build  (dvs-builder@U22)\n"
X86 = "setup.platform.machine = lambda: 'x86_64'; setup.main([])"
"""Chooses wheels as on a PC, whatever machine the tests run on."""
NGC = "2.9.0a0+145a3a7bda.nv25.10"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="drivers are looked for where Linux has them")


class Machine:
    """A project in a folder of its own, an environment for it, and what the machine says about its driver."""

    def __init__(self, folder, *, ours):
        self.project, self.commands = folder / "project", folder / "commands"
        for part in PARTS:
            target = self.project / part
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / part, target)
        self.prefix = self.project / ".venv" if ours else folder / "theirs"
        venv.create(self.prefix, symlinks=True)
        if ours:
            (self.prefix / "made-by-setup").touch()
        (self.site,) = self.prefix.glob("lib/python*/site-packages")
        self.stamp = self.prefix / "diffusion-bench.stamp"
        self.proc = folder / "driver-version"
        self.commands.mkdir()
        self.variables = {"PIP_CALLS": str(folder / "calls"), "PIP_REPORT": str(folder / "report.json")}
        self.would_install()
        self.write("pip/__init__.py", "")
        self.write("pip/__main__.py", PIP)

    def write(self, name, text):
        path = self.site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def install(self, **versions):
        """Add packages to the environment, of which torch can be imported."""
        for name, version in versions.items():
            self.write(f"{name}-{version}.dist-info/METADATA", f"Name: {name}\nVersion: {version}\n")
        if "torch" in versions:
            self.write("torch.py", TORCH.format(cuda="12.8"))

    def complete(self, torch):
        """Add everything that the project requires, as a setup that finished would."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        lines = [*project["dependencies"], *project["optional-dependencies"]["dev"], project["name"]]
        self.install(**{Requirement(line).name: "99" for line in lines} | {"torch": torch})
        self.run("setup.Path(sys.prefix, setup.STAMP_NAME).write_text(setup.stamp_contents())")

    def nvidia_smi(self, script):
        path = self.commands / "nvidia-smi"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def would_install(self, **versions):
        """Let pip's dry run report these packages."""
        report = {"install": [{"metadata": {"name": name, "version": found}} for name, found in versions.items()]}
        Path(self.variables["PIP_REPORT"]).write_text(json.dumps(report))

    def run(self, code="setup.main([])"):
        variables = {"PATH": str(self.commands), **self.variables}
        command = [self.prefix / "bin" / "python", "-c", RUN + code, self.project / "tools", self.proc]
        return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)

    @property
    def calls(self):
        path = Path(self.variables["PIP_CALLS"])
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def installed(self):
        """The one call of pip that installs something."""
        (call,) = (call for call in self.calls if "--dry-run" not in call["arguments"])
        return call

    @property
    def torch(self):
        """The constraints on torch that pip was given."""
        return [line for line in self.installed["constraints"] if line.startswith("torch==")]


@pytest.fixture
def ours(tmp_path):
    return Machine(tmp_path, ours=True)


@pytest.fixture
def theirs(tmp_path):
    return Machine(tmp_path, ours=False)


def assert_refused(machine, finished, *words):
    """Assert that setup ended with these words and without changing anything."""
    assert finished.returncode == 1, finished.stderr
    assert [word for word in words if word not in finished.stderr] == []
    assert [call for call in machine.calls if "--dry-run" not in call["arguments"]] == []
    assert not machine.stamp.exists()


# the driver


@pytest.mark.parametrize("line", [KERNEL, OPEN_KERNEL])
def test_an_old_driver_gets_the_last_torch_for_cuda_12(ours, line):
    ours.proc.write_text(line.format("550.54.15"))
    ours.run(X86)
    assert ours.torch == ["torch==2.10.0"]


def test_an_old_driver_and_what_to_do_about_it_are_named(ours):
    ours.proc.write_text(KERNEL.format("550.54.15"))
    (line,) = (line for line in ours.run(X86).stderr.splitlines() if "550.54.15" in line)
    assert "installing torch 2.10.0" in line
    assert "update the driver to 580 or later and run `make clean setup`" in line


def test_a_new_driver_gets_the_tested_torch(ours):
    ours.proc.write_text(OPEN_KERNEL.format("580.65.06"))
    ours.run(X86)
    assert ours.torch == [PINNED]


def test_a_machine_without_a_driver_gets_the_tested_torch(ours):
    ours.run(X86)
    assert ours.torch == [PINNED]


def test_a_driver_that_runs_no_wheel_is_named(ours):
    ours.proc.write_text(KERNEL.format("470.256.02"))
    assert "(NVIDIA driver 470.256.02): update the driver to 580 or later" in ours.run(X86).stderr


def test_on_a_processor_whose_old_wheels_are_cpu_builds_an_old_driver_is_named(ours):
    ours.proc.write_text(KERNEL.format("550.54.15"))
    ran = ours.run("setup.platform.machine = lambda: 'aarch64'; setup.main([])")
    assert "(NVIDIA driver 550.54.15): update the driver to 580 or later" in ran.stderr


def test_a_card_too_old_for_cuda_13_gets_the_last_torch_for_cuda_12(ours):
    """Volta: the newest driver for it is 580, which CUDA 13 needs, but CUDA 13 has no code for it."""
    ours.proc.write_text(KERNEL.format("580.65.06"))
    ours.nvidia_smi("echo 7.0; echo 9.0")
    ours.run(X86)
    assert ours.torch == ["torch==2.10.0"]


def test_a_card_that_no_torch_supports_does_not_decide_beside_another(ours):
    ours.proc.write_text(KERNEL.format("580.65.06"))
    ours.nvidia_smi("echo 6.1; echo 8.9")
    ours.run(X86)
    assert ours.torch == [PINNED]


def test_a_card_that_no_torch_supports_is_named(ours):
    ours.proc.write_text(KERNEL.format("580.65.06"))
    ours.nvidia_smi("echo 6.1")
    said = ours.run(X86).stderr
    assert "(NVIDIA driver 580.65.06, compute capability 6.1): no build of torch 2.9 or later on PyPI supports" in said


def test_without_the_file_of_the_kernel_nvidia_smi_is_asked(ours):
    """As under WSL."""
    ours.nvidia_smi("echo 552.22; echo 552.22")
    ours.run(X86)
    assert ours.torch == ["torch==2.10.0"]


def test_under_wsl_nvidia_smi_need_not_be_on_the_path(ours):
    ours.nvidia_smi("echo 552.22")
    ours.variables["PATH"] = ""
    ours.run(f"driver.WSL_FOLDER = {str(ours.commands)!r}; {X86}")
    assert ours.torch == ["torch==2.10.0"]


@pytest.mark.parametrize(
    "script",
    [
        "echo 'Failed to initialize NVML: Driver/library version mismatch. NVML library version: 550.54'; exit 18",
        "echo 'NVIDIA-SMI has failed because it could not communicate with the driver 470.82'; exit 9",
        "echo '[N/A]'",
        "exit 0",
        "exec /bin/sleep 50",
    ],
    ids=["mismatch", "failed", "unknown", "silent", "hangs"],
)
def test_an_nvidia_smi_that_knows_no_version_changes_nothing(ours, script):
    ours.nvidia_smi(script)
    ours.run(X86)
    assert ours.torch == [PINNED]


def test_an_nvidia_smi_that_hangs_is_named(ours):
    ours.nvidia_smi("exec /bin/sleep 50")
    assert "nvidia-smi did not answer within 1 s" in ours.run().stderr


def test_a_torch_that_is_too_new_for_the_driver_is_replaced_in_our_environment(ours):
    """A home that two machines share, or a driver that was downgraded."""
    ours.complete("2.13.0")
    ours.proc.write_text(KERNEL.format("550.54.15"))
    ours.run(X86)
    assert ours.torch == ["torch==2.10.0"]


@pytest.mark.parametrize(
    ("torch", "driver"),
    [("2.10.0", "580.65.06"), ("2.13.0", "580.65.06"), ("2.12.0+cu126", "550.54.15"), ("2.13.0+cpu", "550.54.15")],
)
def test_a_torch_that_the_driver_runs_or_that_someone_chose_stays_in_our_environment(ours, torch, driver):
    ours.complete(torch)
    ours.proc.write_text(KERNEL.format(driver))
    ours.run(X86)
    assert ours.calls == []


# environments of others


@pytest.mark.parametrize("version", ["2.8.0", "2.4.1+cu121", "2.9.0.dev20250801+cu128", "1.13.1"])
def test_an_active_environment_with_an_old_torch_is_refused(theirs, version):
    theirs.install(torch=version, torchvision="0.23.0")
    assert_refused(
        theirs, theirs.run(), f"torch {version}, torchvision 0.23.0", "`deactivate`", "upgrade torch yourself"
    )


def test_an_active_environment_with_torchvision_alone_is_refused(theirs):
    theirs.install(torchvision="0.23.0")
    assert_refused(theirs, theirs.run(), "has torchvision 0.23.0, but torch 2.9 or later is needed")


def test_a_conda_environment_is_left_with_its_own_command(theirs):
    theirs.install(torch="2.8.0")
    as_conda = "sys.base_prefix = sys.prefix; setup.os.environ['CONDA_PREFIX'] = sys.prefix; setup.main([])"
    assert_refused(theirs, theirs.run(as_conda), "`conda deactivate`")


def test_an_active_environment_whose_torch_lacks_what_is_measured_with_is_refused(theirs):
    theirs.install(torch="2.9.0a0+0123456789.nv25.08")
    theirs.write("torch.py", "class accelerator: pass")
    assert_refused(theirs, theirs.run(), "torch 2.9.0a0+0123456789.nv25.08", "max_memory_allocated")


def test_an_active_environment_keeps_a_torch_that_cannot_use_the_gpu(theirs):
    theirs.install(torch="2.13.0")
    theirs.write("torch.py", TORCH.format(cuda="13.0"))
    theirs.proc.write_text(KERNEL.format("550.54.15"))
    theirs.run()
    assert theirs.torch == ["torch==2.13.0"]


def test_an_active_environment_in_which_pip_would_replace_something_is_refused(theirs):
    theirs.install(torch="2.9.1", transformers="4.57.1")
    theirs.would_install(diffusers="0.42.1", transformers="5.23.0")
    assert_refused(theirs, theirs.run(), "transformers 4.57.1 -> 5.23.0", "`deactivate`")


def test_an_active_environment_with_a_recent_torch_gets_only_what_is_missing(theirs):
    theirs.install(torch="2.9.1+cu128", torchvision="0.24.1+cu128", numpy="2.1.0")
    theirs.would_install(diffusers="0.42.1")
    theirs.run()
    pinned = [
        line for line in theirs.installed["constraints"] if line.startswith(("torch==", "torchvision==", "numpy=="))
    ]
    assert pinned == ["torch==2.9.1+cu128", "torchvision==0.24.1+cu128"]


def test_an_active_environment_without_torch_gets_one_that_the_driver_runs(theirs):
    theirs.proc.write_text(KERNEL.format("535.183.01"))
    theirs.run(X86)
    assert theirs.torch == ["torch==2.10.0"]


def test_an_active_environment_may_have_an_earlier_version_of_the_project(theirs):
    theirs.install(**{"torch": "2.9.1", "diffusion-bench": "0.1.0"})
    theirs.would_install(**{"diffusion-bench": "0.2.0"})
    assert theirs.run().returncode == 0


# a torch that is lent to .venv


def lends(machine):
    return machine.run("print(setup.lends_torch())")


@pytest.mark.parametrize("version", ["2.9.0", "2.13.0+cu130", NGC, "2.10.0a0+b4e4ee81d3.nv25.12"])
def test_a_recent_torch_is_lent(theirs, version):
    theirs.install(torch=version)
    assert lends(theirs).stdout == "True\n"


@pytest.mark.parametrize("version", ["2.8.0a0+34c6371d24.nv25.08", "2.9.0a0+gitcc3a1b2", "2.9.0rc1", "2.6.0+debian"])
def test_an_old_torch_is_not_lent(theirs, version):
    theirs.install(torch=version)
    assert lends(theirs).stdout == "False\n"


def test_a_torch_that_the_driver_does_not_run_is_named_with_the_reason(theirs):
    theirs.install(torch="2.13.0")
    theirs.write("torch.py", TORCH.format(cuda="13.0"))
    theirs.proc.write_text(KERNEL.format("550.54.15"))
    why = "built for CUDA 13.0, which this GPU is too old for (NVIDIA driver 550.54.15)"
    assert why in lends(theirs).stderr


def test_an_old_torch_that_is_not_lent_is_named(theirs):
    theirs.install(torch="2.6.0+debian")
    assert "not using this machine's torch 2.6.0+debian: 2.9 or later is needed" in lends(theirs).stderr


@pytest.mark.parametrize(("torch", "lent"), [(TORCH, "False\n"), (WORKING_TORCH, "True\n")], ids=["old", "compatible"])
def test_a_torch_for_which_the_driver_is_too_old_is_not_lent_unless_it_works(theirs, torch, lent):
    """With NVIDIA's compatibility libraries, it does."""
    theirs.install(torch="2.13.0")
    theirs.write("torch.py", torch.format(cuda="13.0"))
    theirs.proc.write_text(KERNEL.format("550.54.15"))
    assert lends(theirs).stdout == lent


def test_an_environment_whose_lent_torch_became_too_old_is_named(ours, tmp_path):
    """The machine's torchvision would be imported beside another torch."""
    ours.install(torch="2.8.0")
    shutil.move(ours.site, tmp_path / "machine")
    shutil.copytree(tmp_path / "machine" / "pip", ours.site / "pip")
    (ours.site / "machine.pth").write_text(str(tmp_path / "machine"))
    assert_refused(ours, ours.run(), "is gone or too old now; run `make clean setup`")


def test_what_the_project_requires_of_torch_includes_that_of_nvidias_images():
    (line,) = (line for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
               if Requirement(line).name == "torch")  # fmt: skip
    assert Requirement(line).specifier.contains(NGC, prereleases=True)


# PIP_CONSTRAINT


@pytest.fixture
def image(ours, tmp_path):
    """NVIDIA's image: it lends its torch, and its list of constraints names every package."""
    given = tmp_path / "constraint.txt"
    given.write_text(f"# of the image\ntorch=={NGC}\nnumpy==1.26.4\npillow==11.3.0\nfilelock==3.18.0  # theirs\n")
    ours.variables["PIP_CONSTRAINT"] = str(given)
    ours.install(torch=NGC)
    shutil.move(ours.site, tmp_path / "image")
    shutil.copytree(tmp_path / "image" / "pip", ours.site / "pip")
    (ours.site / "image.pth").write_text(str(tmp_path / "image"))
    return ours


def test_in_an_image_pip_keeps_to_the_images_versions_except_those_that_are_too_old(image):
    image.run()
    assert image.installed["constraints"] == [f"torch=={NGC}", "pillow==11.3.0", "filelock==3.18.0"]


def test_in_an_image_pip_does_not_read_the_same_list_again(image):
    image.run()
    assert image.installed["given"] is None


def test_in_an_image_what_is_ignored_is_named(image):
    assert "packages that have to be newer: numpy==1.26.4" in image.run().stderr


def test_a_list_that_only_pip_can_read_is_left_to_it(image):
    image.variables["PIP_CONSTRAINT"] = "https://example.org/constraint.txt"
    image.run()
    assert image.installed["given"] == "https://example.org/constraint.txt"
