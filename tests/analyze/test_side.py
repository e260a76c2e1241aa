"""A results.csv or a run's folder is read whole or refused with its place; nothing in between, and no traceback."""

import csv
import io
import json
from pathlib import Path

import pytest
from analyze.make import case, ended, make_folder, make_side, measured, replicated

from bench.analyze.results import write_results
from bench.analyze.side import distinct, open_side
from bench.errors import InputError
from bench.records import schema, store


@pytest.fixture
def run(tmp_path):
    outcomes = [*replicated("baseline", [1.0, 1.1, 1.2]), *replicated("fp16", [0.5, 0.6, 0.7])]
    folder = make_folder(
        tmp_path / "run", [case(), case("fp16"), case("big")], [*outcomes, ended("big", "oom", "full")]
    )
    write_results(folder, pictures=False)
    return folder


@pytest.fixture
def file(run):
    return run / "results.csv"


def set_cell(path, column, text):
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    rows[1][rows[0].index(column)] = text
    with path.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened, lineterminator="\n").writerows(rows)


def refusal(path):
    with pytest.raises(InputError) as refused:
        open_side(path)
    return str(refused.value)


def test_a_folder_and_its_results_file_say_the_same(run, file):
    folder_rows, file_rows = open_side(run).rows, open_side(file).rows
    images = {"similarity", "psnr_db", "ssim", "image_sha256"}
    assert {k: {n: v for n, v in row.items() if n not in images} for k, row in folder_rows.items()} == {
        k: {n: v for n, v in row.items() if n not in images} for k, row in file_rows.items()
    }


def test_a_side_tells_the_medians_of_its_processes(file):
    assert open_side(file).medians("sd/baseline") == {0: 1.0, 1: 1.1, 2: 1.2}


def test_a_case_that_was_not_measured_has_no_medians(file):
    assert open_side(file).medians("sd/big") == {}


def test_results_are_called_by_the_name_of_their_folder(file):
    assert open_side(file).name == "run"


def test_sides_of_one_name_are_called_by_their_paths(run, file):
    assert [side.name for side in distinct([open_side(run), open_side(file)])] == [str(run), str(file)]


def test_what_a_spreadsheet_saves_is_read(file):
    before = open_side(file).rows
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert open_side(file).rows == before


DAMAGES = {
    "cut in a line": (lambda data: data[:-40], ":4: the last line is torn"),
    "cut in a quoted cell": (lambda data: data[: data.index(b'"{""0') + 8], ":2: the last line is torn"),
    "cut in the header": (lambda data: data[:50], ":1: the last line is torn"),
    "cut in the header, ended": (lambda data: data[:50] + b"\n", ":1: has not the columns"),
    "foreign columns": (lambda data: data.replace(b"scenario,", b"szenario,", 1), ":1: has not the columns"),
    "other separators": (lambda data: data.replace(b",", b";"), ":1: has not the columns"),
    "only the header": (lambda data: data[: data.index(b"\n") + 1], ":1: is an empty run"),
    "empty": (lambda _: b"", ":1: is empty"),
    "blank": (lambda _: b"\n\n", ":1: is empty"),
    "a case twice": (lambda data: data + data.splitlines(keepends=True)[1], ":5: the case 'sd/baseline' is on line 2"),
    "latin-1": (lambda data: data.replace(b"full", "f\xfcll".encode("latin-1")), ":2: is no UTF-8 text"),
    "utf-16": (lambda data: data.decode().encode("utf-16"), ":1: is no UTF-8 text"),
    "binary": (lambda _: bytes(range(256)) * 10, ":2: is no UTF-8 text"),
    "a cell too long": (lambda data: data.replace(b"full", b"x" * 200_000), "is no CSV"),
    "a value too many": (lambda data: data.replace(b"\nsd,", b"\nsd,sd,", 1), ":2: has not as many values as columns"),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "words"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_refused_with_its_line(file, damage, words):
    file.write_bytes(damage(file.read_bytes()))
    assert f"{file}{words}" in refusal(file) if words.startswith(":") else words in refusal(file)


CELLS = [
    ("latency_median_s", "nan", "no finite number"), ("latency_median_s", "-1", "not above zero"),
    ("latency_min_s", "0", "not above zero"), ("latency_median_s", "1100", "are the units mixed"),
    ("seconds_per_image", "1100", "are the units mixed"), ("latency_median_s", "1.15", "are the units mixed"),
    ("latency_median_s", "", "its latency_median_s is empty"), ("images", "", "its images is empty"),
    ("process_medians_s", '{"0": 1.0, "1": NaN}', "no JSON object"), ("process_medians_s", "[1]", "no JSON object"),
    ("process_medians_s", '{"0": "1.0"}', "no JSON object"), ("process_medians_s", '{"0": true}', "no JSON object"),
    ("process_medians_s", '{"x": 1.0}', "no JSON object"), ("process_medians_s", "[" * 100_000, "no JSON object"),
    ("process_medians_s", "{}", "no JSON object"), ("processes", "7", "process_medians_s has 3"),
    ("process_medians_s", '{"0": 0.011, "1": 1.1, "2": 109.1}', "are the units mixed"),
    ("schema", "1", "was written with schema 1"), ("schema", "", "schema is empty"), ("status", "fine", "none of ok"),
    ("threshold", "0", "no share"), ("threshold", "3", "no share"), ("device_name", "", "device_name is empty"),
    ("scenario", "../sd", "no scenario's name"), ("peak_allocated_bytes", "-5", "below zero"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "text", "words"), CELLS)
def test_a_row_that_cannot_be_is_refused_with_its_line(file, column, text, words):
    set_cell(file, column, text)
    told = refusal(file)
    assert told.startswith(f"{file}:2: ")
    assert words in told


def test_a_missing_file_is_named(tmp_path):
    assert refusal(tmp_path / "none.csv").startswith(f"{tmp_path / 'none.csv'}: cannot be read")


def test_a_folder_that_is_no_run_is_named(tmp_path):
    assert "is not the folder of a run" in refusal(tmp_path)


def test_a_file_that_would_fill_the_memory_is_refused(file, monkeypatch):
    monkeypatch.setattr(store, "LARGEST_BYTES", 100)
    assert "is larger than" in refusal(file)


def test_a_device_that_never_ends_is_refused(monkeypatch):
    monkeypatch.setattr(store, "LARGEST_BYTES", 100)
    assert "/dev/zero: is larger than" in refusal(Path("/dev/zero"))


def test_a_run_without_a_case_is_refused(tmp_path):
    assert "is an empty run" in refusal(make_folder(tmp_path / "empty", [case()]))


def test_one_quote_too_many_takes_no_longer_than_reading(tmp_path):
    path = tmp_path / "big.csv"
    path.write_bytes(b'"' + b"a,b\n" * 200_000)
    assert "torn" in refusal(path)


def edit_json(path, change):
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    path.write_text(json.dumps(data), encoding="utf-8")


PLANS = {
    "threshold": 300, "threshold of words": "3%", "threshold nan": float("nan"), "name": 5, "baseline": [1],
    "claim": {"latency_s": "x"},
}  # fmt: skip


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_that_no_scenario_can_give_is_refused(run, name):
    edit_json(run / "plan.json", lambda plan: plan["cases"][0].update({name.split()[0]: PLANS[name]}))
    assert "plan.json: is no plan of this version" in refusal(run)


@pytest.mark.parametrize("value", [5, ["a"], {"a": 1}])
def test_a_fact_of_the_machine_that_is_no_text_is_refused(run, value):
    edit_json(run / "environment.json", lambda facts: facts.update(device_name=value))
    assert "environment.json: device_name is" in refusal(run)


def test_a_machine_without_a_device_name_is_refused(run):
    edit_json(run / "environment.json", lambda facts: facts.pop("device_name"))
    assert "device_name is empty" in refusal(run)


@pytest.mark.parametrize("name", ["plan.json", "environment.json"])
def test_json_too_deep_to_read_is_refused(run, name):
    (run / name).write_text("[" * 100_000, encoding="utf-8")
    assert f"{name}: is no JSON" in refusal(run)


@pytest.mark.parametrize("name", ["samples.csv", "processes.csv"])
def test_a_row_of_a_run_that_stands_there_twice_is_refused(run, name):
    lines = (run / name).read_text(encoding="utf-8").splitlines(keepends=True)
    (run / name).write_text("".join([*lines, lines[1]]), encoding="utf-8")
    assert "is there twice" in refusal(run)


@pytest.mark.parametrize("keep", [1, 8], ids=["all", "some"])
def test_measured_processes_whose_samples_are_gone_are_refused(run, keep):
    lines = (run / "samples.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (run / "samples.csv").write_text("".join(lines[:keep]), encoding="utf-8")
    assert "has no sample in samples.csv" in refusal(run)


def test_a_measured_process_without_images_is_refused(tmp_path):
    folder = make_folder(tmp_path / "run", [case()], [measured("baseline", 1.0, images=None)])
    assert "its images is empty" in refusal(folder)


def test_a_run_of_an_older_schema_is_refused(run):
    path = run / "processes.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(f"\n{schema.VERSION},", "\n1,"), encoding="utf-8")
    assert "was written with schema 1" in refusal(run)


@pytest.mark.parametrize("name", ["samples.csv", "processes.csv"])
@pytest.mark.parametrize("damage", ["latin-1", "utf-16", "binary"])
def test_a_file_of_a_run_in_another_encoding_is_refused_with_its_line(run, name, damage):
    path = run / name
    path.write_bytes(DAMAGES[damage][0](path.read_bytes().replace(b"sd", b"full")))
    assert f"{path}:" in refusal(run)


def test_a_fact_that_all_rows_share_is_told_once(tmp_path):
    side = make_side(tmp_path / "run", [measured("a", 1.0), measured("b", 1.0)])
    assert len(side.facts("device_name")) == 1
