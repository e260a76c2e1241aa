import pytest

from bench.records import schema
from bench.records.cells import value
from bench.records.schema import Column

SECONDS = Column("latency_s", schema.FLOAT, "")
COUNT = Column("threads", schema.INT, "")
TRUTH = Column("warm", schema.BOOL, "")


@pytest.mark.parametrize("column", [SECONDS, COUNT, TRUTH, Column("reason", schema.TEXT, "")])
def test_an_empty_cell_is_unknown(column):
    assert value(column, "") is None


@pytest.mark.parametrize(
    ("column", "text", "expected"),
    [
        (SECONDS, "0.1", 0.1), (SECONDS, "5e-324", 5e-324), (SECONDS, "1E-05", 1e-5), (COUNT, "0", 0),
        (COUNT, str(2**63 - 1), 2**63 - 1), (TRUTH, "False", False),
        (Column("psnr_db", schema.FLOAT, ""), "inf", float("inf")),
        (Column("breakdown_rest_s", schema.FLOAT, ""), "-0.5", -0.5), (Column("wall_s", schema.FLOAT, ""), "0", 0.0),
    ],
)  # fmt: skip
def test_what_a_column_holds_is_read(column, text, expected):
    assert value(column, text) == expected


@pytest.mark.parametrize(
    "text", ["nan", "NaN", "inf", "-inf", "1e400", "0", "-1", "1_0", "\u0661", "999 ms", "1,5", "0\x005", " 1", "fast"]
)
def test_seconds_that_no_call_can_take_are_refused(text):
    with pytest.raises(ValueError, match="is "):
        value(SECONDS, text)


@pytest.mark.parametrize("text", ["1.0", "-1", "1_0", "\u0661", str(2**63), "9" * 5000, "x"])
def test_a_count_that_cannot_be_is_refused(text):
    with pytest.raises(ValueError, match="is "):
        value(COUNT, text)


def test_no_call_makes_no_image():
    with pytest.raises(ValueError, match="not from 1"):
        value(Column("images", schema.INT, ""), "0")


@pytest.mark.parametrize("text", ["true", "1", "yes"])
def test_a_truth_is_true_or_false(text):
    with pytest.raises(ValueError, match="not True or False"):
        value(TRUTH, text)


def test_a_message_quotes_no_more_than_a_line():
    with pytest.raises(ValueError, match="no whole number") as refused:
        value(COUNT, "x" * 5000)
    assert len(str(refused.value)) < 100
