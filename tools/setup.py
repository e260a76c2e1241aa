#!/usr/bin/env python3
"""Make the environment that this project runs in, or leave the one that is there in peace.

The torch of a machine belongs to the machine: it was built for its driver, and another one is gigabytes. So a Python
that imports a torch new enough lends it to `.venv`, and pip is held to exactly that version. An environment that
someone has activated is theirs: pip adds what it lacks, and our versions do not displace its own. Everywhere else the
versions are those of `constraints.txt`, with which the tests were run. A set-up is done when its stamp is there, which
is written last.

    python tools/setup.py             # what `make setup` runs: prints the Python to use, and the rest on stderr
    python tools/setup.py --chosen    # this Python was asked for: a .venv of another version is made anew
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = ROOT / "pyproject.toml"
CONSTRAINTS = ROOT / "constraints.txt"
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
MARK = VENV / "made-by-setup"  # a .venv without it is someone else's, and stays as long as it works
STAMP_NAME = "diffusion-bench.stamp"  # inside the environment, so that it goes when the environment goes

OLDEST_TORCH = (2, 9)  # as in pyproject.toml, which pip reads and the standard library cannot compare
TORCH_FAMILY = {"torch", "torchvision", "torchaudio"}  # released as a set: one replaced breaks the others


def main(arguments: list[str]) -> None:
    """Fill the environment this runs in; outside of any, make `.venv` first and go on inside it."""
    if in_environment():
        fill()
        print(display(Path(sys.executable)))
        return
    if reason := why_anew(chosen="--chosen" in arguments):
        say(f"removing .venv: {reason}")
        shutil.rmtree(VENV)
    if not VENV.exists():
        make_venv()
    os.execv(VENV_PYTHON, [str(VENV_PYTHON), __file__])  # noqa: S606 - no shell is the point


def in_environment() -> bool:
    """Tell whether this Python is a virtual environment's, or that of the active conda environment."""
    conda = os.environ.get("CONDA_PREFIX")
    return sys.prefix != sys.base_prefix or (conda is not None and Path(conda).resolve() == Path(sys.prefix).resolve())


def why_anew(*, chosen: bool) -> str | None:
    """Say why the `.venv` that is here has to be made again, if it has to."""
    if not VENV.exists():
        return None
    if not VENV_PYTHON.exists():
        return "it has no working Python"
    if not MARK.exists():
        return None
    stamp = VENV / STAMP_NAME
    if not stamp.exists():
        return "its set-up did not finish"
    made_with = stamp.read_text().partition(" ")[0]
    if chosen and made_with != platform.python_version():
        return f"it has Python {made_with}, and {platform.python_version()} was asked for"
    return None


def make_venv() -> None:
    """Make `.venv`, which sees the packages of this Python when a torch is among them."""
    say(f"making .venv with Python {platform.python_version()}")
    VENV.mkdir()
    MARK.touch()
    brings_pip = find_spec("ensurepip") is not None  # Debian packs it apart from Python, in python3-venv
    options = (["--system-site-packages"] if imports_torch() else []) + ([] if brings_pip else ["--without-pip"])
    run("-m", "venv", *options, str(VENV))
    if not brings_pip:
        run("-m", "pip", "--python", str(VENV_PYTHON), "install", "--quiet", "--ignore-installed", "pip")


def imports_torch() -> bool:
    """Tell whether this Python has a torch that is new enough and imports (which takes seconds: asked once)."""
    found = installed().get("torch")
    if found is None or not recent(found):
        return False
    imported = subprocess.run([sys.executable, "-c", "import torch"], capture_output=True, text=True, check=False)
    if imported.returncode != 0:
        last_line = (imported.stderr.strip().splitlines() or ["no message"])[-1]
        say(f"not using this machine's torch {found}, which does not import: {last_line}")
    return imported.returncode == 0


def fill() -> None:
    """Install the project, editable, and what it needs into the environment this runs in, unless that is done."""
    stamp = Path(sys.prefix) / STAMP_NAME
    contents = f"{platform.python_version()} {ROOT}"
    complete = requirements() <= installed().keys()
    if complete and stamp.exists() and stamp.read_text() == contents and newer(stamp, PYPROJECT, CONSTRAINTS):
        return
    ours = Path(sys.prefix).resolve() == VENV and MARK.exists()
    kept = what_stays(ours=ours)
    if not ours:
        say(f"using the environment {display(Path(sys.prefix))} as it is, torch {kept.get('torch', 'to come')}")
    elif "torch" in kept:
        say(f"keeping this machine's torch {kept['torch']}; should pip list conflicts, its other packages stay too")
    if find_spec("pip") is None:
        sys.exit(f"{sys.executable} has no pip; add it with `{sys.executable} -m ensurepip` or `uv pip install pip`")
    say("installing the project and what it needs (the first time takes minutes)")
    install(constraints(kept))
    stamp.write_text(contents)


def what_stays(*, ours: bool) -> dict[str, str]:
    """Give the packages, by name and version, that `constraints.txt` has no say in.

    In our own `.venv` that is the torch it borrows, in an environment of someone else's everything, and in neither a
    torch that is too old.
    """
    borrowed = {name: version for name, version in installed(outside=VENV).items() if name in TORCH_FAMILY}
    kept = borrowed if ours else installed()
    if recent(kept.get("torch", "0.0")):
        return kept
    return {name: version for name, version in kept.items() if name not in TORCH_FAMILY}


def constraints(kept: dict[str, str]) -> list[str]:
    """Give the lines pip is held to: torch as it is, and the tested version of whatever is not there yet.

    A machine with constraints of its own (NVIDIA's images have) gets torch's alone: pip heeds PIP_CONSTRAINT besides
    any file it is given, and two lists of exact versions seldom agree.
    """
    exact = [f"{name}=={kept[name]}" for name in sorted(TORCH_FAMILY & kept.keys())]
    if os.environ.get("PIP_CONSTRAINT"):
        say("leaving constraints.txt aside for this machine's PIP_CONSTRAINT")
        return exact
    tested = [line for line in CONSTRAINTS.read_text().splitlines() if not line.startswith("#")]
    return exact + [line for line in tested if name_of(line) not in kept]


def install(held_to: list[str]) -> None:
    """Run pip, quiet but for its errors."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "constraints.txt"
        file.write_text("\n".join(held_to))
        quiet = ["--quiet", "--no-input", "--disable-pip-version-check"]
        run("-m", "pip", "install", *quiet, "--constraint", str(file), "--editable", f"{ROOT}[dev]")


def requirements() -> set[str]:
    """Name the project and all that pyproject.toml asks for, the development tools too."""
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    asked = [project["name"], *project["dependencies"], *project["optional-dependencies"]["dev"]]
    return {name_of(line) for line in asked}


def installed(outside: Path | None = None) -> dict[str, str]:
    """Give the version of each package that this Python sees, without those in the folder `outside`."""
    found: dict[str, str] = {}
    for package in distributions():
        place = Path(str(package.locate_file(""))).resolve()
        if package.name and not (outside and place.is_relative_to(outside)):
            found.setdefault(name_of(package.name), package.version)  # the first on the path is what is imported
    return found


def name_of(requirement: str) -> str:
    """Give the name in a requirement, spelled as PEP 503 has it: `ruamel.yaml>=0.18` is `ruamel-yaml`."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()


def recent(torch: str) -> bool:
    """Tell whether a version of torch is new enough; like pip, take 2.9.0a0 for older than 2.9."""
    public = torch.partition("+")[0]
    major, minor, *_ = re.findall(r"\d+", public)
    return (int(major), int(minor), re.search("a|b|rc|dev", public) is None) >= (*OLDEST_TORCH, True)


def newer(file: Path, *others: Path) -> bool:
    """Tell whether a file was written after all the others."""
    return all(file.stat().st_mtime_ns > other.stat().st_mtime_ns for other in others)


def run(*arguments: str) -> None:
    """Run this Python; end here if that fails, after its own words on stderr (stdout is for the answer alone)."""
    done = subprocess.run([sys.executable, *arguments], stdout=sys.stderr, check=False)
    if done.returncode != 0:
        sys.exit(f"setup: python {' '.join(arguments[:3])} ended with status {done.returncode}; see above")


def display(path: Path) -> str:
    """Write a path as seen from the project, where it is inside."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def say(what: str) -> None:
    """Tell the user, in a line, what is being done."""
    print(f"setup: {what} ...", file=sys.stderr)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
