"""What strangers measured, up to what is printed of it: whatever the figures and names are, the output is inert.

A file that is read is also compared, judged and shown, so each step has to live with every value that the one before it
lets pass.
"""

import ast
import copy
import csv
import io
import json
from functools import partial
from html.parser import HTMLParser
from random import Random

import pytest
from analyze.make import case, in_passes, make_folder
from fuzz.untrusted import SEEDS, as_json, commands, fuzz, like, mutated, printed, refused, untrusted

from bench.analyze.constraints import Constraints, Goal
from bench.analyze.results import results
from bench.analyze.run import open_run
from bench.analyze.side import of_run
from bench.analyze.trend import trends
from bench.pipelines import diffusers_api
from bench.plan.check import refuse_unmeasurable
from bench.plan.stored import read_plan
from bench.present import comparison, gate, recommendation, render, tables, trend
from bench.present.html import page
from bench.records.store import Store
from bench.records.table import results_csv
from bench.session import stored
from bench.session.advice import advise
from bench.session.progress import Notices

pytestmark = [pytest.mark.slow, pytest.mark.no_cover]

SCRIPTS = 1
"""Of a report of ours."""


def make(folder):
    """Write a run of two cases in four passes, and return its folder."""
    cases = [
        case(note="the reference"),
        case("fp16", dtype="float16", call={"prompt": "a cat"}, claim={"speedup": 1.5, "latency_s": 2.6, "note": "n"}),
    ]
    facts = {
        "operations": 1e12, "peak_allocated_bytes": 3e9, "denoiser_calls": 5, "optimizations": "tf32", "seed": "0",
        "remarks": "host-bound:0.7; idle(tf32)", "device_busy_s": 0.5,
    }  # fmt: skip
    records = [
        *in_passes("baseline", [2.0, 2.01, 2.02, 1.99], **facts),
        *in_passes("fp16", [1.0, 1.01, 1.02, 0.99], **facts),
    ]
    return make_folder(folder, cases, records, cpu_threads=8, variables={"CUDA_MODULE_LOADING": "LAZY"})


def read(folder):
    """Return what the files of a run contain, so that all of them can be changed at once."""
    found = {
        name: json.loads((folder / name).read_text(encoding="utf-8")) for name in ("plan.json", "environment.json")
    }
    lines = (folder / "processes.jsonl").read_text(encoding="utf-8").splitlines()
    return {**found, "processes.jsonl": [json.loads(line) for line in lines]}


@pytest.fixture(scope="module")
def sent(tmp_path_factory):
    """Return the folder of a run whose files each example replaces."""
    return make(tmp_path_factory.mktemp("sent") / "run")


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """Return the folder of a run that nobody has touched."""
    return make(tmp_path_factory.mktemp("ours") / "run")


@pytest.fixture(scope="module")
def document(ours):
    """Return what its files contain."""
    return read(ours)


@pytest.fixture(scope="module")
def rows(ours):
    """Return the header and the rows of that run's results."""
    return list(csv.reader(results_csv(results(open_run(ours))).splitlines()))


def show_run(folder):
    run = open_run(folder)
    found = results(run)
    grids = tables.tables(run, found)
    assert commands(tables.markdown(run, grids)) == []
    tables.show(grids)
    of_run(run)


def show_comparison(base, new):
    """Compare, gate and draw the trend of two sides, in every format."""
    compared = stored.compare(base, [new], Notices())
    comparison.show(compared)
    judged = stored.gate(base, new, 0.03, Notices())
    gate.show(judged)
    series = trends(stored.open_sides([base, new], Notices()))
    trend.show(series)
    for text in (
        render.document(comparison.table(compared)),
        gate.as_markdown(judged),
        gate.as_junit(judged),
        render.document(trend.table(series)),
    ):
        assert commands(text) == []
    for data in (
        comparison.as_json(compared),
        trend.as_json(series),
        render.csv_text(comparison.records(compared)),
        render.csv_text(trend.records(series)),
    ):
        assert [line for line in data.split("\n") if not line.isprintable()] == []


def write(folder, document):
    """Replace the files of a run."""
    for name in ("plan.json", "environment.json"):
        (folder / name).write_bytes(as_json(document.get(name)))
    lines = document.get("processes.jsonl")
    (folder / "processes.jsonl").write_bytes(
        b"\n".join(map(as_json, lines if isinstance(lines, list) else [lines])) + b"\n"
    )


@fuzz(SEEDS, share=0.25)
def test_a_run_is_shown_or_refused(sent, ours, document, example):
    write(sent, mutated(document, example))
    assert commands(printed(partial(refused, show_run, sent))) == []
    assert commands(printed(partial(refused, show_comparison, ours, sent))) == []


class Inert(HTMLParser):
    """Collects what a page would execute or load if a text of a stranger got out of its place."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            loads = name in {"src", "href", "data", "action", "srcset"} and not (value or "").startswith(("data:", "#"))
            if (
                name.startswith("on")
                or (loads and tag != "a")
                or (value or "").strip().lower().startswith("javascript")
            ):
                self.found.append((tag, name, value))
        if tag in {"iframe", "object", "embed", "form", "base"}:
            self.found.append((tag, None, None))


def report(folder):
    run = open_run(folder)
    text = page.render([(run, results(run))])
    parser = Inert()
    parser.feed(text)
    assert parser.found == []
    assert text.count("<script") == SCRIPTS


def advise_on(folder):
    """Print the programs that are recommended, each of which is a program and not more."""
    run = open_run(folder)
    advice = advise(run, results(run), Constraints(Goal.LATENCY))
    for found, program in zip(advice.recommendations, advice.programs, strict=True):
        recommendation.show(found, Goal.LATENCY)
        if program is not None:
            ast.parse(program)
            assert commands(program) == []


def resume(folder):
    """Open a run to continue it, as far as that needs no machine."""
    plan, settings = read_plan(folder / "plan.json")
    refuse_unmeasurable(folder / "plan.json", plan, diffusers_api.vocabulary())
    opened = Store(folder)
    try:
        opened.open({**plan.to_json(), "run": settings.to_json()}, {}, resume=True)
    finally:
        opened.close()


@fuzz(SEEDS, share=0.02)  # its plots take a second to draw
def test_a_report_of_a_run_is_inert_or_refused(sent, ours, document, example):
    write(sent, mutated(document, example))
    assert commands(printed(partial(refused, report, sent, longest_s=10.0))) == []


@fuzz(SEEDS, share=0.25)
def test_what_is_recommended_from_a_run_is_one_program_or_refused(sent, ours, document, example):
    write(sent, mutated(document, example))
    assert commands(printed(partial(refused, advise_on, sent))) == []


@fuzz(SEEDS, share=0.25)
def test_a_run_is_resumed_or_refused(sent, ours, document, example):
    write(sent, mutated(document, example))
    assert commands(printed(partial(refused, resume, sent))) == []


@fuzz(SEEDS, share=0.25)
def test_results_are_compared_or_refused(tmp_path_factory, ours, rows, example):
    header, *values = copy.deepcopy(rows)
    random = Random(example)  # noqa: S311 - must be repeatable
    for _ in range(random.randint(1, 3)):
        row, column = random.choice(values), random.randrange(len(header))
        row[column] = str(random.choice([like(1.0, random), like("", random), untrusted(random)]))
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *values])
    path = tmp_path_factory.getbasetemp() / "compared.csv"
    path.write_bytes(text.getvalue().encode(errors="surrogatepass"))
    assert commands(printed(partial(refused, show_comparison, ours, path))) == []
    assert commands(printed(partial(refused, show_comparison, path, ours))) == []
