"""A grid: its columns can be chosen, and its colors follow from codes."""

import pytest
from analyze.make import result

from bench.present.grid import (
    ALWAYS,
    CLAIM_TONES,
    Cell,
    Column,
    Grid,
    Tone,
    claim_tone,
    field,
    records,
    status_tone,
    value_of,
)
from bench.records.outcomes import ClaimVerdict, Status

GRID = Grid("title", (Column("a", keep=ALWAYS), Column("b"), Column("c")), ((Cell("1"), Cell(), Cell("3")),))


def claimed(verdict, status="ok", documented="oom"):
    return result(status=status, claim_verdict=verdict, claim_status=documented)


def test_a_case_that_runs_where_the_documentation_ran_out_of_memory_is_good_news():
    assert claim_tone(claimed(ClaimVerdict.OTHER_STATUS, "ok")) is Tone.GOOD


def test_a_case_that_fails_where_the_documentation_ran_out_of_memory_is_bad_news():
    assert claim_tone(claimed(ClaimVerdict.OTHER_STATUS, "failed")) is Tone.BAD


def test_every_other_verdict_on_a_claim_has_a_tone():
    assert CLAIM_TONES.keys() | {ClaimVerdict.OTHER_STATUS} == set(ClaimVerdict)


@pytest.mark.parametrize(
    ("verdict", "tone"), [(ClaimVerdict.SLOWER, Tone.BAD), (ClaimVerdict.NOT_JUDGED, Tone.MUTED), (None, Tone.NONE)]
)
def test_a_verdict_has_its_tone(verdict, tone):
    assert claim_tone(claimed(verdict)) is tone


@pytest.mark.parametrize(
    ("status", "tone"),
    [(Status.OK, Tone.NONE), (Status.SKIPPED, Tone.NONE), (Status.OOM, Tone.BAD), (Status.CRASHED, Tone.BAD)],
)
def test_a_status_has_its_tone(status, tone):
    assert status_tone(status) is tone


def test_columns_without_a_text_are_left_out():
    assert GRID.without_empty_columns().header == ["a", "c"]


def test_a_column_that_is_always_kept_stays_in_a_grid_without_rows():
    assert Grid("", GRID.columns, ()).without_empty_columns().header == ["a"]


def test_columns_can_be_put_in_another_order():
    assert [cell.text for cell in GRID.select([2, 0]).rows[0]] == ["3", "1"]


@pytest.mark.parametrize(("value", "exact"), [(1 / 3, "0.3333333333333333"), (float("inf"), "Infinity"), (None, "")])
def test_the_exact_value_of_a_cell_is_what_javascript_reads(value, exact):
    assert Cell("x", value).exact == exact


def test_records_keep_their_values():
    assert [cell.value for cell in records(["a", "b"], [(1.5, None)]).rows[0]] == [1.5, None]


def test_a_column_of_the_results_finds_its_value():
    assert value_of(result(speedup=1.5), field("speedup")) == 1.5
