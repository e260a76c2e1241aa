"""The raw numbers: complete, and told once where they are the same."""

from analyze.make import case, make_run, measured
from bench.analyze.rows import plain_rows

from bench.analyze.results import results
from bench.present.html import raw
from bench.records import schema


def groups(tmp_path, **facts):
    outcomes = [measured("baseline", 2.0, **facts), measured("fp16", 1.0, **facts)]
    return raw.groups(plain_rows(results(make_run(tmp_path / "run", [case(), case("fp16")], outcomes))))


def test_every_column_of_the_results_is_in_a_group():
    told_elsewhere = {*schema.names(schema.KEY), *schema.names(schema.VERSIONS), "schema"}
    assert set(schema.names(schema.RESULTS)) - told_elsewhere == raw.columns().keys()


def test_a_setting_that_all_rows_share_is_told_once(tmp_path):
    shared = [group.shared for group in groups(tmp_path, dtype="float16")]
    assert {"size": "full", "dtype": "float16", "weights": "random"} in [
        {name: each.get(name) for name in ("size", "dtype", "weights")} for each in shared
    ]


def test_numbers_keep_their_column_even_where_they_are_the_same(tmp_path):
    assert any("steps" in group.grid.header for group in groups(tmp_path, steps=50))


def test_a_column_without_a_value_is_left_out(tmp_path):
    assert all("power_w" not in group.grid.header for group in groups(tmp_path))
