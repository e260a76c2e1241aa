"""The wheel: built from this checkout, unpacked, and used from a directory that has nothing else."""

import subprocess
import sys
import zipfile

import pytest
from support import ROOT, environment

pytest.importorskip("hatchling", reason="builds the wheel; in the dev extra")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "site-packages")
    return folder / "site-packages"


def installed(wheel, cwd, *arguments):
    """Run the unpacked wheel's command line from a directory."""
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=cwd, env={**environment(), "PYTHONPATH": str(wheel)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def names(folder, pattern):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(pattern))


def test_it_contains_every_scenario(wheel):
    assert names(wheel / "bench" / "scenarios", "*.yaml") == names(ROOT / "scenarios", "*.yaml")


def test_it_contains_every_file_of_the_package(wheel):
    tracked = subprocess.run(["git", "ls-files", "bench"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [name for name in tracked.stdout.splitlines() if not (wheel / name).is_file()] == []


def test_it_is_typed(wheel):
    assert (wheel / "bench" / "py.typed").is_file()


def test_its_scenarios_are_found_by_name_from_any_directory(wheel, tmp_path):
    listed = installed(wheel, tmp_path, "list", "sd15-precision")
    assert listed.stdout.splitlines()[0].split()[0] == "sd15-precision/baseline", listed.stderr


def test_a_scenario_in_the_current_directory_comes_first(wheel, write, tmp_path):
    text = "title: mine\nmodel: stable-diffusion-v1-5\ncall: {prompt: a cat}\ncases: {own: {}}\n"
    write(text, "scenarios/sd15-precision.yaml")
    assert installed(wheel, tmp_path, "list", "sd15-precision").stdout.split()[0] == "sd15-precision/own"
