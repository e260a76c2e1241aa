"""The composite action and the GPU workflow: their scripts, run for real with stand-ins for what they call."""

import os
import re
import subprocess
import sys

import pytest
from ruamel.yaml import YAML
from support import ROOT

from bench.units import parse_duration

ACTION = ROOT / ".github/actions/gate/action.yml"
WORKFLOW = ROOT / ".github/workflows/gpu-gate.yml"

STAND_IN = """\
#!/bin/sh
printf '%s\\n' "$@" > "{asked}"
exit {code}
"""


def load(path):
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


@pytest.fixture
def step(tmp_path):
    """Run the action's shell step as a runner would; return the process and the job output."""
    declared = load(ACTION)
    run = declared["runs"]["steps"][0]

    def run_step(**inputs):
        given = {name: value.get("default", "") for name, value in declared["inputs"].items()} | inputs
        written = tmp_path / "github-output"
        variables = {name: _filled(value, given) for name, value in run["env"].items()}
        runner = {"GITHUB_OUTPUT": str(written), "GITHUB_ACTION_PATH": str(ACTION.parent)}
        process = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", run["run"]],
            cwd=tmp_path, env={**os.environ, **variables, **runner}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return process, written.read_text(encoding="utf-8") if written.exists() else ""

    return run_step


def _filled(value, inputs):
    for name, given in inputs.items():
        value = value.replace("${{ inputs." + name + " }}", given)
    assert "${{" not in value
    return value


@pytest.fixture
def stand_in(tmp_path):
    """Return an interpreter for the action's script whose `-m bench` records its arguments and exits with a code."""

    def make(code):
        bench, python = tmp_path / "bench-stand-in", tmp_path / "python"
        bench.write_text(STAND_IN.format(asked=tmp_path / "asked", code=code), encoding="utf-8")
        python.write_text(
            f'#!/bin/sh\ncase "$2" in -m) exec "{bench}" "$@";; *) exec "{sys.executable}" "$@";; esac\n',
            encoding="utf-8",
        )
        for program in (bench, python):
            program.chmod(0o755)
        return str(python)

    return make


def gate_inputs(python, **others):
    return {"python": python, "base-python": "/b/python", "head-python": "/h/python", "scenarios": "one two", **others}


def test_the_workflow_gives_the_action_only_inputs_that_it_has():
    used = next(
        each["with"] for each in load(WORKFLOW)["jobs"]["gate"]["steps"] if each.get("uses", "").startswith("./")
    )
    assert set(used) <= set(load(ACTION)["inputs"])


def test_the_workflow_ends_the_gate_well_before_the_runner_ends_the_job():
    """A job that is killed has no verdict; to install and to download takes up to an hour."""
    workflow = load(WORKFLOW)
    budget_s = parse_duration(workflow["on"]["workflow_dispatch"]["inputs"]["budget"]["default"])
    assert budget_s + 3600 <= 60 * workflow["jobs"]["gate"]["timeout-minutes"]


def test_a_scheduled_gate_has_the_defaults_of_one_that_is_started_by_hand():
    """Without inputs, which only a start by hand has, the expressions choose what follows `||`."""
    workflow = load(WORKFLOW)
    defaults = {name: each["default"] for name, each in workflow["on"]["workflow_dispatch"]["inputs"].items()}
    text = WORKFLOW.read_text(encoding="utf-8")
    assert dict(re.findall(r"\$\{\{ inputs\.(\w+) \|\| '([^']*)' \}\}", text)) == defaults


@pytest.mark.parametrize(
    ("code", "verdict"),
    [(0, "passed"), (1, "regressed"), (3, "inconclusive"), (4, "not comparable"), (2, "no verdict")],
)
def test_the_step_ends_with_the_gates_exit_code_and_sets_its_verdict(step, stand_in, code, verdict):
    process, output = step(**gate_inputs(stand_in(code)))
    assert process.returncode == code
    assert output == f"verdict={verdict}\n"


def test_an_inconclusive_gate_passes_with_a_warning_if_asked_to(step, stand_in):
    process, output = step(**gate_inputs(stand_in(3), inconclusive="pass"))
    assert process.returncode == 0
    assert output == "verdict=inconclusive\n"
    assert "::warning::" in process.stdout


def test_a_regression_fails_even_if_inconclusive_passes(step, stand_in):
    assert step(**gate_inputs(stand_in(1), inconclusive="pass"))[0].returncode == 1


def test_scenarios_and_arguments_are_split_as_a_shell_does_and_nothing_in_them_runs(step, stand_in, tmp_path):
    step(**gate_inputs(stand_in(0), scenarios="'my scenario.yaml' two", arguments="--only '$(touch pwned) *'"))
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert asked[3:6] == ["gate", "my scenario.yaml", "two"]
    assert asked[-2:] == ["--only", "$(touch pwned) *"]
    assert not (tmp_path / "pwned").exists()


def test_arguments_that_cannot_be_split_fail_the_step(step, stand_in):
    process, _ = step(**gate_inputs(stand_in(0), arguments="--only 'open"))
    assert process.returncode != 0
    assert "No closing quotation" in process.stderr


def test_the_gate_understands_the_command(step, tmp_path):
    """The real command line, up to the point where its scenario is not found."""
    process, output = step(
        **gate_inputs(sys.executable, **{"base-python": sys.executable, "head-python": sys.executable})
    )
    assert process.returncode == 2
    assert output == "verdict=no verdict\n"
    assert "unknown scenario 'one'" in process.stderr


def test_nothing_of_the_checkout_under_test_is_imported_by_the_harness(step, tmp_path):
    trap = "import pathlib; pathlib.Path('executed').touch()"
    (tmp_path / "bench").mkdir()
    for module in ("bench/__init__.py", "bench/__main__.py", "typer.py", "torch.py"):
        (tmp_path / module).write_text(trap, encoding="utf-8")
    step(**gate_inputs(sys.executable))
    assert not (tmp_path / "executed").exists()


VENV = """\
#!/bin/sh
for folder; do :; done  # the last argument
mkdir -p "$folder/bin"
printf '#!/bin/sh\\necho "%s $*" >> "{log}"\\n' "$folder" > "$folder/bin/python"
chmod +x "$folder/bin/python"
"""


def test_the_workflow_makes_two_environments_that_differ_in_one_package(tmp_path):
    """The step's script, with a python3 whose environments only record what they are asked to install."""
    script = next(each["run"] for each in load(WORKFLOW)["jobs"]["gate"]["steps"] if "venv" in each.get("run", ""))
    log, python = tmp_path / "log", tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.write_text(VENV.format(log=log), encoding="utf-8")
    python.chmod(0o755)
    asked = {"BASE": "diffusers==0.42.1", "HEAD": "git+https://example.org/d@refs/pull/1/head; touch pwned"}
    environment = {**os.environ, **asked, "PATH": f"{python.parent}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-eo", "pipefail", "-c", script], cwd=tmp_path, env=environment, check=True)
    installed = [line.split(" -m pip install ") for line in log.read_text(encoding="utf-8").splitlines()]
    assert installed == [
        [".envs/base", "--quiet ."], [".envs/head", "--quiet ."],
        [".envs/base", f"--quiet --upgrade {asked['BASE']}"], [".envs/head", f"--quiet --upgrade {asked['HEAD']}"],
    ]  # fmt: skip
    assert not (tmp_path / "pwned").exists()
