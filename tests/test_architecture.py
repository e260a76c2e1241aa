"""Imports run one way, and what reads files needs no torch. The rule is told in shared/design.md and README.md."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bench"

GROUND = {"errors", "units", "statistics"}
DOORS = {"cli", "__main__", "pytest_plugin"}
STANDS_ON = {
    "ground": set(),
    "plan": {"ground"},
    "measure": {"ground"},
    "pipelines": {"ground", "plan"},
    "records": {"ground", "plan"},
    "execute": {"ground", "plan", "measure", "pipelines", "records"},
    "analyze": {"ground", "plan", "records"},
    "present": {"ground", "plan", "records", "analyze"},
}
STANDS_ON["session"] = set(STANDS_ON)
STANDS_ON["doors"] = set(STANDS_ON)

HELP = """
import sys
from bench.cli.app import main
sys.argv = {}
try:
    main()
except SystemExit:
    pass
"""

HEAVY = {"torch", "diffusers", "transformers", "accelerate", "matplotlib", "ray"}

FILES = sorted(PACKAGE.rglob("*.py"))


def stage(module):
    """Return the stage that a module of the package belongs to; `bench` itself holds the version, so is ground."""
    name = module.split(".")[1] if "." in module else ""
    if name in GROUND or not name:
        return "ground"
    return "doors" if name in DOORS else name


def is_module(name):
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def imported(node, package):
    """Return the modules that a statement imports, with the names that `from` takes where those are modules."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
    base = ".".join([*parents, *([node.module] if node.module else [])])
    return [name if is_module(name := f"{base}.{alias.name}") else base for alias in node.names]


def wrong_imports(source, module):
    """Return the imports of a module, at any depth of its code, that run against the way."""
    own = stage(module)
    allowed = STANDS_ON[own] | {own}
    package = module.rpartition(".")[0]
    found = [(node.lineno, name) for node in ast.walk(ast.parse(source)) for name in imported(node, package)]
    ours = [(line, name) for line, name in found if name.split(".")[0] == "bench"]
    return [f"line {line}: {own} imports {name}" for line, name in ours if stage(name) not in allowed]


def name_of(path):
    """Return a file's module name; that of a package ends in `__init__`, so that `.` is the package in it too."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_imports_run_one_way(path):
    module = name_of(path).removesuffix(".__init__") if path.parent == PACKAGE else name_of(path)
    assert wrong_imports(path.read_text(encoding="utf-8"), module) == []


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("from bench.cli import app", "bench.plan.load"),
        ("import bench.records.store", "bench.measure.clock"),
        ("def late():\n    from bench.execute.runner import Runner", "bench.analyze.run"),
        ("from bench import present", "bench.analyze.run"),
        ("from ..pipelines import build", "bench.measure.clock"),
        ("from ..pipelines import build", "bench.measure.__init__"),
        ("from .plan import case", "bench.units"),
        ("if TYPE_CHECKING:\n    from bench.plan.case import Case", "bench.statistics"),
    ],
)
def test_an_import_against_the_way_is_found(source, module):
    assert len(wrong_imports(source, module)) == 1


def test_every_folder_of_the_package_is_a_stage():
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders - DOORS == STANDS_ON.keys() - {"ground", "doors"}


def heavy_modules_after(code):
    """Return the heavy libraries that a fresh interpreter has imported after some code."""
    report = f"import sys; print(*sorted({HEAVY!r} & set(sys.modules)))"
    finished = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return finished.stdout.splitlines()[-1].split()


@pytest.mark.parametrize(
    "module",
    [
        "analyze.results",
        "present.tables",
        "present.plots.registry",
        "present.html.page",
        "records.environment",
        "plan.load",
        "cli.app",
    ],
)
def test_what_reads_files_imports_no_heavy_library(module):
    assert heavy_modules_after(f"import bench.{module}") == []


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["tables", "--help"], ["report", "--help"], ["tune", "--help"], ["gate", "--help"]],
    ids=" ".join,
)
def test_help_imports_no_heavy_library(arguments):
    assert heavy_modules_after(HELP.format(["bench", *arguments])) == []
