"""Imports run one way, no door imports another, and what reads files needs no torch (docs/architecture.md)."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bench"

GROUND = {"errors", "files", "scratch", "statistics", "text", "units", "version"}
DOORS = {"cli", "__main__", "pytest_plugin", "api"}
COMMANDS = "bench.cli.app"
"""Registers the commands, so it may import each of them; `python -m bench` is this one under another name."""
SHARED = {"bench.cli.options", "bench.cli.exit"}
"""What the commands have in common; not a door."""
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

FILES = sorted(set(PACKAGE.rglob("*.py")) - {PACKAGE / "__init__.py"})


def stage(module):
    """Return the stage that a module of the package belongs to; `bench` itself has the version, so it is ground."""
    name = module.split(".")[1] if "." in module else ""
    if name in GROUND or not name:
        return "ground"
    return "doors" if name in DOORS else name


def is_module(name):
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def imported(node, package):
    """Return the modules that a statement imports, with the names after `import` if those are modules."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
    base = ".".join([*parents, *([node.module] if node.module else [])])
    return [name if is_module(name := f"{base}.{alias.name}") else base for alias in node.names]


def own_imports(source, module):
    """Return the line and name of every import of this package, at any depth of a module's code."""
    package = module.rpartition(".")[0]
    found = [(node.lineno, name) for node in ast.walk(ast.parse(source)) for name in imported(node, package)]
    return [(line, name) for line, name in found if name.split(".")[0] == "bench"]


def wrong_imports(source, module):
    """Return the imports of a module that run the wrong way, or from one door into another."""
    own = stage(module)
    allowed = STANDS_ON[own] | {own}
    wrong = [(line, name) for line, name in own_imports(source, module) if stage(name) not in allowed]
    if own == "doors" and module not in {COMMANDS, "bench.__main__"}:
        wrong += [(line, name) for line, name in own_imports(source, module) if is_another_door(name, module)]
    return [f"line {line}: {module} imports {name}" for line, name in wrong]


def is_another_door(name, module):
    return stage(name) == "doors" and name not in {module, *SHARED}


def name_of(path):
    """Return a file's module name; a package's ends in `__init__`, so that `.` is the package there, too."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_imports_run_one_way(path):
    assert wrong_imports(path.read_text(encoding="utf-8"), name_of(path)) == []


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
        ("from bench.cli.exit import ENDINGS", "bench.session.measure"),
        ("from bench.session import measure", "bench.present.tables"),
        ("from bench.cli.run import run", "bench.cli.gate"),
        ("from bench.cli.options import Device", "bench.present.tables"),
        ("from bench.cli import run", "bench.pytest_plugin"),
        ("from bench import pytest_plugin", "bench.cli.run"),
        ("from bench import api", "bench.cli.run"),
    ],
)
def test_a_wrong_import_is_found(source, module):
    assert len(wrong_imports(source, module)) == 1


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("from bench.cli import compare, run", COMMANDS),
        ("from bench.cli.options import Device", "bench.cli.run"),
        ("from bench.present import tables", "bench.session.files"),
        ("from bench.session.request import RunRequest", "bench.pytest_plugin"),
    ],
)
def test_a_right_import_is_not(source, module):
    assert wrong_imports(source, module) == []


def test_the_package_itself_imports_nothing_but_its_api_and_version():
    source = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    assert {name for _, name in own_imports(source, "bench.__init__")} == {"bench.api", "bench.version"}


def test_a_session_prints_only_through_its_notices():
    """Neither `print` nor typer: a notebook and pytest use sessions, too."""
    printing = [
        f"{path.name}:{node.lineno}"
        for path in sorted((PACKAGE / "session").glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print")
        or (isinstance(node, ast.Import | ast.ImportFrom) and "typer" in imported(node, "bench.session"))
    ]
    assert printing == []


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
        "api",
        "session.request",
        "session.stored",
        "session.advice",
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
