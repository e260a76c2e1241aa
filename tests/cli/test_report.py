"""`report` from the command line."""

import os
import subprocess
import sys

import pytest
from analyze.make import case, make_folder, measured
from support import ROOT, bench

from bench.records import store


@pytest.fixture
def results(tmp_path):
    """Two runs in results/, the second written to last."""
    for age, name in ((100, "old"), (0, "new")):
        folder = make_folder(tmp_path / "results" / name, [case()], [measured("baseline", 1.0)])
        written = (folder / store.PROCESSES).stat().st_mtime - age
        os.utime(folder / store.PROCESSES, (written, written))
    return tmp_path / "results"


def test_without_a_run_the_newest_is_reported_in_its_folder(results):
    process = bench("report", cwd=results.parent)
    assert (process.returncode, process.stdout.strip()) == (0, "results/new/report.html")
    assert (results / "new" / "report.html").is_file()


def test_several_runs_are_reported_here(results):
    process = bench("report", "results/old", "results/new", cwd=results.parent)
    assert process.stdout.strip() == "report.html"
    assert (results.parent / "report.html").is_file()


def test_the_report_goes_where_output_says(results):
    bench("report", "results/old", "--output", "there.html", cwd=results.parent)
    assert (results.parent / "there.html").is_file()


def test_a_folder_that_is_no_run_is_a_usage_error(tmp_path):
    process = bench("report", ".", cwd=tmp_path)
    assert process.returncode == 2
    assert "is not the folder of a run" in process.stderr


def test_a_report_needs_no_torch(results):
    code = "import sys; sys.modules['torch'] = None; sys.modules['diffusers'] = None; sys.argv[0] = 'bench'; "
    code += "from bench.cli.app import main; main()"

    command = [sys.executable, "-c", code, "report", str(results / "old")]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert process.returncode == 0, process.stderr
