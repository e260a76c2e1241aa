import math
import os
from pathlib import Path

import pytest

from bench.errors import InputError
from bench.records import schema
from bench.records.store import PROCESSES, SAMPLES, Store, read_json, read_rows, replace

PLAN = {"scenarios": [], "cases": [], "run": {"device": "cpu"}}
FACTS = {"device": "cpu", "device_name": "a CPU", "torch": "2.9.0"}
KEY = {"scenario": "sd", "case": "fp16", "process": 0}
ROW = {**KEY, "status": "ok"}


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "run")
    opened.open(PLAN, FACTS, resume=False)
    yield opened
    opened.close()


def sample(index, latency_s):
    return {**KEY, "index": index, "latency_s": latency_s}


def stored_row(store, **facts):
    """Return a process row as it is read back."""
    store.append({**ROW, **facts}, [])
    return read_rows(store.folder / PROCESSES)[-1]


def test_a_new_folder_has_nothing_finished(tmp_path):
    assert Store(tmp_path / "run").open(PLAN, FACTS, resume=False) == []


def test_a_folder_is_made_with_its_parents(tmp_path):
    Store(tmp_path / "results" / "today" / "run").open(PLAN, FACTS, resume=False)
    assert (tmp_path / "results" / "today" / "run" / PROCESSES).is_file()


def test_the_plan_is_read_back_as_it_was_given(store):
    assert read_json(store.folder / "plan.json") == PLAN


def test_a_plan_grows_and_the_rows_stay(store):
    store.append(ROW, [])
    store.grow({**PLAN, "cases": [{"name": "fp16"}]})
    assert read_json(store.folder / "plan.json")["cases"] == [{"name": "fp16"}]
    assert len(read_rows(store.folder / PROCESSES)) == 1


def test_the_environment_is_read_back_as_it_was_given(store):
    assert read_json(store.folder / "environment.json") == FACTS


def test_the_files_have_their_columns_before_the_first_row(store):
    lines = [(store.folder / name).read_text(encoding="utf-8").rstrip("\n") for name in (SAMPLES, PROCESSES)]
    assert lines == [",".join(schema.names(columns)) for columns in (schema.SAMPLES, schema.PROCESSES)]


@pytest.mark.parametrize("latency_s", [0.1 + 0.2, 1 / 3, math.pi * 1e-9, 5e-324, 1.7976931348623157e308, 3.0])
def test_a_number_is_stored_at_full_precision(store, latency_s):
    store.append(ROW, [sample(0, latency_s)])
    assert read_rows(store.folder / SAMPLES)[0]["latency_s"] == repr(latency_s)


def test_samples_are_read_back_in_order(store):
    store.append(ROW, [sample(index, 0.5) for index in range(12)])
    assert [row["index"] for row in read_rows(store.folder / SAMPLES)] == [str(index) for index in range(12)]


def test_a_second_process_is_appended_after_the_first(store):
    store.append({**ROW, "case": "baseline"}, [])
    store.append(ROW, [])
    assert [row["case"] for row in read_rows(store.folder / PROCESSES)] == ["baseline", "fp16"]


def test_an_unknown_value_is_an_empty_cell(store):
    row = stored_row(store, peak_allocated_bytes=None)
    assert (row["peak_allocated_bytes"], row["peak_reserved_bytes"]) == ("", "")


def test_a_row_names_the_version_of_its_columns(store):
    assert stored_row(store)["schema"] == str(schema.VERSION)


@pytest.mark.parametrize(
    "reason",
    [
        "a, b; c",
        'he said "no"',
        "two\nlines",
        "größer als 10 µs: 模型 🎉",
        "a\x00b",
        " spaces ",
    ],
)
def test_any_text_in_a_reason_is_read_back_as_it_was(store, reason):
    assert stored_row(store, reason=reason)["reason"] == reason


def test_a_reason_that_quotes_bytes_which_are_no_text_is_still_a_row(store):
    name = os.fsdecode(b"weights-\xff.safetensors")  # what an OSError about such a file says
    assert stored_row(store, status="failed", reason=f"{name}: no such file")["status"] == "failed"


def test_a_carriage_return_is_read_back_as_a_newline(store):
    assert stored_row(store, reason="a\rreturn")["reason"] == "a\nreturn"


def test_a_reason_longer_than_csv_can_read_is_cut(store):
    assert stored_row(store, reason="x" * 200_000)["reason"] == "x" * 100_000


@pytest.mark.parametrize(("process", "samples"), [({"latncy": 1}, []), ({}, [{**KEY, "latncy_s": 1}])])
def test_an_unknown_column_is_refused(store, process, samples):
    with pytest.raises(ValueError, match="latncy"):
        store.append({**ROW, **process}, samples)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_process_whose_samples_did_not_fit_the_disk_has_no_row(store):
    (store.folder / SAMPLES).unlink()
    (store.folder / SAMPLES).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        store.append(ROW, [sample(0, 0.5)])
    assert read_rows(store.folder / PROCESSES) == []


def test_a_second_run_in_the_same_folder_is_refused(store):
    with pytest.raises(InputError, match="another run is writing here"):
        Store(store.folder).open(PLAN, FACTS, resume=True)


def test_a_refusal_names_the_folder_and_the_way_out(store):
    with pytest.raises(InputError) as refused:
        Store(store.folder).open(PLAN, FACTS, resume=True)
    assert [words for words in (str(store.folder), "--output") if words not in str(refused.value)] == []


def test_a_refused_run_leaves_the_first_ones_rows(store):
    store.append(ROW, [])
    with pytest.raises(InputError):
        Store(store.folder).open(PLAN, FACTS, resume=True)
    assert len(read_rows(store.folder / PROCESSES)) == 1


def test_a_closed_folder_can_be_opened_again(store):
    store.close()
    again = Store(store.folder)
    assert again.open(PLAN, FACTS, resume=True) == []
    again.close()


def test_a_folder_with_results_needs_resume(store):
    store.close()
    with pytest.raises(InputError, match="has results already; give --resume"):
        Store(store.folder).open(PLAN, FACTS, resume=False)


def test_a_refused_folder_is_let_go(store):
    store.close()
    refused = Store(store.folder)
    with pytest.raises(InputError):
        refused.open(PLAN, FACTS, resume=False)
    again = Store(store.folder)
    assert again.open(PLAN, FACTS, resume=True) == []
    again.close()


@pytest.mark.parametrize("below", ["", "run"])
def test_a_file_in_the_place_of_the_folder_is_an_input_error(write, below):
    folder = write("", "file") / below
    with pytest.raises(InputError, match="cannot be written") as refused:
        Store(folder).open(PLAN, FACTS, resume=False)
    assert str(folder) in str(refused.value)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_an_input_error(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(InputError, match="cannot be written"):
        Store(tmp_path / "run").open(PLAN, FACTS, resume=False)


def test_replacing_a_file_leaves_nothing_beside_it(tmp_path):
    replace(tmp_path / "results.csv", "old\n")
    replace(tmp_path / "results.csv", "new\n")
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {"results.csv": "new\n"}


def test_a_file_that_cannot_be_replaced_stays_as_it_was(tmp_path):
    replace(tmp_path / "results.csv", "old\n")
    (tmp_path / ".results.csv.new").mkdir()  # where the new one would be written first
    with pytest.raises(OSError, match="directory"):
        replace(tmp_path / "results.csv", "new\n")
    assert (tmp_path / "results.csv").read_text(encoding="utf-8") == "old\n"


def test_a_reader_of_the_old_file_is_not_disturbed(tmp_path):
    replace(tmp_path / "results.csv", "old\n")
    with (tmp_path / "results.csv").open(encoding="utf-8") as reader:
        replace(tmp_path / "results.csv", "new and longer\n")
        assert reader.read() == "old\n"
