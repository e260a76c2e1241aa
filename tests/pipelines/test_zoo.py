"""What works with which class of pipeline: `tests/zoo/works.toml` says it, and one run of all of them proves it.

Each small pipeline is listed, measured in its own process, diagnosed, shown in the report and recommended; its printed
code is executed and draws the same pictures. docs/pipelines.md is made from the table. Where a class begins to work,
its row changes.
"""

import runpy
import tomllib
from contextlib import chdir
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import torch
import yaml
import zoo
from PIL import Image
from support import ROOT

from bench.analyze.constraints import Constraints
from bench.analyze.results import results
from bench.cli.app import app
from bench.pipelines import flags, optimizations, roles
from bench.pipelines.checks import Live
from bench.pipelines.errors import UnsupportedError
from bench.pipelines.first_call import FirstCall
from bench.pipelines.optimizations import TABLE, When
from bench.pipelines.roles import Role
from bench.plan.image_input import images_of
from bench.session import measure
from bench.session.advice import advise
from bench.session.progress import Notices
from bench.session.request import RunRequest, SizeChoice

pytestmark = pytest.mark.slow

ROWS = tomllib.loads((ROOT / "tests" / "zoo" / "works.toml").read_text(encoding="utf-8"))
PARTS = ("text_encoder", "denoiser", "scheduler", "vae", "image")
MEASURED = [name for name, row in ROWS.items() if "fails" not in row]
FEWEST = 25
CPU = torch.device("cpu")
ON_A_GPU = {"model_cpu_offload", "sequential_cpu_offload", "xformers"}
TRIED = [name for name, each in TABLE.items() if each.when in {When.PLACE, When.BUILT} and name not in ON_A_GPU]


@dataclass(frozen=True)
class Taken:
    """The whole zoo, taken through a run: the records and the programs by class, and the report."""

    folder: Path
    records: dict
    programs: dict
    report: str


@pytest.fixture(scope="module")
def taken(tmp_path_factory, zoo_folder):
    folder = tmp_path_factory.mktemp("taken")
    for name, entry in zoo.ZOO.items():
        scenario = {
            "title": name, "model": str(zoo_folder(name)), "call": entry.call, "samples": 1, "cases": {"plain": {}},
        }  # fmt: skip
        (folder / "scenarios").mkdir(exist_ok=True)
        (folder / "scenarios" / f"{name}.yaml").write_text(yaml.safe_dump(scenario), encoding="utf-8")
    request = RunRequest(
        [str(folder / "scenarios")], device="cpu", size=SizeChoice.FULL, threads=1, output=folder / "run"
    )
    run = measure.measure(request, Notices(quiet=True)).run
    report = folder / "report.html"
    app(["report", str(run.folder), "--output", str(report)], standalone_mode=False)
    advice = advise(run, results(run, pictures=False), Constraints())
    best = [found.best and found.best.case.scenario for found in advice.recommendations]
    records = {record.scenario: record for record in run.processes}
    programs = dict(zip(best, advice.programs, strict=True))
    return Taken(run.folder, records, programs, report.read_text(encoding="utf-8"))


def test_the_table_has_a_row_for_every_small_pipeline_and_no_other():
    assert list(ROWS) == list(zoo.ZOO)


def test_enough_classes_are_measured():
    assert len(MEASURED) >= FEWEST


@pytest.mark.parametrize("name", ROWS)
def test_the_row_says_what_a_call_takes(name):
    call = zoo.ZOO[name].call
    assert ROWS[name]["takes"] == [*(word for word in ("prompt", "class_labels") if word in call), *images_of(call)]


@pytest.mark.parametrize("name", ROWS)
def test_a_class_is_measured_or_fails_as_its_row_says(name, taken):
    record = taken.records[name]
    assert ("ok" if record.status.measured else record.reason) == ROWS[name].get("fails", "ok")


@pytest.mark.parametrize("name", ROWS)
def test_the_class_that_is_measured_is_the_one_of_the_row(name, taken):
    assert taken.records[name].settings.pipeline == name


@pytest.mark.parametrize("name", MEASURED)
def test_the_row_says_what_is_drawn(name, taken):
    frames = taken.records[name].settings.frames
    assert ("images" if frames is None else "frames") == ROWS[name]["draws"]


@pytest.mark.parametrize("name", MEASURED)
def test_the_row_says_which_parts_of_a_call_are_told_apart(name, taken):
    found = taken.records[name].breakdown
    assert [part for part in PARTS if getattr(found, f"{part}_s") is None] == ROWS[name].get("without", [])


@pytest.mark.parametrize("name", MEASURED)
def test_the_breakdown_has_every_call_of_the_denoiser(name, taken):
    record = taken.records[name]
    assert len(record.breakdown.denoiser_calls_s) == record.effective.denoiser_calls


@pytest.mark.parametrize("name", MEASURED)
def test_the_row_says_whether_operations_are_counted(name, taken):
    assert (taken.records[name].undiagnosed or "") == ROWS[name].get("undiagnosed", "")


@pytest.mark.parametrize("name", ROWS)
def test_the_report_shows_the_class(name, taken):
    assert f"{name}/plain" in taken.report


@pytest.fixture(scope="module")
def pasted(taken, tmp_path_factory):
    """Return the pipeline of the printed code of a class, and the folder in which it has saved its pictures."""

    @cache
    def run(name):
        folder = tmp_path_factory.mktemp("pasted")
        (folder / "pasted.py").write_text(taken.programs[name], encoding="utf-8")
        flags.set_default_flags()
        with chdir(folder):
            return runpy.run_path("pasted.py", run_name="__main__")["pipe"], folder

    return run


@pytest.mark.filterwarnings("ignore:In CPU autocast")
@pytest.mark.parametrize("name", MEASURED)
def test_the_printed_code_draws_the_same_pictures(name, taken, pasted):
    _, folder = pasted(name)
    measured = sorted((taken.folder / "images" / name).glob("plain-*.png"))
    assert [_pixels(file) for file in sorted(folder.glob("image-*.png"))] == [_pixels(file) for file in measured]


@pytest.mark.filterwarnings("ignore:In CPU autocast")
@pytest.mark.parametrize("name", MEASURED)
def test_the_row_says_which_optimizations_the_class_cannot_take(name, pasted):
    pipeline, _ = pasted(name)
    assert [each for each in TRIED if not _takes(pipeline, TABLE[each])] == ROWS[name].get("refuses", [])


def _takes(pipeline, optimization):
    """Return whether an optimization is in effect on a copy of a pipeline; it is refused with a reason, or it is."""
    changed = {id(part) for role in (Role.DENOISER, Role.AUTOENCODER) for part in roles.of(pipeline, role).values()}
    kept = {id(part): part for part in pipeline.components.values() if id(part) not in changed}
    copy = deepcopy(pipeline, {} if optimization.when is When.PLACE else kept)
    try:
        optimizations.apply((optimization.name,), optimization.when, copy, CPU)
    except UnsupportedError:
        return False
    if optimization.family != "compile":  # which compiles in the first call
        optimization.verify(Live(copy, FirstCall()))
    return True


def _pixels(file):
    with Image.open(file) as image:
        return image.size, image.convert("RGB").tobytes()
