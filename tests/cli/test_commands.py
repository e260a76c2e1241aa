"""What all commands have in common: help, version, speed of import; and the commands that only look."""

import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT, SCENARIO, assert_ended, assert_refused, bench, environment

import bench as package
from bench.cli import app as application
from bench.cli.app import COMMANDS

RUN = "the folder of a run"
WITHOUT_TORCH = """
import sys
from bench.cli.app import main
sys.argv = ["bench", *sys.argv[1:]]
try:
    main()
finally:
    print("torch" in sys.modules)
"""


def help_of(*command):
    return bench(*command, "--help", cwd=ROOT).stdout


def test_version_prints_the_version_of_the_package(tmp_path):
    assert bench("--version", cwd=tmp_path).stdout == f"diffusion-bench {package.__version__}\n"


def test_help_lists_every_command():
    listed = [line.split()[0] for line in help_of().split("Commands:")[1].splitlines() if line.startswith("  ")]
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)


def test_a_description_in_the_list_of_commands_is_not_cut():
    assert "..." not in help_of().split("Commands:")[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_an_example(command):
    assert f"python -m bench {command}" in " ".join(help_of(command).rpartition("Example:")[2].split())


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["run", "--help"], ["list", "small.yaml"], ["optimizations"], ["schema"], ["recommend", RUN]],
)
def test_a_command_that_measures_nothing_does_not_import_torch(arguments, write, finished_run, tmp_path):
    write(SCENARIO, "small.yaml")
    given = [str(finished_run[0]) if argument == RUN else argument for argument in arguments]
    command = [sys.executable, "-c", WITHOUT_TORCH, *given]
    process = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
    assert process.stdout.splitlines()[-1] == "False"


def test_only_adds_the_baseline(write, tmp_path):
    write(SCENARIO, "small.yaml")
    listed = bench("list", "small.yaml", "--only", "small/tf32", cwd=tmp_path)
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["small/baseline", "small/tf32"]


def test_only_says_that_it_adds_the_baseline(write, tmp_path):
    write(SCENARIO, "small.yaml")
    listed = bench("list", "small.yaml", "--only", "small/tf32", cwd=tmp_path)
    assert listed.stderr == "--only: also running small/baseline, the baseline for speed-ups\n"


def test_a_scenario_is_listed_with_its_settings(tmp_path):
    line = bench("list", "sd15-precision", "--only", "*/combined", cwd=tmp_path).stdout.splitlines()[-1]
    assert line.split() == ["sd15-precision/combined", "stable-diffusion-v1-5", "float16", "DDIMScheduler", "tf32"]


def test_an_unknown_scenario_is_refused(tmp_path):
    assert_refused(bench("list", "sd15-precisio", cwd=tmp_path), "did you mean 'sd15-precision'?")


def test_every_optimization_is_printed_with_source_conflicts_and_verification(tmp_path):
    printed = bench("optimizations", cwd=tmp_path).stdout
    block = printed[printed.index("attention_sdpa:") : printed.index("attention_slicing:")]
    assert {"source", "verified", "conflicts"} <= set(block.split())


def test_every_column_is_printed_with_its_meaning(tmp_path):
    assert "| `latency_s` | number | host seconds" in bench("columns", cwd=tmp_path).stdout


def test_the_schema_is_the_published_one(tmp_path):
    published = (ROOT / "bench" / "plan" / "scenario.schema.json").read_text(encoding="utf-8")
    assert bench("schema", cwd=tmp_path).stdout.strip() == published.strip()


def test_a_full_disk_is_refused_in_one_line(tmp_path):
    process = bench("report", ROOT / "results/published/amd-epyc", "--output", "/dev/full/report.html", cwd=tmp_path)
    assert_ended(process, 2)
    assert len(process.stderr.splitlines()) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize(
    "command", ["--version", "list sd15-precision", "schema", "tables RUN", "compare RUN RUN", "recommend RUN"]
)
def test_output_that_cannot_be_written_is_named(tmp_path, command):
    arguments = command.replace("RUN", str(ROOT / "results/published/amd-epyc")).split()
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "bench", *arguments],
            cwd=tmp_path, env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert process.returncode == 2
    assert process.stderr == "standard output: No space left on device; choose another place, or free some space\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_refusal_that_cannot_be_printed_keeps_its_exit_code(tmp_path):
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "bench", "tables", "nothing"],
            cwd=tmp_path,
            env=environment(),
            stderr=full,
            check=False,
        )
    assert process.returncode == 2


def test_nothing_is_imported_from_the_current_directory(tmp_path):
    for module in ("typer", "pydantic", "ruamel", "torch", "diffusers", "numpy"):
        (tmp_path / f"{module}.py").write_text("open('executed', 'w')", encoding="utf-8")
    assert_ended(bench("list", "sd15-precision", cwd=tmp_path), 0)
    assert not (tmp_path / "executed").exists()


def test_a_fault_of_the_program_is_no_verdict(monkeypatch, capsys):
    def fails():
        raise RuntimeError("\x1b[31m\n::error::no")

    monkeypatch.setattr(application, "app", fails)
    with pytest.raises(SystemExit) as ended:
        application.main()
    assert ended.value.code == 70
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert [line for line in shown.split("\n") if not line.isprintable() or line.startswith("::")] == []


def test_a_refusal_commands_neither_a_terminal_nor_a_runner(tmp_path):
    process = bench("tables", "no\x1b[31m\n::error::such", cwd=tmp_path)
    assert_refused(process, "such")
    assert [line for line in process.stderr.split("\n") if not line.isprintable() or line.startswith("::")] == []
