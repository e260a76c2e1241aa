"""Numbers as they are printed: three significant digits, the fitting unit, and nothing for the unknown."""

import math

import pytest

from bench import units
from bench.errors import InputError

UNKNOWN = [None, math.nan]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5.27, "5.27 s"),
        (5.274, "5.27 s"),
        (5.2, "5.20 s"),
        (30, "30.0 s"),
        (123.4, "123 s"),
        (1234.4, "1234 s"),
        (1.0, "1.00 s"),
        (0.999, "999 ms"),
        (0.1386, "139 ms"),
        (0.0123, "12.3 ms"),
        (0.00123, "1.23 ms"),
        (0.000123, "0.123 ms"),
        (0.0000123, "0.0123 ms"),
        (-0.5, "-500 ms"),
        (-5.27, "-5.27 s"),
    ],
)
def test_seconds_have_three_significant_digits_and_are_in_ms_below_one(value, expected):
    assert expected == units.seconds(value)


@pytest.mark.parametrize(
    ("value", "expected"), [(0.9996, "1.00 s"), (9.996, "10.0 s"), (99.96, "100 s"), (0.009996, "10.0 ms")]
)
def test_seconds_that_round_up_to_another_digit_have_three_all_the_same(value, expected):
    assert expected == units.seconds(value)


def test_no_time_at_all_is_no_unknown_time():
    assert units.seconds(0.0) == "0 ms"


@pytest.mark.parametrize("value", UNKNOWN)
@pytest.mark.parametrize("printed", [units.seconds, units.memory, units.ratio])
def test_the_unknown_is_an_empty_text(printed, value):
    assert printed(value) == ""


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.132, 0.139, "132 to 139 ms"),
        (5.2, 5.27, "5.20 to 5.27 s"),
        (0.9, 1.1, "900 ms to 1.10 s"),
        (0.132, 0.132, "132 to 132 ms"),
    ],
)
def test_a_span_says_a_unit_once_where_both_ends_have_the_same(low, high, expected):
    assert expected == units.span(low, high)


@pytest.mark.parametrize("known", [1.0, None, math.nan])
@pytest.mark.parametrize("unknown", UNKNOWN)
def test_a_span_with_an_unknown_end_is_an_empty_text(known, unknown):
    assert (units.span(known, unknown), units.span(unknown, known)) == ("", "")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0 MiB"),
        (units.MIB, "1 MiB"),
        (2.6 * units.MIB, "3 MiB"),
        (1023 * units.MIB, "1023 MiB"),
        (units.GIB, "1.00 GiB"),
        (3.456 * units.GIB, "3.46 GiB"),
        (80 * units.GIB, "80.00 GiB"),
        (-2 * units.MIB, "-2 MiB"),
    ],
)
def test_bytes_are_in_mib_and_from_one_gib_up_in_gib(value, expected):
    assert expected == units.memory(value)


def test_bytes_just_below_a_gib_are_not_written_as_1024_mib():
    assert units.memory(units.GIB - 1) == "1.00 GiB"


@pytest.mark.parametrize(("value", "expected"), [(1.5, "x1.50"), (1, "x1.00"), (0.666, "x0.67"), (12.345, "x12.35")])
def test_a_ratio_is_written_as_in_the_documentation(value, expected):
    assert expected == units.ratio(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0"), (7, "7.00"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (1e-6, "0.00000100"), (1e6, "1000000")],
)
def test_three_significant_digits_never_take_an_exponent(value, expected):
    assert expected == units.significant(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8GiB", 8 * 1024**3),
        ("8 GB", 8e9),
        ("500MiB", 500 * 1024**2),
        ("1.5 gib", 1.5 * 1024**3),
        ("80kB", 80e3),
        ("12B", 12),
        ("1TiB", 1024**4),
    ],
)
def test_a_size_is_read_in_the_unit_it_is_written_in(text, expected):
    assert units.size(text) == expected


@pytest.mark.parametrize("text", ["8", "", "GiB", "0GiB", "-1GiB", "8GiBs", "8 bananas", "nanGiB", "1,5GiB", "1e3MB"])
def test_what_is_no_size_is_refused_with_an_example(text):
    with pytest.raises(InputError, match=f"'{text}' is no size of memory; .* such as 8GiB"):
        units.size(text)
