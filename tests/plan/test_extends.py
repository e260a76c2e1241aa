"""A scenario that extends another: what it changes, what it keeps, and where each key was written."""

import pytest

from bench.errors import InputError
from bench.plan.document import read

PARENT = """\
title: parent
model: stable-diffusion-v1-5
call: {prompt: a cat,
  height: 512}
optimizations: [tf32, compile]
baseline: slow
cases:
  slow: {}
  fast:
    dtype: float16
    call: {height: 768}
"""


@pytest.fixture
def child(write):
    """Return a function that reads a scenario that extends PARENT."""
    write(PARENT, "parent.yaml")
    return lambda text: read(write(f"extends: parent.yaml\n{text}", "child.yaml"))


def test_a_file_that_only_extends_another_equals_it(child, write):
    assert child("").data == read(write(PARENT, "parent.yaml")).data


def test_a_key_overrides_the_extended_file(child):
    assert child("title: child\n").data["title"] == "child"


def test_overriding_one_key_keeps_the_others(child):
    assert child("title: child\n").data["model"] == "stable-diffusion-v1-5"


def test_a_call_argument_overrides_only_that_argument(child):
    assert child("call: {height: 256}\n").data["call"] == {"prompt": "a cat", "height": 256}


def test_a_list_is_replaced_as_a_whole(child):
    assert child("optimizations: [channels_last]\n").data["optimizations"] == ["channels_last"]


def test_a_case_keeps_the_settings_that_are_not_overridden(child):
    assert child("cases: {fast: {seed: 1}}\n").data["cases"]["fast"] == {
        "dtype": "float16",
        "call": {"height": 768},
        "seed": 1,
    }


def test_a_new_case_comes_after_those_of_the_extended_file(child):
    assert list(child("cases: {new: {}}\n").data["cases"]) == ["slow", "fast", "new"]


def test_a_case_without_a_value_is_dropped(child):
    assert list(child("cases: {fast: }\n").data["cases"]) == ["slow"]


def test_a_setting_without_a_value_is_dropped(child):
    assert child("optimizations:\n").data["optimizations"] is None


def test_the_extended_file_is_not_changed(child, write):
    path = write(PARENT, "parent.yaml")
    child("cases: {fast: }\ncall: {height: 256}\n")
    assert path.read_text(encoding="utf-8") == PARENT


@pytest.mark.parametrize(("location", "line"), [(("call", "height"), 4), (("cases", "fast", "dtype"), 10)])
def test_a_key_of_the_extended_file_is_at_its_own_file_and_line(child, tmp_path, location, line):
    assert child("call: {width: 512}\n").place(location) == (tmp_path / "parent.yaml", line)


@pytest.mark.parametrize(
    ("location", "line"), [(("call",), 2), (("call", "width"), 3), (("call", "height"), 4), (("cases", "new"), 5)]
)
def test_a_key_of_the_extending_file_is_at_its_own_file_and_line(child, tmp_path, location, line):
    document = child("call:\n  width: 512\n  height: 8\ncases: {new: {}}\n")
    assert document.place(location) == (tmp_path / "child.yaml", line)


def test_an_extended_file_is_relative_to_the_file_that_names_it(write):
    write(PARENT, "shared/parent.yaml")
    write("extends: parent.yaml\nseed: 3\n", "shared/middle.yaml")
    assert read(write("extends: shared/middle.yaml\n")).data["title"] == "parent"


def test_three_files_may_extend_each_other_in_a_chain(write):
    write("title: first\nseed: 1\nsamples: 1\n", "first.yaml")
    write("extends: first.yaml\nseed: 2\nsamples: 2\n", "second.yaml")
    data = read(write("extends: second.yaml\nsamples: 3\n", "third.yaml")).data
    assert data == {"title": "first", "seed": 2, "samples": 3}


def test_extends_is_not_part_of_the_data(child):
    assert "extends" not in child("").data


def test_extends_without_a_value_extends_nothing(write):
    assert read(write("title: t\nextends:\n")).data == {"title": "t"}


def test_two_files_may_extend_the_same_file(write):
    write(PARENT, "parent.yaml")
    names = [read(write("extends: parent.yaml\n", name)).data["title"] for name in ("one.yaml", "two.yaml")]
    assert names == ["parent", "parent"]


SECRET = "aws_key_id: hunter2\nregion: hunter2\n"  # noqa: S105 - of nobody
OTHERS = [SECRET, "hunter2", "a: *hunter2", "a: 1\nhunter2", "hunter2: 1\nhunter2: 2", "- hunter2"]


@pytest.fixture
def outside(tmp_path):
    """Return a function that extends a file outside the scenario's folder, by its path or by a link."""
    (tmp_path / "sent").mkdir()

    def make(text, *, by_link):
        (tmp_path / "mine.yaml").write_text(text)
        if by_link:
            (tmp_path / "sent" / "link.yaml").symlink_to(tmp_path / "mine.yaml")
        path = tmp_path / "sent" / "child.yaml"
        path.write_text(f"title: child\nextends: {'link.yaml' if by_link else '../mine.yaml'}\n")
        return path

    return make


@pytest.mark.parametrize("by_link", [True, False])
@pytest.mark.parametrize("text", OTHERS)
def test_a_file_of_another_folder_is_not_quoted(outside, text, by_link):
    path = outside(text, by_link=by_link)
    with pytest.raises(InputError) as refused:
        read(path)
    assert str(refused.value).startswith(f"{path}:2: 'extends': ")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("by_link", [True, False])
def test_a_scenario_of_another_folder_can_be_extended(outside, by_link):
    assert read(outside(PARENT, by_link=by_link)).data["model"] == "stable-diffusion-v1-5"
