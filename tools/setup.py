#!/usr/bin/env python3
"""Create the environment that this project runs in, or complete the one that is active.

The torch of a machine belongs to the machine: it was built for the machine's driver, and replacing it downloads
gigabytes. So if this Python has a recent torch that works here, `.venv` sees it, and pip may not change its version. An
environment that the user activated is theirs: pip adds what is missing, and where it would have to replace something,
setup refuses before anything is changed. In all other cases the versions are those of `constraints.txt`, which the
tests were run with; only if the driver is too old for that torch, an older one is installed. A stamp, written last,
marks a finished setup.

    python tools/setup.py             # what `make setup` runs; prints the Python to use, everything else on stderr
    python tools/setup.py --chosen    # the user named this Python: recreate a .venv that has another version
"""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from packages import NAME, PYPROJECT, ROOT, TORCH_FAMILY, installed, name_of, recent, requirements
from pins import CONSTRAINTS, constraints, describe, host, is_too_new, pip_environment, say

VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
MARK = VENV / "made-by-setup"  # a .venv without this file is the user's own and is kept as long as it works
STAMP_NAME = "diffusion-bench.stamp"  # inside the environment, so that both are removed together

TRY_TORCH = """
import json, torch
torch.accelerator.max_memory_allocated, torch.Event
try:
    torch.zeros(1, device="cuda").add_(1).cpu()
    works = True
except (AssertionError, RuntimeError):
    works = False
print(json.dumps([torch.version.cuda, works]))
"""


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
    """Create `.venv`; it sees the packages of this Python if a torch that works here is among them."""
    say(f"creating .venv with Python {platform.python_version()}")
    borrows = lends_torch()
    VENV.mkdir()
    MARK.touch()
    brings_pip = find_spec("ensurepip") is not None  # Debian ships it in python3-venv, not with Python
    options = (["--system-site-packages"] if borrows else []) + ([] if brings_pip else ["--without-pip"])
    run("-m", "venv", *options, str(VENV))
    if not brings_pip:
        run("-m", "pip", "--python", str(VENV_PYTHON), "install", "--quiet", "--ignore-installed", "pip")


def lends_torch() -> bool:
    """Return whether this Python has a recent torch that works here, after saying why not if there is one."""
    found = installed().get("torch")
    if found is None:
        return False
    problems = try_torch() if recent(found) else ["2.9 or later is needed"]
    for problem in filter(None, problems):
        say(f"not using this machine's torch {found}: {problem}")
    return not any(problems)


def try_torch() -> tuple[str | None, str | None]:
    """Return why the installed torch cannot be imported, and why it cannot use the GPU; None where it can.

    It takes seconds. The GPU is tried because compatibility libraries let an old driver run a new build. Where there is
    no GPU, any build will do.
    """
    tried = subprocess.run([sys.executable, "-c", TRY_TORCH], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        return f"trying it fails: {(tried.stderr.strip().splitlines() or ['no message'])[-1]}", None
    cuda, works = json.loads(tried.stdout.splitlines()[-1])
    if cuda is None or works or host().obstacle(cuda) is None:
        return None, None
    return None, f"it is built for CUDA {cuda}, which this GPU is too old for ({describe(host())})"


def fill() -> None:
    """Install the project in editable mode with its dependencies, unless that is already done.

    Exits before anything is changed if that would replace packages in an environment of the user's.
    """
    stamp = Path(sys.prefix) / STAMP_NAME
    contents = stamp_contents()
    ours = Path(sys.prefix).resolve() == VENV and MARK.exists()
    if not ours:
        refuse_other_torch()
    own_torch = installed(inside=VENV).get("torch")
    complete = requirements().keys() <= installed().keys() and not (ours and is_too_new(own_torch))
    if complete and stamp.exists() and stamp.read_text() == contents and newer(stamp, PYPROJECT, CONSTRAINTS):
        return
    kept = what_stays(ours=ours)
    if not ours:
        say(f"using the active environment {display(Path(sys.prefix))}; torch: {kept.get('torch', 'to be installed')}")
    elif "torch" in kept:
        say(f"keeping this machine's torch {kept['torch']}; its other packages stay too, so pip may list conflicts")
    if find_spec("pip") is None:
        sys.exit(f"{sys.executable} has no pip; add it with `{sys.executable} -m ensurepip` or `uv pip install pip`")
    lines = constraints(kept)
    if not ours:
        refuse_replacing(lines)
    say("installing the project and its dependencies (takes minutes the first time)")
    install(lines)
    stamp.write_text(contents)


def stamp_contents() -> str:
    return f"{platform.python_version()} {ROOT}"


def refuse_other_torch() -> None:
    """Exit if torch, or what is released with it, would have to be replaced in this environment."""
    there = {name: version for name, version in installed().items() if name in TORCH_FAMILY}
    if there and not recent(there.get("torch", "0.0")):
        found = ", ".join(f"{name} {version}" for name, version in sorted(there.items()))
        refuse(f"has {found}, but torch 2.9 or later is needed", "upgrade torch yourself")


def refuse_replacing(constraint_lines: list[str]) -> None:
    """Exit if pip would have to replace a package of this environment, or if its torch does not work."""
    there = installed(inside=Path(sys.prefix).resolve())
    broken, unfit = try_torch() if "torch" in there else (None, None)
    if broken is not None:
        refuse(f"has torch {there['torch']}: {broken}", "repair it yourself")
    if unfit is not None:
        say(f"keeping torch {there['torch']} because this environment is yours, although {unfit}")
    say("looking whether anything would have to be replaced")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        install(constraint_lines, "--dry-run", "--report", str(report))
        wanted = [package["metadata"] for package in json.loads(report.read_text())["install"]]
    new = {name_of(each["name"]): each["version"] for each in wanted}
    changes = [f"{name} {there[name]} -> {new[name]}" for name in sorted(new.keys() & there.keys() - {NAME})]
    if changes:
        refuse(f"has other versions than this project needs: {', '.join(changes)}", "install these yourself")


def refuse(what: str, instead: str) -> None:
    """Exit with what is wrong with the active environment, and the two ways out."""
    leave = "conda deactivate" if sys.prefix == sys.base_prefix else "deactivate"
    sys.exit(
        f"setup: the active environment {display(Path(sys.prefix))} {what}. It is yours, so nothing was changed. "
        f"Either leave it (`{leave}`, or PYTHON=/usr/bin/python3 for make), so that .venv is created, or {instead}"
    )


def what_stays(*, ours: bool) -> dict[str, str]:
    """Return the versions of the packages that `constraints.txt` must not change.

    In our own `.venv` that is the borrowed torch, in the user's environment everything.
    """
    if not ours:
        return installed()
    borrowed = {name: version for name, version in installed(outside=VENV).items() if name in TORCH_FAMILY}
    if borrowed and "torch" not in installed(inside=VENV) and not recent(borrowed.get("torch", "0.0")):
        sys.exit(
            "setup: .venv was made to use this machine's torch, which is gone or too old now; run `make clean setup`"
        )
    return borrowed if "torch" in borrowed else {}


def install(constraint_lines: list[str], *options: str) -> None:
    """Run pip, which prints only errors."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "constraints.txt"
        file.write_text("\n".join(constraint_lines))
        quiet = ["--quiet", "--no-input", "--disable-pip-version-check"]
        command = ["-m", "pip", "install", *quiet, *options, "--constraint", str(file), "--editable", f"{ROOT}[dev]"]
        run(*command, environment=pip_environment())


def newer(file: Path, *others: Path) -> bool:
    """Return whether a file was written after all the others."""
    return all(file.stat().st_mtime_ns > other.stat().st_mtime_ns for other in others)


def run(*arguments: str, environment: Mapping[str, str] = os.environ) -> None:
    """Run this Python with its output on stderr, because stdout carries only the answer; exit if it fails."""
    done = subprocess.run([sys.executable, *arguments], env=environment, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        sys.exit(f"setup: 'python {' '.join(arguments[:3])}' exited with status {done.returncode}; see above")


def display(path: Path) -> str:
    """Return a path as text, relative to the project if it is inside."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
