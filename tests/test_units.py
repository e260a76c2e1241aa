"""Quantities as text: three significant digits, a fitting unit, and nothing for an unknown value."""

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
def test_seconds_have_three_significant_digits_and_are_ms_below_one(value, expected):
    assert units.seconds(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(0.9996, "1.00 s"), (9.996, "10.0 s"), (99.96, "100 s"), (0.009996, "10.0 ms")]
)
def test_seconds_that_round_up_still_have_three_significant_digits(value, expected):
    assert units.seconds(value) == expected


def test_zero_seconds_are_not_unknown():
    assert units.seconds(0.0) == "0 ms"


@pytest.mark.parametrize("value", UNKNOWN)
@pytest.mark.parametrize("printed", [units.seconds, units.memory, units.ratio])
def test_an_unknown_value_is_an_empty_string(printed, value):
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
def test_a_span_gives_a_common_unit_once(low, high, expected):
    assert units.span(low, high) == expected


@pytest.mark.parametrize("known", [1.0, None, math.nan])
@pytest.mark.parametrize("unknown", UNKNOWN)
def test_a_span_with_an_unknown_end_is_an_empty_string(known, unknown):
    assert units.span(known, unknown) == ""
    assert units.span(unknown, known) == ""


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
def test_bytes_are_in_mib_or_from_one_gib_up_in_gib(value, expected):
    assert units.memory(value) == expected


def test_bytes_just_below_a_gib_are_not_1024_mib():
    assert units.memory(units.GIB - 1) == "1.00 GiB"


@pytest.mark.parametrize(("value", "expected"), [(1.5, "x1.50"), (1, "x1.00"), (0.666, "x0.67"), (12.345, "x12.35")])
def test_a_ratio_looks_as_in_the_documentation_of_diffusers(value, expected):
    assert units.ratio(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "0"), (7, "7.00"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (1e-6, "0.00000100"), (1e6, "1000000")],
)
def test_three_significant_digits_never_have_an_exponent(value, expected):
    assert units.significant(value) == expected


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
def test_a_size_is_parsed_in_its_unit(text, expected):
    assert units.parse_size(text) == expected


@pytest.mark.parametrize("text", ["8", "", "GiB", "0GiB", "-1GiB", "8GiBs", "8 bananas", "nanGiB", "1,5GiB", "1e3MB"])
def test_anything_but_a_size_is_refused_with_an_example(text):
    with pytest.raises(InputError, match=f"'{text}' is not a memory size; .* such as 8GiB"):
        units.parse_size(text)


@pytest.mark.parametrize(("text", "expected"), [("3%", 0.03), ("3 %", 0.03), ("0.03", 0.03), (0.5, 0.5)])
def test_a_share_is_parsed_as_a_percentage_or_a_number(text, expected):
    assert units.parse_share(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["0", "1", "100%", "-3%", "nan", "three", "", 3])
def test_anything_but_a_share_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=f"'{text}' is not a share .*; write 3% or 0.03"):
        units.parse_share(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("90s", 90), ("30m", 1800), ("30", 1800), ("2h", 7200), ("1.5 min", 90), (" 5 m ", 300)]
)
def test_a_duration_has_a_unit_or_is_in_minutes(text, expected):
    assert units.parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "0s", "soon", "-5m", "5d", "9" * 400 + "h"])
def test_what_is_not_a_duration_is_refused(text):
    with pytest.raises(InputError, match="is not a time"):
        units.parse_duration(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.4, "0 s"), (45, "45 s"), (90, "2 min"), (720, "12 min"), (5399, "90 min"), (5400, "1 h 30 min"), (7200, "2 h")],
)
def test_a_duration_is_as_coarse_as_a_plan(value, expected):
    assert units.duration(value) == expected
