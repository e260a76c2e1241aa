"""Reading a file: plain data, and the line of every key."""

import json

import pytest

from bench.errors import InputError
from bench.plan.document import Document, read

NESTED = """\
# a comment

title: t
call:
  prompt: >-
    two
    lines

  height: 512  # beside it
optimizations:
  - tf32
  # between
  - compile
cases: {a: {seed: 1},
  b: {dtype: float16,
    call: {width: 512}}}
"""


def plain_types(value):
    """Return the types of everything in `value`, including keys."""
    if isinstance(value, dict):
        return {dict}.union(*(plain_types(item) for pair in value.items() for item in pair))
    if isinstance(value, list):
        return {list}.union(*(plain_types(item) for item in value))
    return {type(value)}


def test_data_is_read_as_it_was_written(write):
    document = read(write("title: t\ncall: {height: 512, guidance_scale: 7.5, prompt: [a, b]}\nseed: ~\n"))
    expected = {"title": "t", "call": {"height": 512, "guidance_scale": 7.5, "prompt": ["a", "b"]}, "seed": None}
    assert document.data == expected


def test_data_contains_only_plain_types(write):
    text = "a: 'quoted'\nb: |\n  block\nc: 0x1F\nd: 1.50\ne: true\nf: ~\ng: [3, 2020-01-01]\nh: {i: &x y, j: *x}\n"
    assert plain_types(read(write(text)).data) == {dict, list, str, int, float, bool, type(None)}


def test_data_survives_a_round_trip_through_json(write):
    data = read(write(NESTED)).data
    assert json.loads(json.dumps(data)) == data


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("~", None),
        ("", None),
        ("null", None),
        ("0o17", 15),
        ("0x1F", 31),
        ("12:30:45", "12:30:45"),
        ("'1'", "1"),
        ("1.0", 1.0),
        ("2020-01-01", "2020-01-01"),
        ("é", "é"),
    ],
)
def test_a_scalar_follows_the_rules_of_yaml_1_2(write, written, expected):
    value = read(write(f"key: {written}\n")).data["key"]
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("location", "line"),
    [
        (("title",), 3),
        (("call",), 4),
        (("call", "prompt"), 5),
        (("call", "height"), 9),
        (("optimizations", 0), 11),
        (("optimizations", 1), 13),
        (("cases",), 14),
        (("cases", "a", "seed"), 14),
        (("cases", "b"), 15),
        (("cases", "b", "call"), 16),
        (("cases", "b", "call", "width"), 16),
    ],
)
def test_every_key_is_at_the_line_where_it_was_written(write, location, line):
    path = write(NESTED)
    assert read(path).place(location) == (path, line)


@pytest.mark.parametrize(
    ("location", "line"), [(("call", "width"), 2), (("call", "height", 3), 3), (("call", "prompt", "a"), 4)]
)
def test_a_key_that_was_not_written_is_at_its_nearest_parent(write, location, line):
    path = write("title: t\ncall:\n  height: 512\n  prompt: x\n")
    assert read(path).place(location) == (path, line)


def test_a_key_without_a_parent_is_at_the_first_line(write):
    path = write("\n\ntitle: t\n")
    assert read(path).place(("model",)) == (path, 1)


def test_an_error_names_file_line_and_fault(tmp_path):
    path = tmp_path / "s.yaml"
    error = Document(path=path, data={}, lines={("seed",): (path, 7)}).error(("seed",), "is odd; make it even")
    assert str(error) == f"{path}:7: is odd; make it even"


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbfseed: 1\ncall: {}\n", b"seed: 1\r\ncall: {}\r\n", b"seed: 1\ncall: {}"]
)
def test_byte_order_marks_and_line_endings_change_neither_data_nor_lines(tmp_path, content):
    path = tmp_path / "s.yaml"
    path.write_bytes(content)
    document = read(path)
    assert document.data == {"seed": 1, "call": {}}
    assert document.place(("call",)) == (path, 2)


def test_an_alias_stands_for_the_value_of_its_anchor(write):
    data = read(write("cases:\n  a: {call: &both {height: 512}}\n  b: {call: *both}\n")).data
    assert data["cases"]["b"] == {"call": {"height": 512}}


def test_two_aliases_of_one_mapping_are_independent(write):
    data = read(write("cases:\n  a: {call: &both {height: 512}}\n  b: {call: *both}\n")).data
    assert data["cases"]["a"]["call"] is not data["cases"]["b"]["call"]


@pytest.mark.parametrize(
    ("merging", "expected"),
    [
        ("{<<: *a, dtype: float16}", {"seed": 1, "samples": 3, "dtype": "float16"}),
        ("{seed: 2, <<: *a}", {"seed": 2, "samples": 3}),
        ("{<<: *a, seed: 2}", {"seed": 2, "samples": 3}),
        ("{<<: *a}", {"seed": 1, "samples": 3}),
        ("{<<: [*a, *b], dtype: float16}", {"seed": 1, "samples": 3, "timeout_s": 9, "dtype": "float16"}),
        ("{<<: [*a, *b]}", {"seed": 1, "samples": 3, "timeout_s": 9}),
        ("{<<: {seed: 5}, samples: 6}", {"seed": 5, "samples": 6}),
    ],
)
def test_the_keys_beside_a_merge_key_override_what_it_merges(write, merging, expected):
    data = read(write(f"a: &a {{seed: 1, samples: 3}}\nb: &b {{seed: 8, timeout_s: 9}}\nc: {merging}\n")).data
    assert data["c"] == expected


@pytest.mark.parametrize("merging", ["{<<: *a, samples: 3}", "{<<: *a}"])
def test_a_merged_key_is_at_the_line_where_it_was_written(write, merging):
    path = write(f"a: &a\n  seed: 1\nc:\n  {merging}\n")
    assert read(path).place(("c", "seed")) == (path, 2)


@pytest.mark.parametrize("value", ["!!int ''", "!!float ''", "!!int '_'", '"\\ud800"', '"\\UFFFFFFFF"'])
def test_a_scalar_that_no_value_has_is_refused_with_its_place(write, value):
    path = write(f"title: {value}\n")
    with pytest.raises(InputError) as refused:
        read(path)
    assert str(refused.value).startswith(f"{path}:1: ")


def test_an_anchor_may_be_used_again(write):
    assert read(write("a: &x 1\nb: &x 2\nc: *x\n")).data == {"a": 1, "b": 2, "c": 2}
