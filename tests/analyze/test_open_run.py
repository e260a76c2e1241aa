import json
import os

import pandas as pd
import pytest
from analyze.make import FACTS, case, ended, make_folder, make_run, measured

from bench.analyze.run import newest, open_run
from bench.errors import InputError
from bench.records import schema
from bench.records.store import PROCESSES, SAMPLES


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path / "run", [case("baseline")], [measured("baseline", [0.5, 0.6], threads=1)])


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def set_cell(folder, column, value):
    """Write another text in one cell of the only process row, as somebody with an editor would."""
    path = folder / PROCESSES
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.loc[0, column] = value
    frame.to_csv(path, index=False)


def test_the_plan_is_read_back(tmp_path):
    cases = (
        case("baseline"),
        case("fp16", dtype="float16", optimizations=("tf32",), seed=(0, 1), claim={"speedup": 1.5}),
    )
    assert make_run(tmp_path / "run", cases).plan.cases == cases


def test_the_environment_is_read_back(folder):
    assert open_run(folder).environment == FACTS


def test_samples_are_read_at_full_precision(tmp_path):
    latencies = [0.1 + 0.2, 1 / 3, 1.0000000000000002, 5e-324, 123456789.12345679]
    run = make_run(tmp_path / "run", [case()], [measured("baseline", latencies)])
    assert run.samples["latency_s"].tolist() == latencies


@pytest.mark.parametrize(("table", "columns"), [("processes", schema.PROCESSES), ("samples", schema.SAMPLES)])
def test_every_column_has_its_type(folder, table, columns):
    types = {name: str(kind) for name, kind in getattr(open_run(folder), table).dtypes.items()}
    assert types == {column.name: column.type for column in columns}


@pytest.mark.parametrize(
    ("column", "value"), [("threads", 1), ("safety_checker", False), ("parameters", 3_470_000_000)]
)
def test_a_value_is_read_back_as_it_was_written(tmp_path, column, value):
    run = make_run(tmp_path / "run", [case()], [measured("baseline", 0.5, **{column: value})])
    assert run.processes[column].tolist() == [value]


def test_an_empty_cell_is_unknown(folder):
    row = open_run(folder).processes.iloc[0]
    assert [
        name for name in ("reason", "pinned_core", "peak_allocated_bytes", "tf32_conv") if not pd.isna(row[name])
    ] == []


def test_words_that_pandas_takes_for_unknown_stay_words(tmp_path):
    run = make_run(
        tmp_path / "run",
        [case()],
        [ended("baseline", "failed", "NA"), ended("baseline", "failed", "null", process=1)],
    )
    assert run.processes["reason"].tolist() == ["NA", "null"]


def test_samples_that_no_process_row_commits_to_are_left_out(folder):
    with (folder / SAMPLES).open("a", encoding="utf-8") as file:
        file.write("sd,fp16,0,0,0.25,\n")
    assert open_run(folder).samples["case"].tolist() == ["baseline", "baseline"]


def test_a_torn_last_line_is_left_out(folder):
    with (folder / SAMPLES).open("a", encoding="utf-8") as file:
        file.write("sd,baseline,0,2,0.2")
    assert len(open_run(folder).samples) == 2


def test_a_run_without_a_row_yet_can_be_opened(tmp_path):
    assert len(make_run(tmp_path / "run", [case()]).processes) == 0


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_a_folder_that_is_no_run_is_an_input_error(tmp_path, name):
    with pytest.raises(InputError, match="is not the folder of a run") as refused:
        open_run(tmp_path / name)
    assert str(tmp_path / name) in str(refused.value)


@pytest.mark.parametrize("name", ["plan.json", "environment.json"])
@pytest.mark.parametrize(
    "text", ["", '{"cases": [', "[]", "null", '"\xff"'], ids=["empty", "cut", "a list", "null", "other encoding"]
)
def test_a_damaged_json_file_is_named(folder, name, text):
    (folder / name).write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=f"{name}: is no JSON"):
        open_run(folder)


@pytest.mark.parametrize(
    "change", [{"scenarios": None}, {"cases": [{"scenario": "sd", "name": "fp16", "color": "red"}]}, {"cases": 1}]
)
def test_json_that_is_no_plan_is_named(folder, change):
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8")) | change
    (folder / "plan.json").write_text(
        json.dumps({name: value for name, value in plan.items() if value is not None}), encoding="utf-8"
    )
    with pytest.raises(InputError, match=r"plan\.json"):
        open_run(folder)


@pytest.mark.parametrize("name", ["plan.json", "environment.json", SAMPLES])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name}: cannot be read"):
        open_run(folder)


@pytest.mark.parametrize("name", [SAMPLES, PROCESSES])
def test_foreign_columns_are_named_with_their_file(folder, name):
    edit(folder / name, "process", "repetition")
    with pytest.raises(InputError, match=f"{name}:1: has not the columns of schema {schema.VERSION}"):
        open_run(folder)


def test_a_text_in_a_column_of_seconds_is_named_with_its_file(folder):
    edit(folder / SAMPLES, "0.5", "fast")
    with pytest.raises(InputError, match=f"{SAMPLES}:2: "):
        open_run(folder)


@pytest.mark.parametrize("value", ["many", "1.5"])
def test_a_text_in_a_column_of_whole_numbers_is_named_with_its_file(folder, value):
    set_cell(folder, "threads", value)
    with pytest.raises(InputError, match=f"{PROCESSES}:2: "):
        open_run(folder)


def test_a_text_in_a_column_of_true_and_false_is_named_with_its_file(folder):
    set_cell(folder, "safety_checker", "perhaps")
    with pytest.raises(InputError, match=f"{PROCESSES}:2: "):
        open_run(folder)


def test_newest_is_the_run_that_was_written_to_last(tmp_path):
    older, newer = (make_folder(tmp_path / name, [case()]) for name in ("b-older", "a-newer"))
    os.utime(older / PROCESSES, (1000, 1000))
    os.utime(newer / PROCESSES, (2000, 2000))
    assert newest(tmp_path) == newer


def test_newest_passes_over_folders_that_are_no_run(tmp_path):
    run = make_folder(tmp_path / "run", [case()])
    (tmp_path / "notes").mkdir()
    assert newest(tmp_path) == run


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_newest_of_no_runs_is_an_input_error(tmp_path, name):
    with pytest.raises(InputError, match="holds no run"):
        newest(tmp_path / name)
