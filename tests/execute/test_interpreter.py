"""What a worker gets of this environment, and what its log keeps of it."""

import json
import subprocess
import sys

import pytest

from bench.execute import interpreter

SECRET = "pa55w0rdpa55w0rd"  # noqa: S105 - of nobody


@pytest.mark.parametrize(
    "name",
    [
        "GITHUB_TOKEN", "GITHUB_OUTPUT", "ACTIONS_RUNTIME_TOKEN", "RUNNER_TEMP", "CI_JOB_TOKEN", "BUILDKITE_AGENT_META",
        "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "OPENAI_API_KEY", "WANDB_API_KEY", "DB_PASSWORD",
        "GOOGLE_APPLICATION_CREDENTIALS", "npm_token", "SSH_PRIVATE_KEY",
    ],
)  # fmt: skip
def test_a_worker_gets_no_variable_of_a_ci_system_and_no_secret(name):
    assert name not in interpreter.environment({name: SECRET})


@pytest.mark.parametrize("name", ["HF_TOKEN", "HF_HOME", "CUDA_VISIBLE_DEVICES", "PATH", "OMP_NUM_THREADS", "CI"])
def test_a_worker_gets_what_it_needs(name):
    assert interpreter.environment({name: "value"})[name] == "value"


def test_an_empty_entry_of_the_import_path_is_dropped():
    assert interpreter.environment({"PYTHONPATH": ":/a::/b:"})["PYTHONPATH"] == "/a:/b"


@pytest.mark.parametrize(("given", "kept"), [("2", "1"), ("1", "1"), ("0", "0"), ("x", "x")])
def test_a_worker_keeps_docstrings_which_transformers_reads(given, kept):
    assert interpreter.environment({"PYTHONOPTIMIZE": given})["PYTHONOPTIMIZE"] == kept


@pytest.mark.parametrize("variables", [{}, {"PYTHONSAFEPATH": ""}, {"PYTHONPATH": ""}])
def test_a_worker_imports_nothing_from_the_current_directory(tmp_path, variables):
    for module in ("torch", "diffusers", "numpy", "json", "bench", "typing_extensions"):
        (tmp_path / f"{module}.py").write_text("open('executed', 'w')")
    environment = interpreter.environment(variables)
    command = interpreter.command(sys.executable, "bench.execute.worker.serve")
    request = json.dumps({"op": "hub", "started_by": "spawn"}) + "\n"
    environment |= {"HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        command, input=request, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert '"answer":false' in done.stdout, done.stderr
    assert not (tmp_path / "executed").exists()


def test_a_log_keeps_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("MY_TOKEN", SECRET)
    log = tmp_path / "a.log"
    log.write_text(f"https://user:other@host/x failed: {SECRET}\nlast line\n")
    interpreter.mask_log(log)
    assert log.read_text() == "https://***@host/x failed: ***\nlast line\n"


def test_a_log_without_secrets_stays_as_it_is(tmp_path):
    log = tmp_path / "a.log"
    log.write_bytes(b"caf\xe9\n")
    interpreter.mask_log(log)
    assert log.read_bytes() == b"caf\xe9\n"


def test_of_a_log_that_is_too_long_to_be_masked_only_the_beginning_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(interpreter, "LARGEST_LOG", 10)
    log = tmp_path / "a.log"
    log.write_text("beginning, https://user:pa55w0rd@host/x")
    interpreter.mask_log(log)
    assert log.read_text() == "beginning,"
