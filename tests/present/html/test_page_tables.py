"""The tables of the page: what was found, the front, and raw numbers that are complete and said once if they agree."""

import pytest
from analyze.make import measured, result

from bench.analyze.pareto import points
from bench.present.grid import Cell, Column, Grid
from bench.present.html import tables
from bench.records.case_result import CaseResult
from bench.records.columns import columns

OK = {"latency_median_s": 1.0, "seconds_per_image": 1.0, "peak_reserved_bytes": 2.0**30, "baseline": "baseline"}


def column(grid, name):
    return [row[grid.header.index(name)].text for row in grid.rows]


def raw(*found):
    return {group.title: group for group in tables.raw(found)}


def test_the_measured_figures_are_beside_the_documented_ones():
    names = ("setup", "latency", "speed-up", "steps", "documented", "verdict", "notes")
    grid = Grid("", tuple(map(Column, names)), (tuple(map(Cell, names)),))
    expected = ["setup", "latency", "speed-up", "documented", "verdict", "steps", "notes"]
    assert tables.documented(grid).header == expected


@pytest.mark.parametrize(
    ("columns", "similarity"),
    [
        ({"expected_image": "same-image", "psnr_db": 42.1}, "42.1 dB"),
        ({"expected_image": "same-image"}, "unknown"),
        ({"expected_image": "another-image", "changed_by": "scheduler"}, "a different image by design (scheduler)"),
    ],
)
def test_the_greatest_speed_ups_say_what_they_cost(columns, similarity):
    grid = tables.best([result("fast", **{**OK, "speedup": 2.0, **columns})])
    assert column(grid, "similarity") == [similarity]


FRONT = [
    result("baseline", **OK, expected_image="reference"),
    result("fast", **{**OK, "seconds_per_image": 0.5}, expected_image="same-image", psnr_db=42.1),
    result("broken", **{**OK, "seconds_per_image": 0.4}, expected_image="same-image", psnr_db=12.0),
    result("slow", **{**OK, "seconds_per_image": 2.0}, expected_image="same-image", psnr_db=40.0),
    result("other", **OK, expected_image="another-image", changed_by="scheduler"),
]


def test_the_front_comes_first():
    assert column(tables.front(points(FRONT)), "case") == ["fast", "baseline", "broken", "slow", "other"]


def test_the_front_says_who_is_on_it():
    assert column(tables.front(points(FRONT)), "on the front") == [
        "yes",
        "yes",
        "picture differs",
        "no",
        "yes, among those not judged",
    ]


def test_the_front_says_how_similar_a_case_is_or_why_that_is_not_judged():
    similarities = column(tables.front(points(FRONT)), "similarity")
    assert similarities[:3] == ["42.1 dB", "baseline", "12.0 dB"]
    assert similarities[-1] == "not judged: a different image by design (scheduler)"


def test_a_dominated_case_names_one_that_dominates_it():
    assert column(tables.front(points(FRONT)), "dominated by")[3] in {"fast", "baseline"}


def test_every_column_of_the_results_is_in_a_group():
    elsewhere = {"scenario", "case", "schema"} | {
        each.name for each in columns(CaseResult) if each.path[0] == "versions"
    }
    assert {each.name for each in columns(CaseResult)} - elsewhere == tables.documentation().keys()


def test_a_setting_that_all_cases_share_is_said_once():
    group = raw(result(dtype="float16"), result("x", dtype="float16"))["Settings, as requested"]
    assert group.shared == {"dtype": "float16", "size": "full"}


def test_a_setting_in_which_cases_differ_is_a_column():
    group = raw(result(dtype="float16"), result("x", dtype="float32"))["Settings, as requested"]
    assert column(group.grid, "dtype") == ["float16", "float32"]


def test_numbers_keep_their_column_even_if_they_are_the_same():
    group = raw(result(steps=50), result("x", steps=50))["Settings, as requested"]
    assert column(group.grid, "steps") == ["50", "50"]


def test_a_column_without_a_value_is_left_out():
    assert "Telemetry" not in raw(result())


def test_a_number_has_six_digits_and_its_exact_value():
    group = raw(result(latency_median_s=1 / 3))["Outcome and timing"]
    (cell,) = [row[group.grid.header.index("latency_median_s")] for row in group.grid.rows]
    assert cell == Cell("0.333333", 1 / 3)


def test_of_many_cases_the_first_are_there():
    group = raw(*(result(f"case-{number}", steps=number) for number in range(300)))["Settings, as requested"]
    assert column(group.grid, "steps") == [str(number) for number in range(tables.MOST_ROWS)]


def test_all_samples_of_a_process_are_in_order():
    assert column(tables.samples([measured("x", [1.5, 1.25])]), "latencies in order (s)") == ["1.5 1.25"]
