"""The documentation's tables: which cells they have, and what they say besides."""

import re

import pytest
from analyze.make import H200, SOURCE, case, ended, make_run, measured, result

from bench.analyze.results import results
from bench.plan.case import ScenarioInfo
from bench.present import words
from bench.present.grid import Tone
from bench.present.tables import markdown, show, table, tables
from bench.records.outcomes import Tiny
from bench.units import GIB

UNKNOWN = re.compile(r"nan|none|null|<na>|nat|x?0(\.0+)?( (ms|s|MiB|GiB))?", re.IGNORECASE)
"""What an unknown value must not be printed as."""
INFO = ScenarioInfo("sd", "Speed up inference", SOURCE)
OK = {"latency_median_s": 2.0, "seconds_per_image": 2.0, "images": 1, "samples": 6}


def cells(*found):
    """Return the cells of the last of some results by column, empty ones too."""
    grid = table(INFO, found)
    return dict(zip(grid.header, grid.rows[-1], strict=True))


def text_of(column, **columns):
    found = cells(result(**{**OK, **columns}))
    return found[column].text if column in found else ""


def run_tables(tmp_path, cases, records, **options):
    run = make_run(tmp_path / "run", cases, records, **options)
    return run, tables(run, results(run))


def test_the_table_is_the_documentations(tmp_path):
    run, found = run_tables(tmp_path, [case(), case("fp16")], [measured("baseline", 3.0), measured("fp16", 2.0)])
    assert [line[:34] for line in markdown(run, found).splitlines() if line.startswith("|")] == [
        "| setup | latency | speed-up | 95 ",
        "| --- | ---: | ---: | ---: | ---: ",
        "| baseline | 3.00 s | x1.00 | 3.00",
        "| fp16 | 2.00 s | x1.50 | 2.00 to ",
    ]


def test_every_result_has_a_row():
    found = [result(status, status=status) for status in ("skipped", "oom", "timeout", "crashed", "failed")]
    assert [row[0].text for row in table(INFO, found).rows] == [each.case for each in found]


def test_a_case_that_was_not_measured_has_its_status_for_a_latency():
    assert cells(result(status="oom"))["latency"].text == "oom"


def test_a_case_that_ran_out_of_memory_is_bad_news():
    assert cells(result(status="oom"))["latency"].tone is Tone.BAD


def test_a_case_of_samples_that_failed_afterwards_has_no_latency():
    assert text_of("latency", status="failed") == "failed"


def test_reason_and_remarks_are_notes():
    found = result(**OK, reason="still drifting", remarks="never-warm")
    assert cells(found)["notes"].text == words.notes(found)


def test_an_unstable_case_is_labeled():
    assert cells(result(**{**OK, "status": "unstable"}))["setup"].tag == "unstable"


@pytest.mark.parametrize("status", ["skipped", "oom", "timeout", "crashed", "failed", "interrupted"])
def test_an_unknown_value_is_an_empty_cell(status):
    found = cells(result(**OK), result("fp16", status=status, claim_latency_s=2.0))
    assert {name: cell.text for name, cell in found.items() if UNKNOWN.fullmatch(cell.text)} == {}


def test_setup_and_latency_are_there_also_if_nothing_was_measured():
    assert table(INFO, [result(status="failed")]).header == ["setup", "latency"]


def test_seconds_per_image_are_there_only_if_a_call_makes_several():
    assert [text_of("s/image", images=images) for images in (1, 4)] == ["", "2.00 s"]


def test_a_batch_that_was_not_measured_has_no_seconds_per_image():
    assert text_of("s/image", images=8, status="oom") == ""


def test_the_peak_of_a_device_is_its_tensors():
    assert text_of("peak memory", peak_allocated_bytes=3 * GIB, peak_rss_growth_bytes=GIB) == "3.00 GiB"


def test_the_peak_of_a_cpu_is_what_its_process_grew_by():
    assert text_of("peak memory", peak_rss_growth_bytes=GIB / 2) == "512 MiB"


@pytest.mark.parametrize(
    ("column", "columns", "text"),
    [
        ("CLIP score", {"clip_score": 26.14}, "26.1"),
        ("of the roofline", {"roofline_fraction": 0.891}, "89%"),
        ("breaks even after", {"break_even_images": 41.7}, "42 images"),
        ("n", {}, "6"),
        ("steps", {"steps": 50}, "50"),
        ("95 % interval", {"latency_low_s": 1.9, "latency_high_s": 2.1}, "1.90 to 2.10 s"),
        ("similarity", {"psnr_db": 42.13}, "42.1 dB"),
        ("documented", {"claim_latency_s": 2.5}, "2.50 s"),
        ("verdict", {"claim_verdict": "faster"}, "faster than documented"),
    ],
)
def test_a_figure_is_in_its_column(column, columns, text):
    assert text_of(column, **columns) == text


def test_a_column_in_which_nothing_is_known_is_left_out():
    assert "CLIP score" not in cells(result(**OK))


def test_the_verdict_has_its_tone():
    assert cells(result(**OK, claim_verdict="slower"))["verdict"].tone is Tone.BAD


def test_a_tiny_model_has_no_verdict():
    found = result(**{**OK, "size": "tiny", "claim_verdict": "not-judged", "claim_not_judged": "tiny-model"})
    assert "verdict" not in cells(found)


def test_a_cell_has_the_exact_value_that_it_was_printed_from():
    assert cells(result(**{**OK, "latency_median_s": 1 / 3}))["latency"].value == 1 / 3


def test_a_cell_without_a_text_has_no_value():
    found = cells(result(**OK), result("huge", status="oom", samples=3, seconds_per_image=1.0, images=4))
    assert [name for name, cell in found.items() if not cell.text and cell.value is not None] == []


def test_the_tooltip_of_a_column_is_that_of_the_results():
    (steps,) = [each for each in table(INFO, [result(**OK, steps=50)]).columns if each.name == "steps"]
    assert steps.doc == "num_inference_steps"


def test_what_is_known_about_a_documented_figure_is_a_detail_with_its_case():
    assert table(INFO, [result(**OK, claim_note="inferred: DDIM")]).details == ("baseline: inferred: DDIM",)


def test_the_documented_device_is_named():
    assert table(INFO, [result()]).notes[0] == (
        "Documented in diffusers docs, optimization/fp16 on NVIDIA A100; on any other device its seconds are not "
        "judged."
    )


def test_a_scenario_that_documents_nothing_names_no_document():
    assert table(ScenarioInfo("sd", "Mine"), [result()]).notes == ()


def test_weights_and_intervals_are_noted():
    found = result(**OK, weights="random", interval="within-process")
    assert table(INFO, [found]).notes[1] == "Weights: random. Intervals: 95 %, within one process."


def test_a_table_of_tiny_models_warns():
    assert table(INFO, [result(**{**OK, "size": "tiny"})]).warning == words.TINY_WARNINGS[Tiny.ALL]


def test_a_table_of_full_size_models_does_not():
    assert table(INFO, [result(**OK)]).warning == ""


def test_the_document_names_the_run_the_device_and_the_versions(tmp_path):
    run, found = run_tables(tmp_path, [case()], [measured("baseline", 3.0)], device_name=H200)
    assert markdown(run, found).splitlines()[:3] == [
        "# run",
        "",
        "NVIDIA H200; torch 2.9.0, diffusers 0.42.0, transformers 5.10.0.",
    ]


def test_the_document_names_one_of_several_cards(tmp_path):
    cards = {"card": 3, "card_count": 8}
    run, found = run_tables(tmp_path, [case()], [measured("baseline", 3.0)], device_name=H200, **cards)
    assert markdown(run, found).splitlines()[2].startswith("NVIDIA H200 (card 3); ")


def test_the_document_of_a_device_without_a_name_says_so(tmp_path):
    run, found = run_tables(tmp_path, [case()], [measured("baseline", 3.0)], device_name=None)
    assert markdown(run, found).splitlines()[2].startswith("unknown device; ")


def test_the_document_has_warning_notes_table_and_details(tmp_path):
    cases = [case(claim={"latency_s": 3.0, "note": "inferred: a | b"})]
    run, found = run_tables(tmp_path, cases, [measured("baseline", 3.0, size="tiny")], title="A <b>")
    text = markdown(run, found)
    assert "\n## A &lt;b> (sd)\n\nTINY MODELS" in text
    assert text.endswith("|\n\nNotes on the documented figures:\n\n- baseline: inferred: a \\| b\n")


def test_every_scenario_has_a_table(tmp_path):
    cases = [case(), case(scenario="sdxl")]
    _, found = run_tables(tmp_path, cases, [measured("baseline", 3.0), measured("baseline", 9.0, scenario="sdxl")])
    assert [grid.rows[0][1].text for grid in found] == ["3.00 s", "9.00 s"]


def test_a_scenario_without_a_result_yet_is_left_out(tmp_path):
    _, found = run_tables(tmp_path, [case(), case(scenario="sdxl")], [measured("baseline", 3.0)])
    assert [grid.title for grid in found] == ["Speed up inference (sd)"]


def test_a_run_without_a_result_has_no_table(tmp_path):
    assert run_tables(tmp_path, [case()], [])[1] == []


def test_tables_are_printed_with_what_they_leave_out_below(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    _, found = run_tables(tmp_path, [case(), case("x")], [measured("baseline", 3.0), ended("x", "oom", "full")])
    show(found)
    text = capsys.readouterr().out
    assert "│ baseline │  3.00 s │" in text
    assert "x: full" in text


def test_the_head_of_the_document_is_inert(tmp_path):
    run, found = run_tables(tmp_path, [case()], [measured("baseline", 3.0)], device_name="a\n::error::b\x1b[31m")
    assert markdown(run, found).splitlines()[2].startswith("a ::error::b\\")
