"""results.csv and samples.csv: written from records, and read by column name whatever passed over them."""

import csv
import io

import pandas as pd
import pytest
from records.make import process_record

from bench.errors import InputError
from bench.records.case_result import CaseResult
from bench.records.columns import columns, from_flat
from bench.records.table import MOST_ROWS, read_results, results_csv, samples_csv


def case_result(case="fp16", **values):
    return from_flat(CaseResult, {"scenario": "sd", "case": case, "status": "ok", "images": 1, **values})


RESULTS = [
    case_result("baseline", process_medians_s={0: 1.9, 1: 2.1}, warm=True, pinned_core=0, psnr_db=float("inf")),
    case_result(latency_median_s=0.1 + 0.2, call={"prompt": 'a "cat", 模型'}, warm=False, pinned_core=3, speedup=1.5),
    case_result("huge", status="oom", reason="größer\nthan memory; 8 GiB"),
]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text(results_csv(RESULTS), encoding="utf-8")
    return path


def edit(path, change):
    """Change a file's rows, the header first."""
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(change(rows))
    path.write_text(text.getvalue(), encoding="utf-8")


def set_cell(path, column, text, line=2):
    def change(rows):
        rows[line - 1][rows[0].index(column)] = text
        return rows

    edit(path, change)


def found(path):
    return [result for _, result in read_results(path).results]


def refusal(path):
    with pytest.raises(InputError) as refused:
        read_results(path)
    return str(refused.value)


def test_results_are_read_back_as_they_were(path):
    assert found(path) == RESULTS


def test_nothing_of_a_file_of_ours_is_ignored(path):
    assert read_results(path).ignored == ()


def test_each_result_has_its_line(path):
    assert [line for line, _ in read_results(path).results] == [2, 3, 5]


def test_the_header_is_the_columns_in_order(path):
    header = path.read_text(encoding="utf-8").splitlines()[0]
    assert header.split(",") == [each.name for each in columns(CaseResult)]


def test_extra_columns_are_ignored_and_named(path):
    edit(path, lambda rows: [[*row, extra] for row, extra in zip(rows, ["note", "good", "", ""], strict=True)])
    assert found(path) == RESULTS
    assert read_results(path).ignored == ("note",)


def test_the_index_column_of_pandas_is_ignored_and_named(path):
    edit(path, lambda rows: [[index, *row] for row, index in zip(rows, ["", "0", "1", "2"], strict=True)])
    assert found(path) == RESULTS
    assert read_results(path).ignored == ("(unnamed)",)


def test_columns_may_come_in_any_order(path):
    edit(path, lambda rows: [row[::-1] for row in rows])
    assert found(path) == RESULTS


def test_columns_may_be_missing(path):
    keep = ["status", "schema", "case", "scenario", "speedup"]
    edit(path, lambda rows: [[row[rows[0].index(name)] for name in keep] for row in rows])
    assert [result.comparison.speedup for result in found(path)] == [None, 1.5, None]


def test_what_pandas_makes_of_a_file_is_read(path):
    """pandas makes a float of an integer column with empty cells: 3 becomes 3.0."""
    pd.read_csv(path).to_csv(path, index=False)
    assert "3.0" in path.read_text(encoding="utf-8").split(",")
    assert found(path) == RESULTS


def test_what_a_spreadsheet_makes_of_a_file_is_read(path):
    """TRUE and FALSE, a byte order mark, and lines that end as on Windows."""
    edit(path, lambda rows: [[{"True": "TRUE", "False": "FALSE"}.get(text, text) for text in row] for row in rows])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert [result.timings.warm for result in found(path)] == [True, False, None]


def test_empty_lines_are_not_results(path):
    edit(path, lambda rows: [*rows, [], [""] * len(rows[0])])
    assert found(path) == RESULTS


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize(("separator", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
def test_another_separator_is_named(path, separator, name, quoting):
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=separator, quoting=quoting).writerows(rows)
    assert refusal(path) == f"{path}:1: is separated by {name}; save it with commas"


def test_a_column_that_is_there_twice_is_refused(path):
    edit(path, lambda rows: [[*row, row[0]] for row in rows])
    assert refusal(path) == f"{path}:1: has the column 'scenario' twice; keep one of them"


@pytest.mark.parametrize("text", ["a,b,c\n1,2,3\n", "scenario,case,status\nsd,fp16,ok\n", "\x89PNG\n", "scenario\n"])
def test_a_file_of_something_else_is_refused(path, text):
    path.write_text(text, encoding="utf-8")
    assert "so it is not a results.csv of this tool" in refusal(path)


def test_an_empty_file_is_refused(path):
    path.write_text("", encoding="utf-8")
    assert refusal(path).startswith(f"{path}:1: is empty")


@pytest.mark.parametrize(
    ("schema", "shown"), [("2", "2"), ("2.0", "2"), ("4", "4"), ("", "(none)"), ("old", "old"), ("9" * 5000, "9" * 60)]
)
def test_a_row_of_another_version_is_refused(path, schema, shown):
    set_cell(path, "schema", schema, line=3)
    assert f"{path}:3: was written with schema {shown}, this version reads schema 3" in refusal(path)


def test_a_file_is_refused_wherever_it_is_cut_off_within_a_row(path):
    """A cut at the end of a row leaves a whole file, of fewer rows."""
    data = path.read_bytes()
    rows = data.index(b"\n", data.index(b"8 GiB")), data.rindex(b"\n", 0, data.index(b"huge"))

    def is_read(cut):
        path.write_bytes(data[:cut])
        try:
            read_results(path)
        except InputError:
            return False
        return True

    assert [cut for cut in range(rows[1] + 2, rows[0]) if is_read(cut)] == []


@pytest.mark.parametrize(
    ("column", "text"),
    [("latency_median_s", "999 ms"), ("status", "fine"), ("warm", "perhaps"), ("pinned_core", "1.5"), ("case", "")],
)
def test_a_wrong_cell_is_refused_with_file_line_and_column(path, column, text):
    set_cell(path, column, text, line=3)
    assert refusal(path).startswith(f"{path}:3: {column} is ")


def test_a_file_that_is_not_unicode_is_refused_with_its_line(path):
    path.write_bytes(path.read_bytes().replace("größer".encode(), "größer".encode("latin-1")))
    assert refusal(path).startswith(f"{path}:4: is not UTF-8 text")


def test_a_missing_file_is_refused(tmp_path):
    assert refusal(tmp_path / "results.csv").startswith(f"{tmp_path / 'results.csv'}: cannot be read")


def test_a_text_longer_than_csv_can_read_is_cut(path):
    path.write_text(results_csv([case_result(reason="x" * 200_000)]), encoding="utf-8")
    assert found(path)[0].reason == "x" * 100_000


def test_a_carriage_return_is_read_back_as_a_newline(path):
    path.write_text(results_csv([case_result(reason="a\rreturn")]), encoding="utf-8", newline="")
    assert found(path)[0].reason == "a\nreturn"


def test_samples_are_one_row_per_timed_call():
    records = [process_record(samples=[0.25, 0.5]), process_record("tf32", process=3, samples=[0.1 + 0.2])]
    assert samples_csv(records).splitlines() == [
        "scenario,case,process,index,latency_s,device_time_s",
        "sd,fp16,0,0,0.25,0.125",
        "sd,fp16,0,1,0.5,0.25",
        "sd,tf32,3,0,0.30000000000000004,0.15000000000000002",
    ]


@pytest.mark.parametrize(
    "text", ["=1+1", "@SUM(1+1)*cmd|' /C calc'!A0", "+1", "-1", "'quoted", "'=1", "\t=1", "\uff1d1"]
)
def test_a_text_that_looks_like_a_formula_is_guarded_and_read_back_as_it_was(path, text):
    path.write_text(results_csv([case_result(reason=text)]), encoding="utf-8")
    (row,) = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))
    assert row["reason"] == f"'{text}"
    assert found(path)[0].reason == text


def test_a_file_of_too_many_rows_is_refused(path):
    edit(path, lambda rows: [rows[0], *[rows[1]] * (MOST_ROWS + 1)])
    assert "has more than 20,000 rows" in refusal(path)
