"""What is published is what was measured, and the README shows what is published."""

import importlib.util
import re
import shutil
from dataclasses import replace
from itertools import combinations

import pytest
from analyze.make import case, ended, make_folder, measured
from PIL import Image
from support import ROOT

from bench.analyze.comparison import pair_up
from bench.analyze.gate import GateVerdict, judge
from bench.analyze.results import results
from bench.analyze.run import open_run
from bench.analyze.side import of_run
from bench.errors import InputError
from bench.present import words
from bench.records import store
from bench.records.table import results_csv, samples_csv
from bench.session import files

PUBLISHED = sorted(path for path in (ROOT / "results" / "published").iterdir() if path.is_dir())
EPYC = ROOT / "results" / "published" / "amd-epyc"
CASES = [case("baseline"), case("fp16", claim={"speedup": 2.0})]
RECORDS = [measured("baseline", 2.0), measured("fp16", 1.25)]
COMMIT = "0123456789ab"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("publish", ROOT / "tools" / "publish.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def kept(tool, tmp_path_factory):
    """A run that was published, and the README beside it."""
    root = tmp_path_factory.mktemp("checkout")
    folder = make_folder(root / "run", CASES, RECORDS, git_commit=COMMIT)
    (root / "README.md").write_text(f"above\n{tool.BEGIN}\nold\n{tool.END}\nbelow\n")
    kept = tool.publish(folder, root / "results" / "published")
    tool.show(kept, "sd", root / "README.md")
    return kept


def names(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


def test_the_readme_shows_what_is_published(tool):
    shown = (ROOT / "README.md").read_text(encoding="utf-8").split(tool.BEGIN)[1].split(tool.END)[0].strip()
    path = re.search(r"\((results/published/[^/]+)/plots/(.+)-[a-z]+\.png\)$", shown)
    assert shown == tool.block(ROOT / path[1], path[2], ROOT)


def rounded(text):
    """Return a table without the last digits of its numbers, in which processors differ."""
    return re.sub(r"\d+\.\d{9,}(e-?\d+)?", lambda number: f"{float(number[0]):.9g}", text)


@pytest.mark.parametrize("folder", PUBLISHED, ids=lambda folder: folder.name)
def test_published_files_are_those_that_follow_from_the_published_processes(folder):
    run = open_run(folder)
    assert rounded((folder / store.RESULTS).read_text(encoding="utf-8")) == rounded(results_csv(results(run)))
    assert (folder / store.SAMPLES).read_text(encoding="utf-8") == samples_csv(run.processes)


def test_published_cases_of_one_type_come_equally_close_to_the_roofline():
    """They ran on the same core in the same hour; a rate for each case made 89, 74 and 91 % of the first three."""
    found = {each.case: each.roofline.roofline_fraction for each in results(open_run(EPYC), pictures=False)}
    assert {name: f"{fraction:.0%}" for name, fraction in found.items()} == {
        "baseline": "74%", "distilled": "74%", "distilled-tiny-vae": "74%",
        "bf16": "66%", "distilled-tiny-vae-bf16": "68%",
    }  # fmt: skip


def test_the_published_rows_show_the_process_that_was_disturbed_most():
    found = {result.case: result for result in results(open_run(ROOT / "results" / "published" / "amd-epyc"))}
    busy = {case: round(result.telemetry.others_busy_cores, 2) for case, result in found.items()}
    assert busy == {
        "baseline": 0.95, "bf16": 0.92, "distilled": 0.98, "distilled-tiny-vae": 1.0, "distilled-tiny-vae-bf16": 0.98,
    }  # fmt: skip
    assert words.disturbed(found.values()) == "9 of 20 processes disturbed by other work on the machine"


def test_a_published_run_is_named_by_its_device(kept):
    assert kept.name == "nvidia-a100-sxm4-80gb"


def test_a_published_run_can_be_read_again(kept):
    assert [result.comparison.speedup for result in results(open_run(kept))] == [1.0, 1.6]


def test_table_and_plot_are_between_the_markers_and_the_rest_stays(kept, tool):
    above, rest = (kept.parents[2] / "README.md").read_text().split(tool.BEGIN)
    shown, below = rest.split(tool.END)
    assert above == "above\n"
    assert below == "\nbelow\n"
    assert "| fp16 | 1.25 s |" in shown
    assert "![sd: speedup of each case](results/published/nvidia-a100" in shown


def test_the_run_itself_is_not_changed(tool, tmp_path):
    folder = make_folder(tmp_path / "run", CASES, RECORDS, git_commit=COMMIT)
    before = names(folder)
    tool.publish(folder, tmp_path / "published")
    assert names(folder) == before


def test_what_was_published_before_is_replaced_whole(tool, kept, tmp_path):
    published = tmp_path / "published"
    shutil.copytree(kept, published / kept.name)
    (published / kept.name / "plots" / "old-latency.png").write_bytes(b"")
    again = tool.publish(make_folder(tmp_path / "run", CASES, RECORDS, git_commit=COMMIT), published)
    assert names(again) == names(kept)


def test_what_is_published_already_is_derived_again_in_place(tool, kept, tmp_path):
    again = shutil.copytree(kept, tmp_path / kept.name)
    (again / "plots" / "sd-split.png").write_bytes(b"of an earlier version")
    (again / files.TABLES).unlink()
    assert tool.publish(again, tmp_path) == again
    assert names(again) == names(kept)


def test_a_scenario_of_which_nothing_was_measured_is_not_shown(tool, tmp_path):
    folder = make_folder(tmp_path / "run", CASES[:1], [ended("baseline", "oom", "full")], git_commit=COMMIT)
    kept = tool.publish(folder, tmp_path / "published")
    with pytest.raises(InputError, match="nothing of it was measured"):
        tool.block(kept, "sd", tmp_path)


@pytest.mark.parametrize(("most", "kept"), [(1_000, True), (10, False)])
def test_small_pictures_are_published_and_large_ones_are_not(tool, tmp_path, monkeypatch, most, kept):
    folder = make_folder(tmp_path / "run", CASES, RECORDS, git_commit=COMMIT)
    picture = folder / "images" / "sd" / "baseline-0.png"
    picture.parent.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(picture)
    monkeypatch.setattr(tool, "MOST_BYTES", most)
    published = tool.publish(folder, tmp_path / "published")
    assert (published / picture.relative_to(folder)).exists() == kept


@pytest.mark.parametrize(
    ("records", "commit", "reason"),
    [
        ([measured("baseline", 2.0), measured("fp16", 1.0, size="tiny")], COMMIT, "tiny models"),
        (RECORDS, f"{COMMIT}-dirty", "which nobody can check out"),
        (RECORDS, None, "measured by an unknown commit"),
        (RECORDS[:1], COMMIT, "lacks sd/fp16"),
    ],
)
def test_what_others_could_not_repeat_is_not_published(tool, tmp_path, records, commit, reason):
    folder = make_folder(tmp_path / "run", CASES, records, git_commit=commit)
    with pytest.raises(InputError, match=reason):
        tool.publish(folder, tmp_path / "published")
    assert not (tmp_path / "published").exists()


def test_a_scenario_that_the_run_does_not_have_is_refused_and_the_readme_stays(tool, kept):
    readme = kept.parents[2] / "README.md"
    before = readme.read_text()
    with pytest.raises(InputError, match="does not have the scenario sdxl; it has sd"):
        tool.show(kept, "sdxl", readme)
    assert readme.read_text() == before


@pytest.mark.parametrize("folder", PUBLISHED, ids=lambda folder: folder.name)
def test_no_half_of_a_published_run_regresses_against_the_other(folder):
    """It is the same code in the same hour; judged by maxima, four of its five cases did."""
    run = open_run(folder)
    numbers = {record.process for record in run.processes}
    for new in combinations(sorted(numbers), len(numbers) // 2):
        judged = judge(pair_up(passes_of(run, numbers - set(new)), passes_of(run, new)))
        assert [each.pair.key for each in judged if each.verdict is GateVerdict.REGRESSED] == []


def passes_of(run, numbers):
    """Return a side of these passes of a run alone."""
    return of_run(replace(run, processes=tuple(each for each in run.processes if each.process in numbers)))
