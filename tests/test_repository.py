"""What surrounds the code: workflows, forms, metadata and versions agree with each other and with their schemas."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions

import pytest
from ruamel.yaml import YAML
from support import ROOT

import bench

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted((GITHUB / "actions").glob("*/action.yml"))
FORMS = sorted(set((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")) - {GITHUB / "ISSUE_TEMPLATE" / "config.yml"})
SCHEMAS = {
    **dict.fromkeys(WORKFLOWS, "github-workflows"),
    **dict.fromkeys(ACTIONS, "github-actions"),
    **dict.fromkeys(FORMS, "github-issue-forms"),
    GITHUB / "ISSUE_TEMPLATE" / "config.yml": "github-issue-config",
    ROOT / "CITATION.cff": "citation-file-format",
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
USES = re.compile(r"(- )?uses: ")
PINNED = re.compile(r"(- )?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\] - (?P<date>\d{4}-\d\d-\d\d)$", re.MULTILINE)


def load(path):
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def steps(path):
    """Return the steps of a workflow, or of a composite action."""
    content = load(path)
    return (
        content["runs"]["steps"] if "runs" in content else [s for job in content["jobs"].values() for s in job["steps"]]
    )


@pytest.mark.parametrize(("path", "schema"), SCHEMAS.items(), ids=lambda value: getattr(value, "name", value))
def test_a_file_is_valid_by_its_schema(path, schema):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(path)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_no_input_is_pasted_into_a_script():
    scripts = [step["run"] for path in (*WORKFLOWS, *ACTIONS) for step in steps(path) if "run" in step]
    assert [script for script in scripts if "${{" in script] == []


def test_every_foreign_action_is_pinned_by_commit_with_its_version_beside_it():
    lines = [line.strip() for path in (*WORKFLOWS, *ACTIONS) for line in path.read_text(encoding="utf-8").splitlines()]
    foreign = [line for line in lines if USES.match(line) and "uses: ./" not in line]
    assert foreign
    assert [line for line in foreign if not PINNED.fullmatch(line)] == []


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that holds the package as an installation from its wheel would."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site-packages")
    return folder / "site-packages"


@pytest.mark.slow
def test_an_installed_package_finds_its_scenarios_from_any_directory(installed, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "bench", "list", "sd15-precision"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(installed)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert "sd15-precision/baseline" in done.stdout


@pytest.mark.slow
def test_the_wheel_has_every_scenario_and_the_types(installed):
    scenarios = {path.relative_to(ROOT) for path in (ROOT / "scenarios").rglob("*.yaml")}
    assert {path.relative_to(installed / "bench") for path in installed.rglob("*.yaml")} == scenarios
    assert (installed / "bench" / "py.typed").is_file()


@pytest.mark.slow
def test_the_wheel_has_every_file_of_the_package(installed):
    tracked = subprocess.run(["git", "ls-files", "bench"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [name for name in tracked.stdout.splitlines() if not (installed / name).is_file()] == []


def test_every_imported_library_is_a_dependency():
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "bench").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    imported = {name.partition(".")[0] for name in names} - {"bench", *sys.stdlib_module_names}
    requirements = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["lpips"]]
    declared = {re.split("[<>=]", each)[0].replace("_", "-") for each in requirements}
    of = {**packages_distributions(), "pydantic_core": ["pydantic"]}  # whose core is pinned to it
    wanted = {of.get(name, [name])[0].lower().replace("_", "-") for name in imported}
    assert sorted(wanted - declared) == []


def test_ci_runs_on_every_supported_python():
    (job,) = load(GITHUB / "workflows" / "ci.yml")["jobs"].values()
    supported = [name.rpartition(" ")[2] for name in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", name)]
    assert job["strategy"]["matrix"]["python"] == supported


def test_the_changelog_begins_with_this_version():
    assert HEADING.search((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))["version"] == bench.__version__


def test_the_citation_is_of_the_newest_release():
    newest = HEADING.search((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    citation = load(ROOT / "CITATION.cff")
    assert str(citation["version"]) == newest["version"]
    assert str(citation["date-released"]) == newest["date"]


def test_a_commit_is_checked_by_what_make_lint_runs():
    (repository,) = load(ROOT / ".pre-commit-config.yaml")["repos"]
    checks = {hook["entry"].removesuffix(" --force-exclude").split(" -m ")[1] for hook in repository["hooks"]}
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").split("\nlint:")[1].split("\n\n")[0]
    assert {"ruff check", "ruff format", "mypy"} == checks
    assert [check for check in checks if f"-m {check}" not in recipe] == []
