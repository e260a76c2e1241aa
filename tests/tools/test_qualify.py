"""`make gpu`: what stops one step costs none of the others, and what has passed is not done again."""

import json

import pytest
import qualify
from step import Outcome, Result, Step

PASSED = Outcome(Result.PASSED, "all is well")


class Steps:
    """Steps that a test scripts: what each does when it is run, one try after the other."""

    def __init__(self, **tries):
        self.ran = []
        self.tries = {name: iter(outcomes) for name, outcomes in tries.items()}

    def run(self, name):
        self.ran.append(name)
        outcome = next(self.tries[name])
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


@pytest.fixture
def steps(monkeypatch):
    def make(always=(), **tries):
        scripted = Steps(**tries)
        made = [
            Step(
                name, f"what {name} finds out", lambda _options, _folder, name=name: scripted.run(name), name in always
            )
            for name in tries
        ]
        monkeypatch.setattr(qualify, "STEPS", made)
        return scripted

    return make


@pytest.fixture
def qualified(tmp_path):
    """Run the steps and return the exit code and the rows of the summary by step."""

    def run(*arguments):
        code = qualify.main(["--output", str(tmp_path / "out"), *arguments])
        rows = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
        return code, {row["step"]: row for row in rows}

    return run


def test_steps_that_pass_exit_with_0(steps, qualified):
    steps(one=[PASSED], two=[PASSED])
    assert qualified()[0] == 0


def test_a_step_that_breaks_does_not_cost_the_next_one(steps, qualified):
    steps(one=[ValueError("no such card")], two=[PASSED])
    code, rows = qualified()
    assert code == 1
    assert {name: row["result"] for name, row in rows.items()} == {"one": "failed", "two": "passed"}
    assert rows["one"]["note"] == "ValueError: no such card"


def test_a_step_that_passed_is_skipped_the_next_time(steps, qualified):
    scripted = steps(one=[PASSED], two=[Outcome(Result.INCOMPLETE), PASSED])
    qualified()
    code, rows = qualified()
    assert scripted.ran == ["one", "two", "two"]
    assert code == 0
    assert rows["two"]["result"] == "passed"


def test_a_step_of_every_time_runs_again_although_it_passed(steps, qualified):
    scripted = steps(always=["one"], one=[PASSED, PASSED])
    qualified()
    qualified()
    assert scripted.ran == ["one", "one"]


def test_only_the_chosen_steps_run(steps, qualified):
    scripted = steps(one=[PASSED], two=[PASSED])
    qualified("--only", "two")
    assert scripted.ran == ["two"]


def test_the_exit_code_is_that_of_the_chosen_steps(steps, qualified):
    steps(one=[Outcome(Result.FAILED)], two=[PASSED])
    assert qualified("--only", "one")[0] == 1
    assert qualified("--only", "two")[0] == 0


def test_a_step_that_is_stopped_ends_the_program_and_continues_the_next_time(steps, qualified):
    scripted = steps(one=[KeyboardInterrupt(), PASSED], two=[PASSED])
    code, rows = qualified()
    assert code == 130
    assert rows["one"]["result"] == "incomplete"
    assert qualified()[0] == 0
    assert scripted.ran == ["one", "one", "two"]


def test_the_duration_of_a_step_is_that_of_all_its_tries(steps, qualified, monkeypatch):
    steps(one=[Outcome(Result.INCOMPLETE), PASSED])
    monkeypatch.setattr(qualify, "monotonic", iter([0.0, 100.0, 500.0, 530.0]).__next__)
    qualified()
    assert qualified()[1]["one"]["duration_s"] == 130.0


def test_the_summary_is_also_a_table_for_people(steps, qualified, tmp_path):
    steps(one=[Outcome(Result.FAILED, "a | b")])
    qualified()
    table = (tmp_path / "out" / "summary.md").read_text(encoding="utf-8").splitlines()
    assert table[0] == "| step | result | took | note | where |"
    assert table[2] == r"| one | failed | 0 s | a \| b | `one/` |"


def test_the_real_steps_have_different_names():
    names = [step.name for step in qualify.STEPS]
    assert sorted(set(names)) == sorted(names)


def test_the_last_step_packs_what_the_others_left_and_always_runs():
    assert [step.name for step in qualify.STEPS if step.always] == ["pack"]
    assert qualify.STEPS[-1].name == "pack"
