"""From the words on a command line to files: paths, folders and names."""

import re

import pytest

from bench.errors import InputError
from bench.plan.load import find


@pytest.fixture(autouse=True)
def shipped(write, monkeypatch, tmp_path):
    """An installed package with a scenario of its own."""
    package = write("", "site-packages/bench/__init__.py")
    monkeypatch.setattr("bench.plan.load.PACKAGE", package.parent)
    write("", "site-packages/bench/scenarios/two.yaml")
    return write("", "site-packages/bench/scenarios/shipped.yaml")


@pytest.fixture
def folder(write, monkeypatch, tmp_path):
    """A working folder with scenarios/ in it."""
    for name in ("two.yaml", "one.yaml", "notes.txt"):
        write("", f"scenarios/{name}")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "scenarios"


def refusal(*names):
    """Return the message with which names are refused."""
    with pytest.raises(InputError) as caught:
        find(names)
    return str(caught.value)


def found(*names):
    """Return the paths that names stand for, as text."""
    return [path.as_posix() for path in find(names)]


def test_without_a_name_all_scenarios_are_found_in_alphabetical_order(folder):
    assert found() == ["scenarios/one.yaml", "scenarios/two.yaml"]


def test_a_name_stands_for_the_scenario_of_that_name(folder):
    assert found("two") == ["scenarios/two.yaml"]


def test_a_path_stands_for_its_file(folder):
    assert found("scenarios/two.yaml") == ["scenarios/two.yaml"]


def test_a_folder_stands_for_its_yaml_files_with_either_ending(write, folder):
    write("", "mine/b.yml")
    write("", "mine/a.yaml")
    assert found("mine") == ["mine/a.yaml", "mine/b.yml"]


def test_names_keep_their_order(folder):
    assert found("two", "one") == ["scenarios/two.yaml", "scenarios/one.yaml"]


@pytest.mark.parametrize("again", ["two", "scenarios/two.yaml", "./scenarios/two.yaml", "scenarios"])
def test_a_scenario_that_is_named_twice_is_found_once(folder, again):
    assert found("two", again).count("scenarios/two.yaml") == 1


def test_two_paths_of_one_file_are_one_scenario(folder):
    assert len(find(["two", str(folder / "two.yaml")])) == 1


def test_a_missing_yaml_file_is_left_for_the_reader_to_refuse(folder):
    assert found("missing.yaml") == ["missing.yaml"]


def test_an_unknown_name_is_refused_with_the_closest_one(folder):
    assert refusal("tow") == "unknown scenario 'tow'; did you mean 'two'?"


def test_an_unknown_name_without_a_close_one_is_refused_with_all_names(folder):
    assert refusal("sd15") == "unknown scenario 'sd15'; choose from: one, shipped, two"


def test_a_name_that_is_not_in_the_current_directory_stands_for_the_packages_own(folder, shipped):
    assert found("shipped") == [shipped.as_posix()]


def test_without_a_scenarios_folder_a_name_stands_for_the_packages_own(tmp_path, shipped, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert found("shipped") == [shipped.as_posix()]


def test_without_a_scenarios_folder_all_of_the_package_are_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [path.stem for path in find([])] == ["shipped", "two"]


def test_in_a_checkout_the_packages_own_are_beside_it(tmp_path, shipped, monkeypatch):
    monkeypatch.chdir(tmp_path / "site-packages" / "bench")
    shipped.parent.rename(tmp_path / "site-packages" / "scenarios")
    assert found("shipped") == [(tmp_path / "site-packages" / "scenarios" / "shipped.yaml").as_posix()]


def test_a_folder_without_a_scenario_is_refused(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    assert refusal("empty") == "empty: contains no scenario (*.yaml); give a file, or a folder that contains one"


def test_two_files_with_the_same_name_are_refused(write, folder):
    write("", "mine/two.yaml")
    assert re.match(r"scenarios/two.yaml:1: two scenarios are named 'two', .*; \S", refusal("two", "mine/two.yaml"))


def test_the_same_name_with_two_endings_is_refused(write, folder):
    write("", "scenarios/two.yml")
    assert "two scenarios are named 'two'" in refusal("scenarios")
