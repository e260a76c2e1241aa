"""A run's folder: what is put on file is read back as it was, and a folder that is not a run's is left alone."""

import math
import os
import resource
import stat
from contextlib import contextmanager

import pytest
from records.make import ENVIRONMENT, PLAN, process_record

from bench.errors import InputError
from bench.files import replace
from bench.records import store as store_module
from bench.records.models import Sample
from bench.records.store import PROCESSES, Store, read_json, read_processes


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "run")
    opened.open(PLAN, ENVIRONMENT, resume=False)
    yield opened
    opened.close()


def stored(store, record):
    """Return a record as it is read back."""
    store.append(record)
    return read_processes(store.folder / PROCESSES)[-1]


def refusal(folder, *, resume=False):
    with pytest.raises(InputError) as refused:
        Store(folder).open(PLAN, ENVIRONMENT, resume=resume)
    return str(refused.value)


def test_a_new_folder_has_nothing_finished(tmp_path):
    assert Store(tmp_path / "run").open(PLAN, ENVIRONMENT, resume=False) == []


def test_a_folder_is_made_with_its_parents(tmp_path):
    Store(tmp_path / "results" / "today" / "run").open(PLAN, ENVIRONMENT, resume=False)
    assert (tmp_path / "results" / "today" / "run" / PROCESSES).is_file()


def test_the_plan_and_the_environment_are_read_back_as_they_were_given(store):
    assert [read_json(store.folder / name) for name in ("plan.json", "environment.json")] == [PLAN, ENVIRONMENT]


def test_a_plan_grows_and_the_records_stay(store):
    store.append(process_record())
    store.grow({**PLAN, "cases": [{"name": "bf16"}]})
    assert read_json(store.folder / "plan.json")["cases"] == [{"name": "bf16"}]
    assert len(read_processes(store.folder / PROCESSES)) == 1


def test_a_record_is_read_back_as_it_was(store):
    record = process_record(
        steps=30, seed=(0, 1), call={"prompt": "größer, 模型"}, breakdown_denoiser_calls_s=[0.1, 1 / 3], warm=False,
        peak_allocated_bytes=3.5 * 2**30, clock_events="power cap", remarks="idle(vae_slicing); host-bound:0.71",
    )  # fmt: skip
    assert stored(store, record) == record


def test_a_process_is_one_line_with_its_samples(store):
    store.append(process_record(samples=[0.25, 0.5]))
    (line,) = (store.folder / PROCESSES).read_text(encoding="utf-8").splitlines()
    assert line.endswith('"samples":[{"latency_s":0.25,"device_time_s":0.125},{"latency_s":0.5,"device_time_s":0.25}]}')


def test_processes_are_read_back_in_order(store):
    for case in ("baseline", "fp16", "tf32"):
        store.append(process_record(case))
    assert [record.case for record in read_processes(store.folder / PROCESSES)] == ["baseline", "fp16", "tf32"]


@pytest.mark.parametrize("latency_s", [0.1 + 0.2, 1 / 3, math.pi * 1e-9, 5e-324, 1.7976931348623157e308, 3.0])
def test_a_number_is_stored_at_full_precision(store, latency_s):
    assert stored(store, process_record(samples=[latency_s])).samples == (Sample(latency_s, latency_s / 2),)


@pytest.mark.parametrize(
    "reason", ["a, b; c", 'he said "no"', "two\nlines", "a\rreturn", "10 µs: 模型 🎉", "a\x00b", " spaces ", "\u2028"]
)
def test_any_text_is_read_back_as_it_was(store, reason):
    assert stored(store, process_record(status="failed", reason=reason)).reason == reason


def test_every_append_is_synced_once(store, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)
    store.append(process_record())
    assert len(synced) == 1


@contextmanager
def no_space():
    """Refuse every write to a file, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_full_is_an_os_error(store):
    with pytest.raises(OSError, match="File too large"), no_space():
        store.append(process_record())


def test_a_link_in_the_place_of_the_records_is_not_written_through(store, tmp_path):
    (store.folder / PROCESSES).unlink()
    (store.folder / PROCESSES).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        store.append(process_record())
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_the_umask_says_who_may_read_the_files(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        store = Store(tmp_path / "run")
        store.open(PLAN, ENVIRONMENT, resume=False)
        store.append(process_record())
        replace(store.folder / "results.csv", "derived\n")
        store.close()
    finally:
        os.umask(before)
    files = ("plan.json", "environment.json", PROCESSES, "results.csv")
    assert {stat.S_IMODE((store.folder / name).stat().st_mode) for name in files} == {mode}


def test_a_second_run_in_the_same_folder_is_refused(store):
    assert refusal(store.folder, resume=True) == (
        f"{store.folder}: another run is writing here; wait for it, or choose another --output"
    )


def test_a_refused_run_leaves_the_records_of_the_first(store):
    store.append(process_record())
    refusal(store.folder, resume=True)
    store.append(process_record(process=1))
    assert [record.process for record in read_processes(store.folder / PROCESSES)] == [0, 1]


def test_a_closed_folder_can_be_opened_again(store):
    store.close()
    again = Store(store.folder)
    assert again.open(PLAN, ENVIRONMENT, resume=True) == []
    again.close()


def test_a_folder_with_results_needs_resume(store):
    store.close()
    assert "already has results; give --resume" in refusal(store.folder)


def test_a_refused_folder_is_unlocked(store):
    store.close()
    refusal(store.folder)
    again = Store(store.folder)
    assert again.open(PLAN, ENVIRONMENT, resume=True) == []
    again.close()


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("own", ["plan.json", "samples.csv", "thesis.tex"])
def test_a_folder_of_other_things_is_left_alone(tmp_path, own, resume):
    for name in ("thesis.tex", own):
        (tmp_path / name).write_text("years of work")
    assert "is not the folder of a run, but contains" in refusal(tmp_path, resume=resume)
    assert {path.name: path.read_text() for path in tmp_path.iterdir() if path.name != ".lock"} == {
        "thesis.tex": "years of work",
        own: "years of work",
    }


@pytest.mark.parametrize("resume", [True, False])
def test_a_run_of_an_older_version_is_left_alone(tmp_path, resume):
    (tmp_path / "processes.csv").write_text("schema\n2\n")
    assert "was written by a version before 0.2.0" in refusal(tmp_path, resume=resume)


@pytest.mark.parametrize("below", ["", "run"])
def test_a_file_in_the_place_of_the_folder_is_refused(write, below):
    folder = write("", "file") / below
    assert refusal(folder).startswith(f"{folder}: cannot be written")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o555)
    assert "cannot be written" in refusal(tmp_path / "run")


def test_replacing_a_file_leaves_nothing_beside_it(tmp_path):
    replace(tmp_path / "results.csv", "old\n")
    replace(tmp_path / "results.csv", "new\n")
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == {"results.csv": "new\n"}


def test_a_file_that_cannot_be_replaced_stays_as_it_was(tmp_path):
    replace(tmp_path / "results.csv", "old\n")
    with pytest.raises(OSError, match="File too large"), no_space():
        replace(tmp_path / "results.csv", "new\n")
    assert (tmp_path / "results.csv").read_text(encoding="utf-8") == "old\n"


def test_a_reader_of_the_old_file_is_not_disturbed(tmp_path):
    replace(tmp_path / "results.csv", "old\n")
    with (tmp_path / "results.csv").open(encoding="utf-8") as reader:
        replace(tmp_path / "results.csv", "new and longer\n")
        assert reader.read() == "old\n"


def test_a_text_that_is_not_unicode_can_be_written(tmp_path):
    replace(tmp_path / "plan.json", os.fsdecode(b"weights-\xff\n"))
    assert (tmp_path / "plan.json").read_text(encoding="utf-8") == "weights-\\udcff\n"


def test_a_full_disk_is_said_with_the_file(tmp_path):
    with pytest.raises(OSError, match=r"File too large: '.*tables.md'"), no_space():
        replace(tmp_path / "tables.md", "text\n")


def test_a_line_that_is_nested_too_deeply_is_refused_with_its_place(tmp_path):
    path = tmp_path / "processes.jsonl"
    path.write_text("[" * 100_000 + "\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"processes\.jsonl:1: .*the file is damaged"):
        read_processes(path)


def test_a_pass_that_no_run_reaches_is_refused_with_its_place(store):
    store.append(process_record(process=2**40))
    with pytest.raises(InputError, match=r"processes\.jsonl:1: process: .*the file is damaged"):
        read_processes(store.folder / PROCESSES)


def test_a_run_of_more_samples_than_are_read_is_refused_with_the_line(store, monkeypatch):
    monkeypatch.setattr(store_module, "MOST_SAMPLES", 10)
    for process in range(3):
        store.append(process_record(process=process, samples=(0.5,) * 4))
    with pytest.raises(InputError, match=r"processes\.jsonl:3: more than 10 samples"):
        read_processes(store.folder / PROCESSES)


def test_a_file_of_empty_lines_is_refused_at_the_first(store):
    (store.folder / PROCESSES).write_bytes(b"\n" * 50_000_000)
    with pytest.raises(InputError, match=r"processes\.jsonl:1: "):
        read_processes(store.folder / PROCESSES)
