"""A results.csv or a run's folder is read whole, or refused with file and line; never a part of it, or a traceback."""

import csv
import io
from pathlib import Path

import pytest
from analyze.make import case, ended, in_passes, make_folder, result

from bench.analyze.results import results
from bench.analyze.run import open_run
from bench.analyze.side import Side, distinct, open_side
from bench.errors import InputError
from bench.records import store
from bench.records.table import results_csv
from bench.units import GIB


@pytest.fixture
def run(tmp_path):
    records = [
        *in_passes("baseline", [1.0, 1.1, 1.2], peak_rss_growth_bytes=2.0 * GIB),
        *in_passes("fp16", [0.5, 0.6, 0.7]),
    ]
    cases = [case(), case("fp16"), case("big")]
    folder = make_folder(tmp_path / "run", cases, [*records, ended("big", "oom", "full")])
    (folder / store.RESULTS).write_text(results_csv(results(open_run(folder))), encoding="utf-8")
    return folder


@pytest.fixture
def file(run):
    return run / store.RESULTS


def edit(path, change):
    """Change the rows of a CSV file, its header among them."""
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    with path.open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened, lineterminator="\n").writerows(change(rows))


def set_cell(path, column, text):
    def change(rows):
        rows[1][rows[0].index(column)] = text
        return rows

    edit(path, change)


def refusal(path):
    with pytest.raises(InputError) as refused:
        open_side(path)
    return str(refused.value)


def test_a_folder_and_its_results_file_say_the_same(run, file):
    assert open_side(file).results == open_side(run).results


def test_results_have_the_name_of_their_folder(file):
    assert open_side(file).name == "run"


def test_a_file_of_another_name_has_its_own_name(file):
    assert open_side(file.rename(file.with_name("nightly.csv"))).name == "nightly"


def test_sides_of_one_name_have_the_names_of_their_paths(run, file):
    assert [side.name for side in distinct([open_side(run), open_side(file)])] == [str(run), str(file)]


def test_what_a_spreadsheet_saves_is_read(file):
    before = open_side(file).results
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert open_side(file).results == before


def with_an_index(rows):
    return [["", *rows[0]], *([str(number), *row] for number, row in enumerate(rows[1:]))]


def test_an_index_column_and_another_order_are_fine(file):
    before = open_side(file).results
    edit(file, lambda rows: [row[::-1] for row in with_an_index(rows)])
    assert open_side(file).results == before


def test_ignored_columns_are_named(file):
    edit(file, lambda rows: [[*row, "note" if at == 0 else "fast!"] for at, row in enumerate(with_an_index(rows))])
    assert open_side(file).ignored == ("(unnamed)", "note")


def test_a_case_twice_is_refused_with_both_lines(file):
    edit(file, lambda rows: [*rows, rows[1]])
    assert refusal(file).startswith(f"{file}:5: the case 'sd/baseline' is on line 2 already")


@pytest.mark.parametrize(
    "column",
    ["latency_median_s", "latency_min_s", "latency_max_s", "seconds_per_image", "images", "process_medians_s"],
)
def test_a_measured_row_without_a_figure_is_refused(file, column):
    set_cell(file, column, "")
    assert refusal(file) == f"{file}:2: status is 'ok', but {column} is missing"


def test_a_row_that_was_not_measured_needs_no_figures(file):
    assert not open_side(file).results["sd/big"].measured


@pytest.mark.parametrize(
    ("column", "text", "words"),
    [
        ("processes", "7", "but process_medians_s has 3"),
        ("latency_median_s", "1100", "is outside latency_min_s and latency_max_s"),
        ("process_medians_s", '{"0": 0.011, "1": 1.1, "2": 109.1}', "is outside latency_min_s and latency_max_s"),
        ("seconds_per_image", "1100", "is not latency_median_s / images"),
        ("process_medians_s", '{"0": 1.0, "1": 1.0, "2": 1.2}', "is not the geometric mean of process_medians_s"),
        ("peak_rss_growth_bytes", "2.0", "peak_rss_growth_bytes is not the largest of process_peaks_bytes"),
        ("peak_rss_growth_bytes", "0", "peak_rss_growth_bytes is not the largest of process_peaks_bytes"),
    ],
)
def test_figures_that_contradict_each_other_are_refused(file, column, text, words):
    set_cell(file, column, text)
    assert words in refusal(file)


def test_an_interval_that_was_turned_around_is_refused(file):
    set_cell(file, "latency_low_s", "1.3")
    set_cell(file, "latency_high_s", "0.9")
    assert "latency_median_s is outside its own interval" in refusal(file)


@pytest.mark.parametrize(
    "text", ['{"0": 1.0, "0": 1.1}', '{"0": 1.0, "1": NaN}', "[1]", '{"x": 1.0}', '{"0": "fast"}', "[" * 50_000]
)
def test_medians_that_cannot_be_are_refused(file, text):
    set_cell(file, "process_medians_s", text)
    assert refusal(file).startswith(f"{file}:2: process_medians_s is ")


def test_a_file_without_a_case_is_refused(file):
    edit(file, lambda rows: rows[:1])
    assert "contains no case" in refusal(file)


def test_a_run_without_a_case_is_refused(tmp_path):
    assert "contains no case" in refusal(make_folder(tmp_path / "empty", [case()]))


def test_a_missing_file_is_named(tmp_path):
    assert refusal(tmp_path / "none.csv").startswith(f"{tmp_path / 'none.csv'}: cannot be read")


def test_a_folder_that_is_not_a_run_is_named(tmp_path):
    assert "is not the folder of a run" in refusal(tmp_path)


def test_a_device_that_never_ends_is_refused():
    assert "/dev/zero: is not a regular file" in refusal(Path("/dev/zero"))


def test_a_file_that_is_not_csv_takes_no_longer_than_reading(tmp_path):
    path = tmp_path / "big.csv"
    path.write_bytes(b'"' + b"a,b\n" * 200_000)
    assert "is not CSV" in refusal(path)


@pytest.mark.parametrize(("sizes", "tiny"), [(("full", "full"), False), (("full", "tiny"), True)])
def test_a_side_with_any_tiny_model_is_marked(tmp_path, sizes, tiny):
    rows = {f"sd/{name}": result(name, size=size) for name, size in zip("ab", sizes, strict=True)}
    assert Side("run", tmp_path, rows).tiny is tiny
