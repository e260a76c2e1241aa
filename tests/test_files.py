"""Files in folders that somebody else may have made."""

import os
import stat
from pathlib import Path

import pytest

from bench import files
from bench.errors import InputError


@pytest.mark.parametrize("name", ["a", "fp16", "batch-4", "v1.5+x", "A_b"])
def test_a_plain_name_is_a_name(name):
    assert files.is_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "/a", "-a", ".a", "a\\b", "a\0", "a\n", "CON", "nul.txt", "x" * 101, "é"]
)
def test_what_is_no_name_everywhere_is_refused(name):
    assert not files.is_name(name)


def test_a_regular_file_is_read(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert files.read(tmp_path / "a") == b"abc"


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="not a regular file"):
        files.read(tmp_path / "pipe")


@pytest.mark.parametrize("path", ["/dev/zero", "/dev"])
def test_a_device_or_a_folder_is_refused(path):
    with pytest.raises(InputError):
        files.read(Path(path))


def test_a_name_with_a_nul_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        files.read(tmp_path / "a\0b")


def test_a_file_above_the_limit_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"abcd")
    with pytest.raises(InputError, match="larger than 3 bytes"):
        files.read(tmp_path / "a", limit=3)


def test_a_file_is_replaced_and_nothing_else_remains(tmp_path):
    (tmp_path / "a").write_text("old")
    files.replace(tmp_path / "a", "new")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "new"}


def test_a_link_is_replaced_and_not_written_through(tmp_path):
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "a").symlink_to(tmp_path / "victim")
    files.replace(tmp_path / "a", "new")
    assert (tmp_path / "victim").read_text() == "mine"


def test_the_temporary_name_cannot_be_guessed(tmp_path):
    names = []
    for _ in range(2):
        with files.replacing(tmp_path / "a"):
            names += [path.name for path in tmp_path.iterdir() if path.name.endswith(files.NEW)]
    assert len(set(names)) == 2


def test_a_failed_replacement_leaves_the_old_file_alone(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(TypeError), files.replacing(tmp_path / "a") as file:
        file.write("text where bytes are written")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old"}


def test_a_written_file_has_the_permissions_of_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        files.replace(tmp_path / "a", "")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_nothing_is_appended_through_a_link(tmp_path):
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "a").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="a"), files.appending(tmp_path / "a") as file:
        file.write(b"x")
    assert (tmp_path / "victim").read_text() == "mine"


def test_nothing_is_appended_to_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "a")
    with pytest.raises(OSError, match="a"), files.appending(tmp_path / "a"):
        pass


def test_a_record_is_appended(tmp_path):
    (tmp_path / "a").write_bytes(b"one\n")
    with files.appending(tmp_path / "a") as file:
        file.write(b"two\n")
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize("name", ["..", "/etc", "a/b", "", "a\0", "a" * 300, "\ud800"])
def test_a_path_does_not_leave_its_folder(tmp_path, name):
    with pytest.raises(InputError, match="not the name of a file"):
        files.within(tmp_path, "plots", name)


def test_a_link_below_a_folder_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "plots").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="is a link"):
        files.subfolder(tmp_path / "run", "plots", "x")


def test_a_folder_that_is_itself_a_link_may_be_used(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "disk")
    assert files.subfolder(tmp_path / "run", "plots").is_dir()
