"""Every command, scenario and program that the documentation shows: valid, and run for real where that is quick.

A command line is parsed by the real command line without running it, and what it names must exist in a workspace that
has what the pages talk about. So an unknown command, option, scenario or file fails here.
"""

import ast
import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from pages import blocks, inline_code
from ruamel.yaml import YAML
from support import ROOT
from typer.testing import CliRunner

import bench
from bench.cli.app import app
from bench.errors import InputError
from bench.pipelines.diffusers_api import vocabulary
from bench.plan import load

PROGRAM = typer.main.get_command(app)
USAGE_ERROR = typer.BadParameter.__base__  # typer exports no name for it
MEASURING = {"run", "tune"}
INPUTS = {"run", "runs", "base", "new", "base_python", "head_python"}
SCENARIOS = {"scenarios"}
RUNS = ("my-run", "monday", "wednesday", "friday")
VERDICTS = {0, 3}
"""How a gate of a run with itself may end: on the noise of the published run it is inconclusive."""
OTHER_PROGRAMS = {"pip": {"install"}, "pre-commit": {"install"}}
ACTION = YAML(typ="safe").load((ROOT / ".github/actions/gate/action.yml").read_text(encoding="utf-8"))
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def lines(block):
    """Return the command lines of a block as words, comments left out."""
    return [words for line in block.text.splitlines() if (words := shlex.split(line, comments=True))]


SHOWN = [(str(block), words) for block in blocks("sh") for words in lines(block)]
INLINE = [
    (page, shlex.split(text)) for page, text in inline_code() if re.match(r"(python -m bench|make) [a-z-]+", text)
]
COMMANDS = list({tuple(words): (place, words) for place, words in SHOWN + INLINE}.values())
NAMES = [f"{place} {' '.join(words)}" for place, words in COMMANDS]


def arguments_of_bench(words):
    """Return what `bench` is given by a command line; None for another program."""
    if words[:3] == ["python", "-m", "bench"]:
        return words[3:]
    if words[0] == "diffusion-bench":
        return words[1:]
    if words[:2] == ["make", "bench"]:
        return ["run", *shlex.split(words[2].removeprefix("ARGS="))] if words[2:] else ["run"]
    return None


OF_BENCH = [
    (name, given) for name, (_, words) in zip(NAMES, COMMANDS, strict=True) if (given := arguments_of_bench(words))
]


def parse(given):
    """Return the parsed values of a command of `bench`; raise for what it does not know."""
    name, *rest = given
    return PROGRAM.commands[name].make_context(name, rest).params


@pytest.fixture(scope="session")
def workspace(tmp_path_factory):
    """A directory with what the pages talk about: scenarios, runs, a baseline, two interpreters."""
    folder = tmp_path_factory.mktemp("workspace")
    shutil.copytree(ROOT / "scenarios", folder / "scenarios")
    published = ROOT / "results" / "published"
    shutil.copytree(published, folder / "results" / "published")
    for name in RUNS:
        shutil.copytree(published / "amd-epyc", folder / "results" / name)
    tutorial = next(block for block in blocks("yaml") if block.page == "docs/tutorial.md")
    (folder / "my-scenario.yaml").write_text(tutorial.text, encoding="utf-8")
    (folder / "models").mkdir()
    for name in ("old", "new"):
        (folder / name / "bin").mkdir(parents=True)
        (folder / name / "bin" / "python").symlink_to(sys.executable)
    return folder


@pytest.fixture
def inside(workspace, monkeypatch):
    monkeypatch.chdir(workspace)
    return workspace


def missing(params):
    """Return the scenarios and files that a command names and that are not in the current directory."""
    lost = [str(path) for name in INPUTS & params.keys() for path in _listed(params[name]) if not Path(path).exists()]
    scenarios = [name for key in SCENARIOS & params.keys() for name in _listed(params[key])]
    if "what" in params:  # of gate: results, or scenarios for two interpreters
        named = _listed(params["what"])
        scenarios += named if params["base_python"] else []
        lost += [] if params["base_python"] else [name for name in named if not Path(name).exists()]
    lost += [name for name in scenarios if not _is_scenario(name)]
    return [name for name in lost if not name.isupper()]  # RUN stands for any run


def _listed(value):
    return [] if value is None else value if isinstance(value, list | tuple) else [value]


def _is_scenario(name):
    try:
        return all(path.is_file() for path in load.find([name]))
    except InputError:
        return False


@pytest.mark.parametrize(("name", "given"), OF_BENCH, ids=[name for name, _ in OF_BENCH])
def test_a_command_of_the_pages_is_valid_and_names_what_exists(inside, name, given):
    assert missing(parse(given)) == []


@pytest.mark.parametrize(
    "wrong",
    ["measure sd15-precision", "run sd15-precision --replicates 4", "run sd15-precision --size huge", "compare one"],
)
def test_an_unknown_command_or_option_is_found(wrong):
    with pytest.raises((KeyError, USAGE_ERROR)):
        parse(shlex.split(wrong))


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ("run sd15-precission", "sd15-precission"),
        ("report results/nothing", "results/nothing"),
        ("gate results/nothing results/friday", "results/nothing"),
        ("gate --base-python gone/python --head-python new/bin/python sd15-precision", "gone/python"),
    ],
)
def test_a_missing_scenario_or_file_is_found(inside, wrong, name):
    assert missing(parse(shlex.split(wrong))) == [name]


OTHERS = [(name, words) for name, (_, words) in zip(NAMES, COMMANDS, strict=True) if arguments_of_bench(words) is None]


def unknown(words):
    """Return what is unknown about a command line of another program than `bench` and pytest."""
    program, *rest = words
    if program == "make":
        assignments = [word for word in rest if "=" in word]
        targets = [word for word in rest if word not in assignments]
        variables = {word.partition("=")[0] for word in assignments} - {"ARGS", "WORKERS", "PYTHON"}
        return [*(target for target in targets if target not in TARGETS), *variables]
    if program == "python":
        return [] if (ROOT / rest[0]).is_file() else [rest[0]]
    if program == "pytest":
        return []  # collected below
    return [] if rest[:1] and rest[0] in OTHER_PROGRAMS.get(program, ()) else [program]


@pytest.mark.parametrize(("name", "words"), OTHERS, ids=[name for name, _ in OTHERS])
def test_another_program_of_the_pages_is_known(name, words):
    assert unknown(words) == []


def test_an_unknown_target_or_script_is_found():
    assert unknown(["make", "benchmark"]) == ["benchmark"]
    assert unknown(["python", "tools/gone.py"]) == ["tools/gone.py"]
    assert unknown(["conda", "install"]) == ["conda"]


QUICK = [
    (name, given)
    for name, given in OF_BENCH
    if given[0] not in MEASURING and "--base-python" not in given and "RUN" not in given
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "given"), QUICK, ids=[name for name, _ in QUICK])
def test_a_quick_command_of_the_pages_runs(inside, name, given):
    if given[0] == "gate":
        CliRunner().invoke(app, ["save-baseline", "results/monday"], catch_exceptions=False)
    done = CliRunner().invoke(app, given, catch_exceptions=False)
    assert done.exit_code in (VERDICTS if given[0] == "gate" else {0}), done.output


def outside_of_pytest(*arguments):
    """Run this Python in the current directory, with the package of this checkout."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.slow
def test_the_tutorials_own_scenario_is_measured(inside):
    given = next(given for _, given in OF_BENCH if given[:2] == ["run", "my-scenario.yaml"])
    command = [
        sys.executable,
        "-m",
        "bench",
        *given[: given.index("--output")],
        "--output",
        "measured",
        "--device",
        "cpu",
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
    assert bench.load_results(inside / "measured")["status"].to_list() == ["ok"] * 3


COLLECTED = [(name, words) for name, words in OTHERS if words[0] == "pytest"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "words"), COLLECTED, ids=[name for name, _ in COLLECTED])
def test_pytest_collects_what_the_pages_select(inside, name, words):
    done = outside_of_pytest("-m", *words, "--collect-only", "-q")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_option_that_a_page_names_exists():
    known = {option for command in PROGRAM.commands.values() for each in command.params for option in each.opts}
    named = {word for _, text in inline_code() for word in re.findall(r"(?:^| )(--[a-z][a-z-]+)", text)}
    elsewhere = {word for word in named if word.startswith(("--benchmark-", "--diffusion-bench-"))} | {"--help"}
    other_programs = {"--screenshot", "--ephemeral"}
    assert named - known - elsewhere - other_programs == set()


YAML_BLOCKS = [block for block in blocks("yaml") if any(line and line[0] != "#" for line in block.text.splitlines())]


@pytest.mark.parametrize("block", YAML_BLOCKS, ids=str)
def test_a_yaml_block_is_a_valid_scenario_or_a_step_of_the_action(inside, block):
    content = YAML(typ="safe").load(block.text)
    if isinstance(content, list):
        (step,) = content
        required = {name for name, declared in ACTION["inputs"].items() if declared.get("required")}
        assert step["uses"].partition("@")[0].endswith("/.github/actions/gate")
        assert required <= step["with"].keys() <= ACTION["inputs"].keys()
        return
    path = inside / "scenarios" / f"example-{block.line}.yaml"
    path.write_text(block.text, encoding="utf-8")
    _, cases = load.load_file(path, vocabulary(), lambda _model: ["DDIMScheduler"])
    assert cases


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_a_python_block_calls_what_the_package_has(block):
    calls = [node for node in ast.walk(ast.parse(block.text)) if isinstance(node, ast.Call)]
    ours = [call for call in calls if ast.unparse(call.func).startswith("bench.")]
    for call in ours:
        function = getattr(bench, ast.unparse(call.func).removeprefix("bench."))
        keywords = {keyword.arg: None for keyword in call.keywords}
        inspect.signature(function).bind(*call.args, **keywords)
    assert ours


API = [block for block in blocks("python") if block.page == "docs/api.md"]


@pytest.mark.slow
@pytest.mark.parametrize("block", API, ids=str)
def test_the_programs_of_the_api_page_run(inside, block):
    done = outside_of_pytest("-c", block.text)
    assert done.returncode == 0, done.stderr
    assert done.stdout
