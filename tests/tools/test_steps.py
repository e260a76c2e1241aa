"""What each step of `make gpu` makes of what the programs it runs leave behind."""

import json
import os
import signal
from types import SimpleNamespace

import pytest
import steps
from analyze.make import case, ended, in_passes, make_folder, measured
from step import LOG, Options, Outcome, Result, logged

from bench.plan.settings import RunSettings

CASES = [case("baseline"), case("fp16")]
BASELINE, FP16 = in_passes("baseline", [2.0, 2.0]), in_passes("fp16", [1.0, 1.0])
JUNIT = '<testsuites><testsuite tests="{tests}" skipped="{skipped}" failures="{failures}" errors="0"/></testsuites>'


@pytest.fixture
def options(tmp_path):
    return Options(tmp_path)


@pytest.fixture
def program(monkeypatch):
    """Stand in for the programs that steps run: note their arguments, do something, return exit codes in turn."""
    asked = []

    def make(*codes, act=None):
        left = iter(codes)

        def run(arguments, folder):
            asked.append(list(arguments))
            if act is not None:
                act(folder)
            return next(left)

        monkeypatch.setattr(steps, "logged", run)
        return asked

    return make


@pytest.fixture
def run_of(tmp_path):
    """Make the run in a step's folder, of a plan with two processes per case; return the step's folder."""

    def make(*records):
        made = make_folder(tmp_path / "run", CASES, records)
        plan = json.loads((made / "plan.json").read_text(encoding="utf-8"))
        plan["run"] = RunSettings("cuda", "full", processes=2).to_json()
        (made / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        return tmp_path

    return make


def test_what_a_program_prints_is_kept(tmp_path):
    assert logged(["-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"], tmp_path) == 3
    assert sorted((tmp_path / LOG).read_text(encoding="utf-8").split()) == ["err", "out"]


def test_a_request_to_stop_reaches_the_program_and_then_the_steps(tmp_path):
    waiting = "import os, signal, time; os.kill(os.getppid(), signal.SIGTERM); time.sleep(60)"
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        logged(["-c", waiting], tmp_path)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_run_is_begun_with_what_is_to_be_measured(options, tmp_path, program):
    asked = program(2)
    steps.tables(options, tmp_path)
    assert asked[0][:3] == ["-m", "bench", "run"]
    assert asked[0][-4:] == ["--processes", "4", "--output", str(tmp_path / "run")]


def test_a_run_that_was_begun_is_continued_as_it_was_begun(tmp_path, program, run_of):
    folder, asked = run_of(*BASELINE), program(0)
    steps.tables(Options(tmp_path, budget="2h"), folder)
    assert asked == [["-m", "bench", "run", "--resume", "--budget", "2h", "--output", str(folder / "run")]]


def test_a_run_that_could_not_begin_has_failed(options, tmp_path, program):
    program(2)
    assert steps.tables(options, tmp_path).result is Result.FAILED


def test_a_run_with_all_processes_of_all_cases_has_passed(options, program, run_of):
    program(0)
    assert steps.tables(options, run_of(*BASELINE, *FP16)).result is Result.PASSED


def test_a_run_that_lacks_a_process_is_incomplete(options, program, run_of):
    program(0)
    outcome = steps.tables(options, run_of(*BASELINE, FP16[0]))
    assert outcome.result is Result.INCOMPLETE
    assert outcome.note == "1 of 2 cases are left; run this again"


def test_a_process_that_was_interrupted_is_still_to_come(options, program, run_of):
    program(130)
    left = run_of(*BASELINE, FP16[0], ended("fp16", "interrupted", process=1))
    assert steps.tables(options, left).result is Result.INCOMPLETE


def test_a_case_that_failed_is_named_and_not_waited_for(options, program, run_of):
    program(1)
    outcome = steps.tables(options, run_of(*BASELINE, ended("fp16", "failed", "no such kernel")))
    assert outcome.result is Result.FAILED
    assert outcome.note == "1 of 2 cases failed: sd/fp16"


def test_a_case_that_this_card_cannot_run_is_an_answer(options, program, run_of):
    program(0)
    assert steps.tables(options, run_of(*BASELINE, ended("fp16", "skipped", "needs Ampere"))).result is Result.PASSED


def gates(options, tmp_path, program, *codes):
    asked = program(*codes)
    return steps.gate(options, tmp_path), asked


@pytest.mark.parametrize(("odd", "result"), [(0, "passed"), (3, "passed"), (1, "failed"), (4, "failed")])
def test_a_gate_of_an_environment_with_itself_may_be_undecided_but_nothing_else(
    options, tmp_path, program, odd, result
):
    outcome, _ = gates(options, tmp_path, program, *[0] * 9, odd)
    assert outcome.result == result


def test_ten_gates_have_the_same_interpreter_on_both_sides(options, tmp_path, program):
    _, asked = gates(options, tmp_path, program, *[0] * 10)
    sides = {(each[each.index("--base-python") + 1], each[each.index("--head-python") + 1]) for each in asked}
    assert len(asked) == 10
    assert [base == head for base, head in sides] == [True]


def test_verdicts_are_counted(options, tmp_path, program):
    gates(options, tmp_path, program, *[0] * 8, 3, 3)
    counts = json.loads((tmp_path / "verdicts.json").read_text(encoding="utf-8"))
    assert counts == {"passed": 8, "inconclusive": 2}


def test_only_gates_without_a_verdict_are_measured_again(options, tmp_path, program):
    with pytest.raises(RuntimeError, match="bench gate exited with 130"):
        gates(options, tmp_path, program, 0, 0, 130)
    _, asked = gates(options, tmp_path, program, *[0] * 8)
    assert len(asked) == 3 + 8  # both tries are in the list


def test_the_spread_is_the_deviation_of_the_medians_of_processes(options, program, run_of):
    program(0)
    folder = run_of(*in_passes("baseline", [1.0, 1.02]), *in_passes("fp16", [1.0, 1.0]))
    assert steps.spread(options, folder).result is Result.PASSED
    found = json.loads((folder / "spread.json").read_text(encoding="utf-8"))
    assert found == {"sd/baseline": pytest.approx(0.0141, abs=1e-4), "sd/fp16": 0.0}


@pytest.mark.parametrize(
    ("low", "high", "result"), [(0.999, 1.001, "passed"), (1.002, 1.02, "passed"), (1.006, 1.02, "failed")]
)
def test_overhead_fails_where_its_whole_interval_is_beyond_what_is_allowed(
    options, tmp_path, program, low, high, result
):
    figures = {"ratio": (low + high) / 2, "low": low, "high": high, "blocks": 100}
    program(0, act=lambda folder: (folder / "overhead.json").write_text(json.dumps(figures), encoding="utf-8"))
    assert steps.overhead(options, tmp_path).result == result


@pytest.mark.parametrize(
    ("device", "skipped", "failures", "code", "result"),
    [
        ("cuda", 2, 0, 0, "passed"),
        ("cuda", 18, 0, 0, "failed"),  # there is no card, or torch does not see it
        ("cpu", 18, 0, 0, "passed"),
        ("cuda", 0, 1, 1, "failed"),
    ],
)
def test_tests_of_a_gpu_pass_if_some_ran_and_none_failed(tmp_path, program, device, skipped, failures, code, result):
    report = JUNIT.format(tests=18, skipped=skipped, failures=failures)
    program(code, act=lambda folder: (folder / "tests.xml").write_text(report, encoding="utf-8"))
    assert steps.gpu_tests(Options(tmp_path, device), tmp_path).result == result


READY = {
    "ready": True, "cards": {}, "facts": {"device_name": "NVIDIA H200", "torch": "2.13", "diffusers": "0.42"},
    "problems": [{"message": "No room.", "prevents": True}, {"message": "Busy.", "prevents": False}],
}  # fmt: skip


@pytest.fixture
def doctor(monkeypatch):
    """Stand in for `doctor`: note its arguments and print this."""
    asked = []

    def make(printed, code=0):
        def run(command, **_):
            asked.append(command)
            return SimpleNamespace(stdout=printed, stderr="oh", returncode=code)

        monkeypatch.setattr(steps.subprocess, "run", run)
        return asked

    return make


def test_the_installation_is_what_the_doctor_says_of_the_tables(options, tmp_path, doctor):
    asked = doctor(json.dumps(READY))
    assert steps.install(options, tmp_path).note == "NVIDIA H200, torch 2.13, diffusers 0.42"
    assert asked[0][1:] == ["-m", "bench", "doctor", *options.measuring, "--json"]


def test_what_prevents_a_run_fails_the_installation(options, tmp_path, doctor):
    doctor(json.dumps({**READY, "ready": False}), 1)
    assert steps.install(options, tmp_path) == Outcome(Result.FAILED, "No room.")


def test_a_doctor_without_an_answer_fails_the_installation(options, tmp_path, doctor):
    doctor("", 2)
    assert steps.install(options, tmp_path) == Outcome(Result.FAILED, f"bench doctor exited with 2; see {LOG}")


@pytest.mark.slow
@pytest.mark.skipif(os.path.exists("/dev/dri"), reason="there may be an XPU here")  # noqa: PTH110 - a device
def test_a_device_that_is_not_here_fails_the_installation_with_its_reason(tmp_path):
    outcome = steps.install(Options(tmp_path, "xpu"), tmp_path)
    assert outcome.result is Result.FAILED
    assert "there is no xpu device here" in outcome.note


@pytest.mark.parametrize(("records", "result"), [([measured("baseline", 2.0)], "passed"), ([], "failed")])
def test_a_package_that_can_be_published_passes(tmp_path, records, result):
    make_folder(tmp_path / "tables" / "run", CASES[:1], records, git_commit="0123456789ab")
    assert steps.packed(Options(tmp_path), tmp_path / "pack").result == result
