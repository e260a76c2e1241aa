"""What is installed for the Python that runs this, and what the project requires; with the standard library alone."""

import re
import tomllib
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = ROOT / "pyproject.toml"
NAME = tomllib.loads(PYPROJECT.read_text())["project"]["name"]

OLDEST_TORCH = (2, 9)  # as in pyproject.toml; the standard library cannot compare versions
TORCH_FAMILY = {"torch", "torchvision", "torchaudio"}  # released together: replacing one breaks the others


def requirements() -> dict[str, str]:
    """Return the project and its dependencies, development tools included: their names, and what is asked of each."""
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    wanted = [project["name"], *project["dependencies"], *project["optional-dependencies"]["dev"]]
    return {name_of(line): line for line in wanted}


def installed(*, inside: Path | None = None, outside: Path | None = None) -> dict[str, str]:
    """Return the version of each package that this Python imports, of those that lie inside or outside of a folder."""
    found: dict[str, tuple[str, Path]] = {}
    for package in distributions():
        if package.name:
            place = Path(str(package.locate_file(""))).resolve()
            found.setdefault(name_of(package.name), (package.version, place))  # the first one on the path is imported
    return {
        name: version
        for name, (version, place) in found.items()
        if (inside is None or place.is_relative_to(inside)) and (outside is None or not place.is_relative_to(outside))
    }


def name_of(requirement: str) -> str:
    """Return the name in a requirement, normalized as in PEP 503: `ruamel.yaml>=0.18` is `ruamel-yaml`."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement, maxsplit=1)[0]).lower()


def recent(torch: str) -> bool:
    """Return whether a version of torch is recent enough; like pip, 2.9.0.dev1 counts as older than 2.9.

    So does 2.9.0a0, except in NVIDIA's images: theirs, such as 2.9.0a0+145a3a7bda.nv25.10, has all that 2.9.0 has.
    """
    public, _, local = torch.partition("+")
    major, minor, *_ = re.findall(r"\d+", public)
    released = re.search("a|b|rc|dev", public) is None or re.search(r"\bnv\d", local) is not None
    return (int(major), int(minor), released) >= (*OLDEST_TORCH, True)
