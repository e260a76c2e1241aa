"""`tables`, `plots` and `report`: what they print, and where they write."""

import os
import shutil
import stat
import subprocess
import sys

import pytest
from analyze.make import case, make_folder, measured
from support import ROOT, assert_ended, assert_refused, bench, environment

from bench.records import store

PUBLISHED = "results/published/amd-epyc"


@pytest.fixture
def results(tmp_path):
    """Two runs in results/; "new" was written to last."""
    for age, name in ((100, "old"), (0, "new")):
        folder = make_folder(tmp_path / "results" / name, [case()], [measured("baseline", 1.0)])
        written = (folder / store.PROCESSES).stat().st_mtime - age
        os.utime(folder / store.PROCESSES, (written, written))
    return tmp_path / "results"


@pytest.fixture
def read_only(results):
    """A run in which nothing can be written; root may write everywhere, so folders are in the way."""
    for name in ("tables.md", "results.csv", "samples.csv", "plots"):
        (results / "old" / name).mkdir()
    mode = (results / "old").stat().st_mode
    (results / "old").chmod(mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    yield results / "old"
    (results / "old").chmod(mode)


@pytest.fixture
def tracked(tmp_path):
    """A copy of the published run that git tracks."""
    shutil.copytree(ROOT / PUBLISHED, tmp_path / "run")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "run/plan.json"], cwd=tmp_path, check=True)
    return tmp_path / "run"


def contents(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_tables_are_only_printed(results):
    before = contents(results)
    process = bench("tables", "results/old", cwd=results.parent)
    assert "baseline" in process.stdout
    assert contents(results) == before


def test_tables_of_a_read_only_run_are_printed(read_only):
    assert "baseline" in bench("tables", read_only, cwd=read_only).stdout


def test_tables_are_written_on_request(results):
    process = bench("tables", "results/old", "--write", cwd=results.parent)
    written = [f"results/old/{name}" for name in ("samples.csv", "results.csv", "tables.md")]
    assert process.stdout.splitlines()[-3:] == written
    assert [path for path in written if not (results.parent / path).is_file()] == []


def test_tables_that_cannot_be_written_are_refused_after_they_were_printed(read_only):
    process = bench("tables", read_only, "--write", cwd=read_only)
    assert_refused(process, "samples.csv")
    assert "baseline" in process.stdout


def test_tables_that_cannot_be_written_are_refused(results):
    (results / "old" / "tables.md").mkdir()
    assert_refused(bench("tables", "results/old", "--write", cwd=results.parent), "tables.md: Is a directory")


@pytest.mark.slow
def test_plots_are_drawn_in_the_runs_folder(results):
    bench("plots", "results/old", cwd=results.parent)
    assert {path.suffix for path in (results / "old" / "plots").iterdir()} == {".png", ".svg"}


@pytest.mark.slow
def test_plots_are_drawn_where_output_says(results):
    bench("plots", "results/old", "--output", "there", cwd=results.parent)
    assert {path.suffix for path in (results.parent / "there").iterdir()} == {".png", ".svg"}
    assert not (results / "old" / "plots").exists()


def test_plots_are_not_drawn_in_a_run_that_git_tracks(tracked):
    before = contents(tracked)
    assert_refused(bench("plots", "run", cwd=tracked.parent), "run: ", "--output")
    assert contents(tracked) == before


def test_a_run_that_git_tracks_is_reported_here(tracked):
    before = contents(tracked)
    process = bench("report", "run", cwd=tracked.parent)
    assert process.stdout == "report.html\n"
    assert (tracked.parent / "report.html").is_file()
    assert contents(tracked) == before


def test_without_a_run_the_newest_is_reported_in_its_folder(results):
    process = bench("report", cwd=results.parent)
    assert process.stdout == "results/new/report.html\n"
    assert (results / "new" / "report.html").is_file()


def test_several_runs_are_reported_here(results):
    process = bench("report", "results/old", "results/new", cwd=results.parent)
    assert process.stdout == "report.html\n"
    assert (results.parent / "report.html").is_file()


def test_the_report_of_a_read_only_run_is_written_where_output_says(read_only, tmp_path):
    assert_ended(bench("report", read_only, "--output", tmp_path / "there.html", cwd=tmp_path), 0)
    assert (tmp_path / "there.html").is_file()


@pytest.mark.parametrize("command", ["tables", "plots", "report", "recommend"])
def test_a_folder_that_is_not_a_run_is_refused(tmp_path, command):
    assert_refused(bench(command, ".", cwd=tmp_path), "is not the folder of a run")


@pytest.mark.parametrize("command", ["tables", "plots", "report", "recommend"])
def test_a_run_in_which_no_process_has_finished_is_refused_with_what_to_do(tmp_path, command):
    make_folder(tmp_path / "run", [case()])
    assert_refused(bench(command, "run", cwd=tmp_path), "run: no process has finished yet", "bench run --resume")


@pytest.mark.parametrize("command", ["tables", "report"])
def test_without_any_run_the_remedy_is_named(tmp_path, command):
    assert_refused(bench(command, cwd=tmp_path), "results: contains no run")


def test_a_report_does_not_need_torch(results):
    code = "import sys; sys.modules['torch'] = None; sys.modules['diffusers'] = None; sys.argv[0] = 'bench'; "
    code += "from bench.cli.app import main; main()"
    command = [sys.executable, "-c", code, "report", str(results / "old")]
    process = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=120)
    assert_ended(process, 0)


def test_plots_are_not_drawn_through_a_link(results, tmp_path):
    (results / "old" / "plots").symlink_to(tmp_path)
    (tmp_path / "holiday-memory.png").write_bytes(b"mine")
    assert_refused(bench("plots", "results/old", cwd=results.parent), "plots: is a link")
    assert [path.name for path in tmp_path.iterdir() if path.suffix in {".png", ".svg"}] == ["holiday-memory.png"]
