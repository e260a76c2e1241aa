"""A run's folder: append rows, replace derived files, resume after anything.

`processes.csv` is the commit record: samples are written and synced first, then the process's row. Samples without a
row were cut off in the middle and are dropped on resume, as is a torn last line.
"""

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from bench.errors import InputError
from bench.records import cells, schema
from bench.records.schema import Column, Status

Row = Mapping[str, Any]
_NAMED = 3
"""Columns that a message names."""
LONGEST_TEXT = 100_000
"""Python's csv reads no field of more than 131,072 characters."""
LARGEST_BYTES = 256 * 1024**2
"""Of a file that is read: over a million samples. What is larger is no file of ours, and would fill the memory."""
SAMPLES, PROCESSES, RESULTS = "samples.csv", "processes.csv", "results.csv"
PLAN, ENVIRONMENT = "plan.json", "environment.json"
MUST_STAY_EQUAL = (
    "diffusion_bench",
    "variables",
    "device_name",
    "device",
    "driver",
    "cuda",
    "torch",
    "diffusers",
    "transformers",
    "accelerate",
    "python",
)
"""Facts of the environment that a resumed run must share with what is on file."""


class Store:
    """One run's folder, held by one process at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = FileLock(folder / ".lock")

    def open(self, plan: Mapping[str, Any], environment: Mapping[str, Any], *, resume: bool) -> list[dict[str, str]]:
        """Take the folder and prepare its files; return the rows of the processes that are finished already.

        Raises:
            InputError: the folder is in use, cannot be written, holds results and `resume` is off, or was made from
                another plan or environment.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise InputError(
                f"{self.folder}: another run is writing here; wait for it, or choose another --output"
            ) from error
        except OSError as error:
            raise InputError(f"{self.folder}: cannot be written ({error.strerror}); choose another --output") from error
        try:
            if (self.folder / PROCESSES).exists():
                return self._resume(plan, environment, resume=resume)
            self._refuse_what_is_no_run(resume=resume)
            self._begin(plan, environment)
        except BaseException:
            self.close()
            raise
        return []

    def close(self) -> None:
        """Let the folder go."""
        self._lock.release()

    def grow(self, plan: Mapping[str, Any]) -> None:
        """Write a plan that has further cases; those that it had stay."""
        replace(self.folder / PLAN, _json(plan))

    def append(self, process: Row, samples: Sequence[Row]) -> None:
        """Write the samples of a process, then its row, each synced to disk; raise OSError where the disk refuses."""
        _append(self.folder / SAMPLES, schema.SAMPLES, samples)
        _append(self.folder / PROCESSES, schema.PROCESSES, [{"schema": schema.VERSION, **process}])

    def _refuse_what_is_no_run(self, *, resume: bool) -> None:
        """Raise `InputError` for a folder of other things, which would be overwritten, and for nothing to resume.

        A run that was killed while it began has some of its files and no process's: it may be resumed, from its start.
        """
        names = {path.name for path in self.folder.iterdir()} - {".lock"}
        begun = {name for name in names if name in {PLAN, ENVIRONMENT, SAMPLES} or name.endswith(".new")}
        if resume and not names:
            raise InputError(f"{self.folder}: holds no run to go on with; leave --resume out, or name its folder")
        if names - begun or (names and not resume):
            found = ", ".join(sorted(names)[:3])
            raise InputError(f"{self.folder}: is no run, but holds {found}; choose an empty or new folder")

    def _begin(self, plan: Mapping[str, Any], environment: Mapping[str, Any]) -> None:
        replace(self.folder / PLAN, _json(plan))
        replace(self.folder / ENVIRONMENT, _json(environment))
        for name, columns in ((SAMPLES, schema.SAMPLES), (PROCESSES, schema.PROCESSES)):
            replace(self.folder / name, _lines(columns, [], header=True))

    def _resume(self, plan: Mapping[str, Any], environment: Mapping[str, Any], *, resume: bool) -> list[dict[str, str]]:
        if not resume:
            raise InputError(f"{self.folder}: has results already; give --resume to go on, or another --output")
        if _measured_plan(read_json(self.folder / PLAN)) != _measured_plan(json.loads(_json(plan))):
            raise InputError(
                f"{self.folder}: was made from another plan; give the same scenarios and options, or another --output"
            )
        before = read_json(self.folder / ENVIRONMENT)
        for fact in MUST_STAY_EQUAL:
            if before.get(fact) != environment.get(fact):
                raise InputError(
                    f"{self.folder}: was made with {fact} {before.get(fact)}, here is {environment.get(fact)}; "
                    "start anew with another --output"
                )
        return self._repair()

    def _repair(self) -> list[dict[str, str]]:
        """Drop torn lines, interrupted processes and samples without a process row; return what is finished."""
        processes = [row for row in read_rows(self.folder / PROCESSES) if row["status"] != Status.INTERRUPTED]
        finished = {(row["scenario"], row["case"], row["process"]) for row in processes}
        samples = [
            row
            for row in read_rows(self.folder / SAMPLES)
            if (row["scenario"], row["case"], row["process"]) in finished
        ]
        replace(self.folder / SAMPLES, _lines(schema.SAMPLES, samples, header=True))
        replace(self.folder / PROCESSES, _lines(schema.PROCESSES, processes, header=True))
        return processes


def _measured_plan(plan: dict[str, Any]) -> dict[str, Any]:
    """Return what a plan measures: whether the hub could be reached when it began is not of it."""
    run = {name: value for name, value in plan.get("run", {}).items() if name != "hub_reachable"}
    return {**plan, "run": run}


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of samples.csv or processes.csv as text, without a torn last line.

    Raises:
        InputError: the file cannot be read, has not this schema's columns, a row of another length, or a cell that its
            column cannot hold.
    """
    return [row for _, row in numbered_rows(path, {SAMPLES: schema.SAMPLES, PROCESSES: schema.PROCESSES}[path.name])]


def numbered_rows(path: Path, columns: tuple[Column, ...], *, whole: bool = False) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a result file as text, each with the line that it ends on.

    Args:
        path: of the file.
        columns: that it must have, no more and no less.
        whole: whether the file was written in one go, so that a torn last line says that it was cut off. In a file that
            is appended to, a kill leaves one, and it is dropped.

    Raises:
        InputError: the file cannot be read, has other columns, a row of another length, or a cell that its column
            cannot hold; with file and line.
    """
    reader = csv.DictReader(io.StringIO(_text(path, whole=whole), newline=""), strict=True)
    try:
        _check_header(path, reader, columns)
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}: is no CSV ({error}); the file is damaged") from error
    for line, row in rows:
        if None in row or None in row.values():
            raise InputError(f"{path}:{line}: has not as many values as columns; the file was changed by hand")
    cells.check(path, columns, rows)
    return rows


def _check_header(path: Path, reader: "csv.DictReader[str]", columns: tuple[Column, ...]) -> None:
    """Raise `InputError` unless a file has exactly these columns; say which are not ours, which lack, which version."""
    found, wanted = list(reader.fieldnames or []), schema.names(columns)
    if found == wanted:
        return
    if not found:
        raise InputError(f"{path}:1: is empty; give the results.csv or the folder of a run")
    foreign, missing = [name for name in found if name not in wanted], [name for name in wanted if name not in found]
    details = [
        f"{what} {', '.join(map(repr, names[:_NAMED]))}{' ...' if len(names) > _NAMED else ''}"
        for what, names in (("it lacks", missing), ("foreign are", foreign))
        if names
    ]
    version = (next(reader, None) or {}).get("schema")
    told = f"; it was written with schema {version}" if version not in {None, str(schema.VERSION)} else ""
    raise InputError(
        f"{path}:1: has not the columns of schema {schema.VERSION} ({'; '.join(details) or 'another order'}){told}; "
        "use the version that wrote it, or measure again"
    )


def _text(path: Path, *, whole: bool) -> str:
    """Return the text of a result file up to its last whole row, without the mark that spreadsheets begin a file with.

    Raises:
        InputError: the file cannot be read, is larger than any of ours, is no UTF-8, or is torn where it must be whole.
    """
    data = _read(path)
    kept = _whole_rows(data)
    try:
        text = kept.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}:{line}: is no UTF-8 text ({error.reason}); the file is damaged, or is not ours"
        ) from error
    if whole and kept != data:
        line = data.rstrip(b"\n").count(b"\n") + 1
        raise InputError(f"{path}:{line}: the last line is torn, the file was cut off; copy it again")
    return text


def _read(path: Path) -> bytes:
    """Return the bytes of a file of a run; raise `InputError` for one that cannot be read or that would not fit."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give the folder of a run") from error
    if len(data) > LARGEST_BYTES:
        raise InputError(f"{path}: is larger than {LARGEST_BYTES >> 20} MiB; no file of a run is")
    return data


def _whole_rows(data: bytes) -> bytes:
    """Return the bytes up to the last whole row: one that ends with a newline outside of quotes."""
    end = data.rfind(b"\n") + 1
    within = data.count(b'"', 0, end) % 2
    while within:
        start = data.rfind(b"\n", 0, end - 1) + 1
        within ^= data.count(b'"', start, end) % 2
        end = start
    return data[:end]


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object of a run's folder; raise `InputError` where there is none."""
    try:
        data = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is no JSON ({error}); the file is damaged") from error
    if not isinstance(data, dict):
        raise InputError(f"{path}: is no JSON object; the file is damaged")
    return data


def replace(path: Path, text: str) -> None:
    """Write a whole file so that a reader sees the old one or the new one, never a part."""
    new = path.with_name(f".{path.name}.new")
    with new.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _append(path: Path, columns: tuple[Column, ...], rows: Sequence[Row]) -> None:
    if not rows:
        return
    with path.open("a", encoding="utf-8", errors="backslashreplace", newline="") as file:
        file.write(_lines(columns, rows, header=False))
        file.flush()
        os.fsync(file.fileno())


def _lines(columns: tuple[Column, ...], rows: Iterable[Row], *, header: bool) -> str:
    """Return rows as CSV text; raise ValueError for a key that is no column."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, schema.names(columns), restval="", extrasaction="raise", lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    """Shorten a text that no reader would take, and spare it the one newline that csv does not quote."""
    return value.replace("\r", "\n")[:LONGEST_TEXT] if isinstance(value, str) else value


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
