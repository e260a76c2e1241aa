import json
import os

import pytest
from analyze.make import FACTS, case, ended, make_folder, make_run, measured

from bench.analyze.run import newest, open_run
from bench.errors import InputError
from bench.records.store import OLD_PROCESSES, PROCESSES


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path / "run", [case("baseline")], [measured("baseline", [0.5, 0.6], threads=1)])


def test_the_plan_is_read_back(tmp_path):
    cases = (
        case("baseline"),
        case("fp16", dtype="float16", optimizations=("tf32",), seed=(0, 1), claim={"speedup": 1.5}),
    )
    assert make_run(tmp_path / "run", cases).plan.cases == cases


def test_the_environment_is_read_back(folder):
    assert open_run(folder).environment == FACTS


def test_processes_are_read_back_as_they_were_written(tmp_path):
    records = (measured("baseline", [0.1 + 0.2, 1 / 3, 5e-324], threads=1), ended("fp16", "failed", "NA"))
    assert make_run(tmp_path / "run", [case(), case("fp16")], records).processes == records


def test_the_versions_are_those_of_the_environment(folder):
    assert open_run(folder).versions.torch == FACTS["torch"]


def test_a_run_without_a_process_yet_can_be_opened(tmp_path):
    assert make_run(tmp_path / "run", [case()]).processes == ()


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_a_folder_that_is_not_a_run_is_named(tmp_path, name):
    with pytest.raises(InputError, match="is not the folder of a run") as refused:
        open_run(tmp_path / name)
    assert str(tmp_path / name) in str(refused.value)


def test_a_run_of_an_older_version_is_named_as_one(tmp_path):
    (tmp_path / OLD_PROCESSES).write_text("scenario,case\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"a version before 0\.2\.0"):
        open_run(tmp_path)


@pytest.mark.parametrize("name", ["plan.json", "environment.json"])
@pytest.mark.parametrize(
    "text",
    ["", '{"cases": [', "[]", "null", '"\xff"', "[" * 100_000],
    ids=["empty", "cut", "a list", "null", "other encoding", "too deep"],
)
def test_a_damaged_json_file_is_named(folder, name, text):
    (folder / name).write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=f"{name}: is not (a JSON|JSON|a plan)"):
        open_run(folder)


@pytest.mark.parametrize("name", ["plan.json", "environment.json"])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name}: cannot be read"):
        open_run(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"scenarios": None},
        {"cases": [{"scenario": "sd", "name": "fp16", "color": "red"}]},
        {"cases": 1},
        {"cases": [1]},
        {"run": None},
        {"run": {"color": "red"}},
    ],
)
def test_json_that_is_not_a_plan_is_named(folder, change):
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    (folder / "plan.json").write_text(json.dumps(plan | change), encoding="utf-8")
    with pytest.raises(InputError, match=r"plan\.json: is not a plan of this version"):
        open_run(folder)


def test_newest_is_the_run_that_was_written_to_last(tmp_path):
    older, newer = (make_folder(tmp_path / name, [case()]) for name in ("b-older", "a-newer"))
    os.utime(older / PROCESSES, (1000, 1000))
    os.utime(newer / PROCESSES, (2000, 2000))
    assert newest(tmp_path) == newer


def test_newest_passes_over_folders_that_are_not_runs(tmp_path):
    run = make_folder(tmp_path / "run", [case()])
    (tmp_path / "notes").mkdir()
    assert newest(tmp_path) == run


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_newest_of_no_runs_is_an_input_error(tmp_path, name):
    with pytest.raises(InputError, match="contains no run"):
        newest(tmp_path / name)


def test_a_version_that_is_not_a_text_is_refused_with_its_file(tmp_path):
    run = make_run(tmp_path / "run", [case()], [measured("baseline", 1.0)], torch=["2.9.0"])
    with pytest.raises(InputError, match=r"environment\.json: torch is .*the file is damaged"):
        _ = run.versions
