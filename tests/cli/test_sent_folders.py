"""Folders that somebody sent, made to run code, to write elsewhere, or to fill the memory: each attempt fails."""

import json
import os
import resource
import shutil
import subprocess
import sys

import pytest
from PIL import Image
from support import ROOT, assert_ended, assert_refused, bench, environment

pytestmark = pytest.mark.slow

PUBLISHED = ROOT / "results" / "published" / "amd-epyc"
READERS = ("tables", "plots", "report", "recommend", "save-baseline")
MOST_MEMORY = 3 * 1024**3


@pytest.fixture
def sent(tmp_path):
    """A copy of a run, in a folder of its own."""
    folder = tmp_path / "inbox" / "sent"
    shutil.copytree(PUBLISHED, folder)
    return folder


def change(path, old, new):
    """Replace a text in a file that has it."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def rename(folder, name):
    """Give the scenario of a run another name, in every file that has it."""
    for file in ("plan.json", "processes.jsonl"):
        change(folder / file, '"sd14-distilled-cpu', f'"{name}')


def everything_below(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "load",
    [
        {"custom_pipeline": "./evil"},
        {"custom_pipeline": "./evil", "trust_remote_code": True, "use_safetensors": False},
        {"use_safetensors": False},
    ],
    ids=str,
)
def test_a_sent_plan_does_not_run_code_when_it_is_resumed(sent, load):
    (sent.parent / "evil").mkdir()
    (sent.parent / "evil" / "pipeline.py").write_text("open('executed', 'w')")
    plan = json.loads((sent / "plan.json").read_text(encoding="utf-8"))
    plan["cases"][0]["load"] = load
    (sent / "plan.json").write_text(json.dumps(plan))
    (sent / "processes.jsonl").unlink()
    process = bench("run", "--resume", "--output", "sent", cwd=sent.parent)
    assert_refused(process, next(iter(load)))
    assert not (sent.parent / "executed").exists()


@pytest.mark.parametrize("name", ["../../../escaped", "/escaped", "..", "a/../../b", "CON", "a\\u0000b"])
def test_a_name_in_a_sent_run_leads_nowhere(sent, tmp_path, name):
    rename(sent, name)
    before = everything_below(tmp_path)
    for command in (*READERS, "run"):
        arguments = ["--resume", "--output", "sent"] if command == "run" else ["sent"]
        assert_refused(bench(command, *arguments, cwd=sent.parent), "plan.json")
    assert everything_below(tmp_path).keys() - {sent.relative_to(tmp_path) / ".lock"} == before.keys()


@pytest.mark.parametrize("command", [["tables", "sent", "--write"], ["report", "sent"], ["plots", "sent"]])
def test_reading_a_sent_folder_writes_through_no_link(sent, tmp_path, command):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    for name in ("tables.md", "results.csv", "samples.csv", "report.html", ".tables.md.new", ".results.csv.new"):
        (sent / name).unlink(missing_ok=True)
        (sent / name).symlink_to(victim)
    assert_ended(bench(*command, cwd=sent.parent), 0)
    assert victim.read_text() == "mine"


def test_a_folder_of_plots_that_is_a_link_is_neither_filled_nor_cleaned(sent, tmp_path):
    (tmp_path / "mine").mkdir()
    for name in ("holiday-memory.png", "my-latency.svg"):
        (tmp_path / "mine" / name).write_text("mine")
    shutil.rmtree(sent / "plots", ignore_errors=True)
    (sent / "plots").symlink_to(tmp_path / "mine")
    assert_refused(bench("plots", "sent", cwd=sent.parent), "is a link")
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {"holiday-memory.png", "my-latency.svg"}


@pytest.mark.parametrize("command", ["tables", "report", "recommend"])
def test_a_picture_bomb_does_not_fill_the_memory(sent, command):
    images = sent / "images" / "sd14-distilled-cpu"
    shutil.rmtree(images, ignore_errors=True)
    images.mkdir(parents=True)
    bomb = images / "baseline-0.png"
    Image.new("1", (13_000, 13_000)).save(bomb)
    for name in ("baseline-1.png", "bf16-0.png", "bf16-1.png"):
        shutil.copy(bomb, images / name)
    process = subprocess.run(
        [sys.executable, "-m", "bench", command, "sent"],
        cwd=sent.parent, env=environment(MPLBACKEND="agg", OPENBLAS_NUM_THREADS="1"), capture_output=True, text=True,
        check=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY)),
    )  # fmt: skip
    assert "Traceback" not in process.stderr
    assert process.returncode in {0, 1, 2}, process.stderr


@pytest.mark.parametrize("name", ["plan.json", "environment.json", "processes.jsonl"])
def test_a_pipe_in_a_sent_folder_stops_nobody(sent, name):
    (sent / name).unlink()
    os.mkfifo(sent / name)
    assert_refused(bench("tables", "sent", cwd=sent.parent), name)


def test_a_pipe_is_not_a_file_of_results(tmp_path):
    os.mkfifo(tmp_path / "results.csv")
    assert_refused(bench("compare", PUBLISHED, "results.csv", cwd=tmp_path), "not a regular file")


def test_an_index_that_is_nested_too_deeply_is_not_a_model(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model_index.json").write_text("[" * 200_000)
    (tmp_path / "s.yaml").write_text("title: t\nmodel: ./model\ncases: {a: {}}\n")
    process = bench("list", "s.yaml", cwd=tmp_path)
    assert "Traceback" not in process.stderr


@pytest.mark.parametrize("depth", [100, 100_000])
def test_a_sent_plan_may_be_nested_as_deep_as_it_likes(sent, depth):
    (sent / "plan.json").write_text('{"cases": ' + "[" * depth + "]" * depth + "}")
    assert_refused(bench("tables", "sent", cwd=sent.parent), "plan.json")
