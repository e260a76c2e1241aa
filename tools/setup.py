#!/usr/bin/env python3
"""Create the environment that this project runs in, or complete the one that is active.

The torch of a machine belongs to the machine: it was built for the machine's driver, and replacing it downloads
gigabytes. So if this Python can import a recent torch, `.venv` sees it, and pip may not change its version. An
environment that the user activated is theirs: pip adds what is missing and replaces nothing. In all other cases the
versions are those of `constraints.txt`, which the tests were run with. A stamp, written last, marks a finished setup.

    python tools/setup.py             # what `make setup` runs; prints the Python to use, everything else on stderr
    python tools/setup.py --chosen    # the user named this Python: recreate a .venv that has another version
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
MARK = VENV / "made-by-setup"  # a .venv without this file is the user's own and is kept as long as it works
STAMP_NAME = "diffusion-bench.stamp"  # inside the environment, so that both are removed together

OLDEST_TORCH = (2, 9)  # as in pyproject.toml; the standard library cannot compare versions
TORCH_FAMILY = {"torch", "torchvision", "torchaudio"}  # released together: replacing one breaks the others


def main(arguments: list[str]) -> None:
    """Complete the environment that this runs in; outside of any, create `.venv` and continue inside it."""
    if in_environment():
        fill()
        print(display(Path(sys.executable)))
        return
    if reason := reason_to_recreate(chosen="--chosen" in arguments):
        say(f"removing .venv: {reason}")
        shutil.rmtree(VENV)
    if not VENV.exists():
        make_venv()
    os.execv(VENV_PYTHON, [str(VENV_PYTHON), __file__])  # noqa: S606 - no shell is the point


def in_environment() -> bool:
    """Return whether this Python belongs to a virtual environment or to the active conda environment."""
    conda = os.environ.get("CONDA_PREFIX")
    return sys.prefix != sys.base_prefix or (conda is not None and Path(conda).resolve() == Path(sys.prefix).resolve())


def reason_to_recreate(*, chosen: bool) -> str | None:
    """Return why the existing `.venv` must be created again, or None if it can be used."""
    if not VENV.exists():
        return None
    if not VENV_PYTHON.exists():
        return "it has no working Python"
    if not MARK.exists():
        return None
    stamp = VENV / STAMP_NAME
    if not stamp.exists():
        return "its setup did not finish"
    made_with = stamp.read_text().partition(" ")[0]
    if chosen and made_with != platform.python_version():
        return f"it has Python {made_with}, but {platform.python_version()} was requested"
    return None


def make_venv() -> None:
    """Create `.venv`; it sees the packages of this Python if a recent torch is among them."""
    say(f"creating .venv with Python {platform.python_version()}")
    VENV.mkdir()
    MARK.touch()
    brings_pip = find_spec("ensurepip") is not None  # Debian ships it in python3-venv, not with Python
    options = (["--system-site-packages"] if imports_torch() else []) + ([] if brings_pip else ["--without-pip"])
    run("-m", "venv", *options, str(VENV))
    if not brings_pip:
        run("-m", "pip", "--python", str(VENV_PYTHON), "install", "--quiet", "--ignore-installed", "pip")


def imports_torch() -> bool:
    """Return whether this Python has a recent torch that can be imported; the import takes seconds."""
    found = installed().get("torch")
    if found is None or not recent(found):
        return False
    imported = subprocess.run([sys.executable, "-c", "import torch"], capture_output=True, text=True, check=False)
    if imported.returncode != 0:
        last_line = (imported.stderr.strip().splitlines() or ["no message"])[-1]
        say(f"not using this machine's torch {found}; importing it fails: {last_line}")
    return imported.returncode == 0


def fill() -> None:
    """Install the project in editable mode with its dependencies, unless that is already done."""
    stamp = Path(sys.prefix) / STAMP_NAME
    contents = f"{platform.python_version()} {ROOT}"
    complete = requirements() <= installed().keys()
    if complete and stamp.exists() and stamp.read_text() == contents and newer(stamp, PYPROJECT, CONSTRAINTS):
        return
    ours = Path(sys.prefix).resolve() == VENV and MARK.exists()
    kept = what_stays(ours=ours)
    if not ours:
        say(f"using the active environment {display(Path(sys.prefix))}; torch: {kept.get('torch', 'to be installed')}")
    elif "torch" in kept:
        say(f"keeping this machine's torch {kept['torch']}; its other packages stay too, so pip may list conflicts")
    if find_spec("pip") is None:
        sys.exit(f"{sys.executable} has no pip; add it with `{sys.executable} -m ensurepip` or `uv pip install pip`")
    say("installing the project and its dependencies (takes minutes the first time)")
    install(constraints(kept))
    stamp.write_text(contents)


def what_stays(*, ours: bool) -> dict[str, str]:
    """Return the versions of the packages that `constraints.txt` must not change.

    In our own `.venv` that is the borrowed torch, in the user's environment everything; a torch that is too old is
    never kept.
    """
    borrowed = {name: version for name, version in installed(outside=VENV).items() if name in TORCH_FAMILY}
    kept = borrowed if ours else installed()
    if recent(kept.get("torch", "0.0")):
        return kept
    return {name: version for name, version in kept.items() if name not in TORCH_FAMILY}


def constraints(kept: dict[str, str]) -> list[str]:
    """Return the constraints for pip: torch as it is, and the tested version of every package that is missing.

    A machine that sets PIP_CONSTRAINT, such as NVIDIA's images, only gets the constraint on torch: pip obeys both
    lists, and two lists of exact versions rarely agree.
    """
    exact = [f"{name}=={kept[name]}" for name in sorted(TORCH_FAMILY & kept.keys())]
    if os.environ.get("PIP_CONSTRAINT"):
        say("ignoring constraints.txt because PIP_CONSTRAINT is set")
        return exact
    tested = [line for line in CONSTRAINTS.read_text().splitlines() if not line.startswith("#")]
    return exact + [line for line in tested if name_of(line) not in kept]


def install(constraint_lines: list[str]) -> None:
    """Run pip, which prints only errors."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "constraints.txt"
        file.write_text("\n".join(constraint_lines))
        quiet = ["--quiet", "--no-input", "--disable-pip-version-check"]
        run("-m", "pip", "install", *quiet, "--constraint", str(file), "--editable", f"{ROOT}[dev]")


def requirements() -> set[str]:
    """Return the names of the project and of all its dependencies, development tools included."""
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    wanted = [project["name"], *project["dependencies"], *project["optional-dependencies"]["dev"]]
    return {name_of(line) for line in wanted}


def installed(outside: Path | None = None) -> dict[str, str]:
    """Return the version of each package that this Python sees, except those in the folder `outside`."""
    found: dict[str, str] = {}
    for package in distributions():
        place = Path(str(package.locate_file(""))).resolve()
        if package.name and not (outside and place.is_relative_to(outside)):
            found.setdefault(name_of(package.name), package.version)  # the first one on the path is imported
    return found


def name_of(requirement: str) -> str:
    """Return the name in a requirement, normalized as in PEP 503: `ruamel.yaml>=0.18` is `ruamel-yaml`."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()


def recent(torch: str) -> bool:
    """Return whether a version of torch is recent enough; like pip, 2.9.0a0 counts as older than 2.9."""
    public = torch.partition("+")[0]
    major, minor, *_ = re.findall(r"\d+", public)
    return (int(major), int(minor), re.search("a|b|rc|dev", public) is None) >= (*OLDEST_TORCH, True)


def newer(file: Path, *others: Path) -> bool:
    """Return whether a file was written after all the others."""
    return all(file.stat().st_mtime_ns > other.stat().st_mtime_ns for other in others)


def run(*arguments: str) -> None:
    """Run this Python with its output on stderr, because stdout carries only the answer; exit if it fails."""
    done = subprocess.run([sys.executable, *arguments], stdout=sys.stderr, check=False)
    if done.returncode != 0:
        sys.exit(f"setup: 'python {' '.join(arguments[:3])}' exited with status {done.returncode}; see above")


def display(path: Path) -> str:
    """Return a path as text, relative to the project if it is inside."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def say(what: str) -> None:
    print(f"setup: {what} ...", file=sys.stderr)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
