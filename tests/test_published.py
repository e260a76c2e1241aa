"""What is published is what was measured, and the README shows what is published."""

import importlib.util
import re
import shutil
from pathlib import Path

import pytest
from analyze.make import case, ended, make_folder, measured
from PIL import Image

from bench.analyze.results import results
from bench.analyze.run import open_run
from bench.analyze.side import open_side
from bench.errors import InputError

ROOT = Path(__file__).parents[1]
PUBLISHED = sorted(path for path in (ROOT / "results" / "published").iterdir() if path.is_dir())
CASES = [case("baseline"), case("fp16", claim={"speedup": 2.0})]
OUTCOMES = [measured("baseline", 2.0), measured("fp16", 1.25)]
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
    folder = make_folder(root / "run", CASES, OUTCOMES, git_commit=COMMIT)
    (root / "README.md").write_text(f"above\n{tool.BEGIN}\nold\n{tool.END}\nbelow\n")
    kept = tool.publish(folder, root / "results" / "published")
    tool.show(kept, "sd", root / "README.md")
    return kept


def test_the_readme_shows_what_is_published(tool):
    shown = (ROOT / "README.md").read_text(encoding="utf-8").split(tool.BEGIN)[1].split(tool.END)[0].strip()
    path = re.search(r"\((results/published/[^/]+)/plots/(.+)-[a-z]+\.png\)$", shown)
    assert shown == tool.block(ROOT / path[1], path[2], ROOT)


@pytest.mark.parametrize("folder", PUBLISHED, ids=lambda folder: folder.name)
def test_published_results_are_those_of_the_published_samples(folder):
    stated, derived = (open_side(path).rows for path in (folder / "results.csv", folder))
    for name in ("status", "latency_median_s", "latency_low_s", "speedup", "speedup_low", "peak_rss_growth_bytes"):
        assert [row[name] for row in stated.values()] == pytest.approx([row[name] for row in derived.values()])


def test_a_published_run_is_named_by_its_device(kept):
    assert kept.name == "nvidia-a100-sxm4-80gb"


def test_a_published_run_can_be_read_again(kept):
    assert results(open_run(kept))["speedup"].to_list() == [1.0, 1.6]


def test_table_and_plot_stand_between_the_marks_and_the_rest_stays(kept, tool):
    above, rest = (kept.parents[2] / "README.md").read_text().split(tool.BEGIN)
    shown, below = rest.split(tool.END)
    assert (above, below) == ("above\n", "\nbelow\n")
    assert "| fp16 | 1.25 s |" in shown
    assert "![sd: speedup of each case](results/published/nvidia-a100" in shown


def test_what_was_published_before_is_replaced_whole(tool, kept, tmp_path):
    published = tmp_path / "published"
    shutil.copytree(kept, published / kept.name)
    (published / kept.name / "plots" / "old-latency.png").write_bytes(b"")
    again = tool.publish(make_folder(tmp_path / "run", CASES, OUTCOMES, git_commit=COMMIT), published)
    assert {path.name for path in again.rglob("*")} == {path.name for path in kept.rglob("*")}


def test_what_is_published_already_stays_when_it_is_published_again(tool, kept, tmp_path):
    again = shutil.copytree(kept, tmp_path / kept.name)
    assert tool.publish(again, tmp_path) == again
    assert {path.name for path in again.rglob("*")} == {path.name for path in kept.rglob("*")}


def test_a_scenario_of_which_nothing_was_measured_is_not_shown(tool, tmp_path):
    folder = make_folder(tmp_path / "run", CASES[:1], [ended("baseline", "oom", "full")], git_commit=COMMIT)
    kept = tool.publish(folder, tmp_path / "published")
    with pytest.raises(InputError, match="nothing of it was measured"):
        tool.block(kept, "sd", tmp_path)


@pytest.mark.parametrize(("most", "kept"), [(1_000, True), (10, False)])
def test_small_pictures_are_published_and_large_ones_are_not(tool, tmp_path, monkeypatch, most, kept):
    folder = make_folder(tmp_path / "run", CASES, OUTCOMES, git_commit=COMMIT)
    picture = folder / "images" / "sd" / "baseline-0.png"
    picture.parent.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(picture)
    monkeypatch.setattr(tool, "MOST_BYTES", most)
    published = tool.publish(folder, tmp_path / "published")
    assert (published / picture.relative_to(folder)).exists() == kept


@pytest.mark.parametrize(
    ("outcomes", "commit", "reason"),
    [
        ([measured("baseline", 2.0), measured("fp16", 1.0, size="tiny")], COMMIT, "tiny twins"),
        (OUTCOMES, f"{COMMIT}-dirty", "which nobody can check out"),
        (OUTCOMES, None, "measured by no commit"),
        (OUTCOMES[:1], COMMIT, "has no row of sd/fp16"),
    ],
)
def test_what_others_could_not_repeat_is_not_published(tool, tmp_path, outcomes, commit, reason):
    folder = make_folder(tmp_path / "run", CASES, outcomes, git_commit=commit)
    with pytest.raises(InputError, match=reason):
        tool.publish(folder, tmp_path / "published")
    assert not (tmp_path / "published").exists()


def test_a_scenario_that_the_run_has_not_is_refused_and_the_readme_stays(tool, kept):
    readme = kept.parents[2] / "README.md"
    before = readme.read_text()
    with pytest.raises(InputError, match="has no scenario sdxl; it has sd"):
        tool.show(kept, "sdxl", readme)
    assert readme.read_text() == before
