"""What this user keeps in the system's temporary folder: locks, and files that must not outlive their process.

A process that is killed cleans nothing up. So each of its folders has a lock, which the system releases with the
process, and whoever finds a folder whose lock is free removes it.
"""

import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

TEMPORARY = "temporary-"
"""How the names of folders begin that are removed with their process."""
KILLED_WITHIN_S = 30.0
"""A killed process returns its memory before it releases its locks, which takes seconds for tens of GiB."""
_IN_MEMORY = {"tmpfs", "ramfs"}


def user_folder() -> Path | None:
    """Return this user's folder; None if somebody else has made one of that name, or nothing can be made there."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"diffusion-bench-{user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    return folder if found.st_uid == user and stat.S_ISDIR(found.st_mode) else None


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield an empty folder that is removed at the end, or by `remove_abandoned` if this process is killed.

    Raises:
        OSError: the user's folder cannot be used.
    """
    parent = user_folder()
    if parent is None:
        raise PermissionError(None, "has no usable folder for this user; set TMPDIR to another", tempfile.gettempdir())
    folder = parent / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}"
    with FileLock(_lock(folder)):  # before the folder exists, so that nobody finds it unlocked
        try:
            folder.mkdir(mode=0o700)
            yield folder
        finally:
            _remove(folder)


def remove_abandoned(killed: int | None = None) -> None:
    """Remove the folders of processes that ended without removing them; wait for one that was just killed."""
    parent = user_folder()
    found = parent.glob(f"{TEMPORARY}*") if parent is not None else ()
    for folder in filter(Path.is_dir, found):
        timeout_s = KILLED_WITHIN_S if folder.name.startswith(f"{TEMPORARY}{killed}-") else 0
        with suppress(Timeout, OSError), FileLock(_lock(folder), timeout=timeout_s):
            _remove(folder)


def room_bytes(folder: Path) -> int:
    """Return how much can be written below a folder: what its disk has left, or the memory."""
    free = shutil.disk_usage(folder).free
    return min(free, psutil.virtual_memory().available) if is_in_memory(folder) else free


def is_in_memory(folder: Path) -> bool:
    """Return whether what is written below a folder takes memory instead of room on a disk."""
    path = folder.resolve()
    mounts = {Path(disk.mountpoint): disk.fstype for disk in psutil.disk_partitions(all=True)}
    return next((mounts[parent] for parent in (path, *path.parents) if parent in mounts), "") in _IN_MEMORY


def _lock(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _lock(folder).unlink(missing_ok=True)
