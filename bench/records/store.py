"""A run's folder: append one record per process, replace derived files whole, and resume after anything.

`processes.jsonl` is all that is ever appended to. One process is one line, written and synced once with its samples, so
a kill or a power loss costs at most the process in flight: an incomplete last line is dropped. Every other file can be
derived from it, from the plan and from the pictures.
"""

import io
import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import ValidationError

from bench import files
from bench.errors import InputError
from bench.records.columns import adapter
from bench.records.environment import same_variables
from bench.records.models import VERSION, ProcessRecord
from bench.records.outcomes import Status

PLAN, ENVIRONMENT, PROCESSES = "plan.json", "environment.json", "processes.jsonl"
SAMPLES, RESULTS = "samples.csv", "results.csv"
OLD_PROCESSES = "processes.csv"
"""Versions before 0.2.0 wrote this file instead of `processes.jsonl`."""
MOST_SAMPLES = 500_000
"""Of a run. Reading as many takes seconds; a night of measuring makes some ten thousand."""
MOST_PASSES = 100_000
"""Every pass up to the highest number is looked at, so a damaged number must not stand for billions."""
MUST_STAY_EQUAL = (
    "diffusion_bench",
    "device",
    "device_name",
    "variables",
    "driver",
    "cuda",
    "torch",
    "diffusers",
    "transformers",
    "accelerate",
    "python",
)
"""Facts of the environment that must not change between the parts of a resumed run."""


class Store:
    """The folder of one run, locked so that one process at a time writes to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = FileLock(folder / ".lock")

    def open(
        self,
        plan: Mapping[str, Any],
        environment: Mapping[str, Any],
        *,
        resume: bool,
        again: Collection[Status] = (),
    ) -> list[ProcessRecord]:
        """Lock the folder and prepare its files; return the processes that are already finished.

        Args:
            plan: of the run.
            environment: facts of the machine and versions.
            resume: whether the folder has a run that is continued.
            again: statuses whose processes are dropped and measured again, like those that were interrupted.

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
                return self._resume(plan, environment, resume=resume, dropped={Status.INTERRUPTED, *again})
            self._refuse_foreign_folder(resume=resume)
            files.replace(self.folder / PLAN, _json(plan))
            files.replace(self.folder / ENVIRONMENT, _json(environment))
            files.replace(self.folder / PROCESSES, "")
        except BaseException:
            self.close()
            raise
        return []

    def close(self) -> None:
        """Unlock the folder."""
        self._lock.release()

    def grow(self, plan: Mapping[str, Any]) -> None:
        """Replace the plan by one with further cases."""
        files.replace(self.folder / PLAN, _json(plan))

    def describe(self, environment: Mapping[str, Any]) -> None:
        """Replace the environment by one with further facts."""
        files.replace(self.folder / ENVIRONMENT, _json(environment))

    def append(self, record: ProcessRecord) -> None:
        """Write one process with its samples and sync it to disk; raise OSError where the disk refuses."""
        with files.appending(self.folder / PROCESSES) as file:
            file.write(_line(record))

    def _refuse_foreign_folder(self, *, resume: bool) -> None:
        """Raise `InputError` for a folder with other contents, and for `resume` where there is no run.

        A run that was killed while it began has some of its files but no processes; it can be resumed.
        """
        names = {path.name for path in self.folder.iterdir()} - {".lock"}
        if OLD_PROCESSES in names:
            raise InputError(f"{self.folder}: was written by a version before 0.2.0; choose another --output")
        begun = {name for name in names if name in {PLAN, ENVIRONMENT} or name.endswith(files.NEW)}
        if resume and not names:
            raise InputError(f"{self.folder}: there is no run to resume; leave --resume out, or name the run's folder")
        if names - begun or (names and not resume):
            found = ", ".join(sorted(names)[:3])
            raise InputError(
                f"{self.folder}: is not the folder of a run, but contains {found}; choose an empty or new folder"
            )

    def _resume(
        self, plan: Mapping[str, Any], environment: Mapping[str, Any], *, resume: bool, dropped: Collection[Status]
    ) -> list[ProcessRecord]:
        if not resume:
            raise InputError(f"{self.folder}: already has results; give --resume to continue, or another --output")
        if _measured_plan(read_json(files.within(self.folder, PLAN))) != _measured_plan(json.loads(_json(plan))):
            raise InputError(
                f"{self.folder}: was made from a different plan; give the same scenarios and options, or a new --output"
            )
        before = read_json(files.within(self.folder, ENVIRONMENT))
        for fact in MUST_STAY_EQUAL:
            was, now = before.get(fact), environment.get(fact)
            if was == now or (fact == "variables" and same_variables(before, environment)):
                continue
            if fact == "device_name" and None not in {was, now}:
                raise InputError(
                    f"{self.folder}: was measured on {was}, but now the device is {now}, and one run has one model of "
                    "device; choose that one with --device, or start a new run with another --output"
                )
            raise InputError(
                f"{self.folder}: was made with {fact} {was}, but now it is {now}; start a new run with another --output"
            )
        records = read_processes(files.within(self.folder, PROCESSES))
        finished = [record for record in records if record.status not in dropped]
        files.replace(self.folder / PROCESSES, b"".join(map(_line, finished)))
        return finished


def _measured_plan(plan: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a plan that must not change; whether the hub could be reached may."""
    run = plan.get("run")
    return {**plan, "run": {**run, "hub_reachable": None} if isinstance(run, dict) else run}


def _line(record: ProcessRecord) -> bytes:
    return adapter(ProcessRecord).dump_json(record, exclude_none=True) + b"\n"


def read_processes(path: Path) -> list[ProcessRecord]:
    """Return the records of a `processes.jsonl`, without a torn last line.

    Raises:
        InputError: the file cannot be read, or a line is damaged, of another version or there twice; with the line.
    """
    data = files.read(path)
    lines = io.BytesIO(data[: data.rfind(b"\n") + 1])  # not the torn last one; one by one, in case all are empty
    records: list[ProcessRecord] = []
    seen: dict[tuple[str, int], int] = {}
    samples = 0
    for number, line in enumerate(lines, start=1):
        record = _record(path, number, line)
        samples += 1 + len(record.samples)
        if samples > MOST_SAMPLES:
            raise InputError(
                f"{path}:{number}: more than {MOST_SAMPLES:,} samples, the most that are read; split the run"
            )
        first = seen.setdefault((record.key, record.process), number)
        if first != number:
            raise InputError(
                f"{path}:{number}: process {record.process} of {record.key} is on line {first} already; remove one"
            )
        records.append(record)
    return records


def _record(path: Path, number: int, line: bytes) -> ProcessRecord:
    try:
        record = adapter(ProcessRecord).validate_json(line)
    except ValidationError as error:
        _refuse_other_version(path, number, line)
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        raise InputError(f"{path}:{number}: {where}: {first['msg']}; the file is damaged") from error
    refuse_other_schema(path, number, record.schema)
    if record.process > MOST_PASSES:
        raise InputError(
            f"{path}:{number}: process: {record.process} is not below {MOST_PASSES:,}; the file is damaged"
        )
    if record.status.measured and (not record.samples or not record.settings.images):
        raise InputError(
            f"{path}:{number}: process {record.process} of {record.key} is '{record.status}' but has no "
            f"{'samples' if not record.samples else 'number of images'}; the file is damaged"
        )
    return record


def _refuse_other_version(path: Path, number: int, line: bytes) -> None:
    """Raise `InputError` if a line that is not a record of this version is one of another."""
    with suppress(ValueError, RecursionError):
        found = json.loads(line)
        if isinstance(found, dict) and "schema" in found:
            refuse_other_schema(path, number, found["schema"])


def refuse_other_schema(path: Path, number: int, schema: object) -> None:
    """Raise `InputError` unless a line was written with this version of the schema."""
    if schema != VERSION:
        raise InputError(
            f"{path}:{number}: was written with schema {schema!s:.60}, this version reads schema {VERSION}; "
            "use the version that wrote it, or measure again"
        )


def read_text(path: Path) -> str:
    """Return the text of a file, without a byte order mark; raise `InputError` if it cannot be read as UTF-8."""
    data = files.read(path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}:{line}: is not UTF-8 text ({error.reason}); save it as UTF-8") from error


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; raise `InputError` if there is none."""
    try:
        data = json.loads(files.read(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is not JSON ({error}); the file is damaged") from error
    if not isinstance(data, dict):
        raise InputError(f"{path}: is not a JSON object; the file is damaged")
    return data


def _json(data: Mapping[str, Any]) -> str:
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
