import re

import pytest
from analyze.make import H200, SOURCE, case, ended, make_folder, make_run, measured

from bench.errors import InputError
from bench.present.tables import TINY, markdown, show, tables, write

UNKNOWN = re.compile(r"nan|none|null|<na>|nat|x?0(\.0+)?( (ms|s|MiB|GiB))?", re.IGNORECASE)
"""What an unknown value must not be printed as."""


def table_of(tmp_path, cases, outcomes, **options):
    """Return the only table of a run."""
    (table,) = tables(make_run(tmp_path / "run", cases, outcomes, **options))
    return table


def text_of(tmp_path, cases, outcomes, **options):
    """Return the tables of a run as Markdown."""
    run = make_run(tmp_path / "run", cases, outcomes, **options)
    return markdown(run, tables(run))


def row_of(tmp_path, outcome, *, name="fp16", **options):
    """Return the cells of one case, by their column, beside a baseline that takes three seconds."""
    settings = {key: options.pop(key) for key in ("claim", "call") if key in options}
    outcomes = [measured("baseline", 3.0), outcome]
    table = table_of(tmp_path, [case("baseline"), case(name, **settings)], outcomes, **options)
    return dict(zip(table.header, table.rows[1], strict=True))


def cells(text):
    """Return the cells of every row of the Markdown tables in a text."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not line.startswith("| ---")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_the_table_is_the_documentations(tmp_path):
    text = text_of(tmp_path, [case(), case("fp16")], [measured("baseline", 3.0), measured("fp16", 2.0)])
    assert [line[:34] for line in text.splitlines() if line.startswith("|")] == [
        "| setup | latency | speed-up | 95 ",
        "| --- | ---: | ---: | ---: | ---: ",
        "| baseline | 3.00 s | x1.00 | 3.00",
        "| fp16 | 2.00 s | x1.50 | 2.00 to ",
    ]


def test_every_line_of_a_table_has_as_many_cells_as_its_header(tmp_path):
    outcomes = [measured("baseline", 3.0), ended("a|b", "failed", "x | y\nz"), ended("c", "skipped", "")]
    rows = cells(text_of(tmp_path, [case(), case("a|b"), case("c")], outcomes))
    assert {len(row) for row in rows} == {len(rows[0])}


def test_every_case_that_ended_has_a_row(tmp_path):
    names = ["baseline", "skipped", "oom", "timeout", "crashed", "failed", "interrupted"]
    outcomes = [measured("baseline", 3.0), *(ended(name, name) for name in names[1:])]
    assert [row[0] for row in table_of(tmp_path, map(case, names), outcomes).rows] == names


def test_a_case_that_was_not_measured_says_what_became_of_it(tmp_path):
    row = row_of(tmp_path, ended("fp16", "oom", "CUDA out of memory"))
    assert (row["latency"], row["speed-up"], row["notes"]) == ("oom", "", "CUDA out of memory")


def test_the_reason_of_an_unstable_case_stands_beside_its_latency(tmp_path):
    row = row_of(tmp_path, measured("fp16", 2.0, status="unstable", reason="still drifting", remarks="tiling was idle"))
    assert (row["latency"], row["notes"]) == ("2.00 s", "still drifting; tiling was idle")


@pytest.mark.parametrize("status", ["skipped", "oom", "timeout", "crashed", "failed", "interrupted"])
def test_an_unknown_value_is_an_empty_cell(tmp_path, status):
    row = row_of(tmp_path, ended("fp16", status), claim={"latency_s": 2.0})
    assert {name: cell for name, cell in row.items() if UNKNOWN.fullmatch(cell)} == {}


def test_a_case_that_died_before_it_told_anything_has_a_row_of_empty_cells(tmp_path):
    row = row_of(tmp_path, ended("fp16", "crashed", "died", size=None, images=None))
    assert [cell for cell in row.values() if cell] == ["fp16", "crashed", "died"]


def test_a_speedup_is_empty_where_the_baseline_failed(tmp_path):
    table = table_of(tmp_path, [case(), case("fp16")], [ended("baseline", "failed"), measured("fp16", 2.0)])
    assert [row[table.header.index("speed-up")] for row in table.rows] == ["", ""]


def test_a_scenario_without_a_baseline_has_a_table(tmp_path):
    table = table_of(tmp_path, [case(baseline=None)], [measured("baseline", 3.0)])
    assert table.rows[0][:3] == ["baseline", "3.00 s", ""]


def test_setup_latency_and_speedup_are_there_also_where_nothing_was_measured(tmp_path):
    table = table_of(tmp_path, [case()], [ended("baseline", "failed")])
    assert table.header == ["setup", "latency", "speed-up"]


def test_too_few_samples_leave_the_interval_empty(tmp_path):
    assert row_of(tmp_path, measured("fp16", [1.0, 2.0, 3.0]))["95 % interval"] == ""


def test_no_column_of_seconds_an_image_where_every_call_makes_one(tmp_path):
    assert "s/image" not in row_of(tmp_path, measured("fp16", 2.0))


def test_seconds_an_image_stand_only_where_a_call_makes_several(tmp_path):
    table = table_of(tmp_path, [case(), case("batch")], [measured("baseline", 3.0), measured("batch", 8.0, images=4)])
    assert [row[table.header.index("s/image")] for row in table.rows] == ["", "2.00 s"]


def test_a_batch_that_was_not_measured_has_no_seconds_an_image(tmp_path):
    assert "s/image" not in row_of(tmp_path, ended("fp16", "oom", images=8))


def test_the_peak_of_a_device_is_its_tensors(tmp_path):
    row = row_of(tmp_path, measured("fp16", 2.0, peak_allocated_bytes=3 * 2**30, peak_rss_growth_bytes=2**30))
    assert row["peak memory"] == "3.00 GiB"


def test_the_peak_of_a_cpu_is_what_its_process_grew_by(tmp_path):
    assert row_of(tmp_path, measured("fp16", 2.0, peak_rss_growth_bytes=512 * 2**20))["peak memory"] == "512 MiB"


def test_the_clip_score_stands_where_there_is_one(tmp_path):
    assert row_of(tmp_path, measured("fp16", 2.0, clip_score=26.14))["CLIP score"] == "26.1"


def test_no_column_of_clip_scores_where_there_is_none(tmp_path):
    assert "CLIP score" not in row_of(tmp_path, measured("fp16", 2.0))


@pytest.mark.parametrize(
    ("claim", "cell"),
    [
        ({"latency_s": 3.51, "speedup": 1.5}, "3.51 s, x1.50"),
        ({"latency_s": 6.0, "over_calls": 3}, "2.00 s (6.00 s over 3 calls)"),
        ({"seconds_per_image": 3.5, "approximate": True}, "about 3.50 s/image"),
        ({"speedup": 1.2, "approximate": True}, "about x1.20"),
        ({"parameter_reduction": 0.51, "latency_reduction": 0.5}, "x2.00, 51% fewer parameters"),
        ({"status": "oom"}, "oom"),
    ],
)
def test_the_documented_figures_stand_beside_the_measured_ones(tmp_path, claim, cell):
    assert row_of(tmp_path, measured("fp16", 2.0), claim=claim)["documented"] == cell


def test_the_verdict_stands_beside_the_documented_figure(tmp_path):
    assert row_of(tmp_path, measured("fp16", 2.0), claim={"speedup": 1.5})["verdict"] == "as documented"


def test_what_is_inferred_about_a_figure_is_told_with_its_case(tmp_path):
    text = text_of(tmp_path, [case(claim={"latency_s": 3.0, "note": "inferred: DDIM"})], [measured("baseline", 3.0)])
    assert "baseline: inferred: DDIM" in text


def test_the_documented_device_is_named(tmp_path):
    table = table_of(tmp_path, [case()], [measured("baseline", 3.0)])
    assert table.lines[0].startswith("Documented in diffusers docs, optimization/fp16 on NVIDIA A100;")


def test_a_scenario_that_documents_nothing_names_no_document(tmp_path):
    table = table_of(tmp_path, [case()], [measured("baseline", 3.0)], source={})
    assert [line for line in table.lines if "ocumented" in line] == []


def test_a_run_of_tiny_twins_says_so(tmp_path):
    assert TINY in text_of(tmp_path, [case()], [measured("baseline", 0.03, size="tiny")])


def test_one_tiny_row_is_enough_to_say_so(tmp_path):
    outcomes = [measured("baseline", 3.0), measured("fp16", 0.03, size="tiny")]
    assert table_of(tmp_path, [case(), case("fp16")], outcomes).lines[0] == TINY


def test_a_run_of_whole_models_does_not(tmp_path):
    assert "TINY" not in text_of(tmp_path, [case()], [measured("baseline", 3.0)])


def test_a_tiny_row_has_no_verdict(tmp_path):
    outcomes = [measured(name, 0.03, size="tiny") for name in ("baseline", "fp16")]
    table = table_of(tmp_path, [case(), case("fp16", claim={"latency_s": 3.0})], outcomes)
    assert "verdict" not in table.header


@pytest.mark.parametrize(
    ("reason", "cell"),
    [
        ("a | b", r"a \| b"),
        ("expected <class 'int'>", "expected &lt;class 'int'>"),
        ("two\nlines", "two lines"),
        ("two\r\n\tlines", "two lines"),
        (r"C:\weights\|x", r"C:\\weights\\\|x"),
    ],
)
def test_what_markdown_takes_for_markup_is_escaped(tmp_path, reason, cell):
    assert f"| {cell} |" in text_of(tmp_path, [case()], [ended("baseline", "failed", reason)])


def test_a_title_is_escaped(tmp_path):
    text = text_of(tmp_path, [case()], [measured("baseline", 3.0)], title="A <b>bold</b>\n# claim")
    assert "## A &lt;b>bold&lt;/b> # claim (sd)" in text.splitlines()


def test_the_document_names_the_device_and_the_versions(tmp_path):
    text = text_of(tmp_path, [case()], [measured("baseline", 3.0)], device_name=H200)
    assert text.splitlines()[2] == "NVIDIA H200; torch 2.9.0, diffusers 0.42.0, transformers 5.10.0."


def test_every_scenario_has_a_table(tmp_path):
    cases = [case(), case(scenario="sdxl")]
    run = make_run(tmp_path / "run", cases, [measured("baseline", 3.0), measured("baseline", 9.0, scenario="sdxl")])
    assert [table.rows[0][1] for table in tables(run)] == ["3.00 s", "9.00 s"]


def test_a_scenario_without_a_row_yet_is_left_out(tmp_path):
    run = make_run(tmp_path / "run", [case(), case(scenario="sdxl")], [measured("baseline", 3.0)])
    assert [table.title for table in tables(run)] == ["Speed up inference (sd)"]


def test_a_run_without_a_row_has_no_table(tmp_path):
    assert tables(make_run(tmp_path / "run", [case()])) == []


def test_write_leaves_the_tables_in_the_runs_folder(tmp_path):
    folder = make_folder(tmp_path / "run", [case()], [measured("baseline", 3.0)])
    write(folder)
    assert (folder / "tables.md").read_text(encoding="utf-8").splitlines()[0] == "# run"


def test_write_of_a_folder_that_is_no_run_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="is not the folder of a run"):
        write(tmp_path)


def test_square_brackets_are_printed_as_they_are(tmp_path, capsys):
    table = table_of(tmp_path, [case()], [measured("baseline", 3.0)], title="Speed [red]up[/red]", source=SOURCE)
    show([table])
    assert "Speed [red]up[/red]" in capsys.readouterr().out


def test_every_case_is_printed_on_a_terminal(tmp_path, capsys):
    names = ["baseline", "fp16", "channels-last"]
    show([table_of(tmp_path, map(case, names), [measured(name, 3.0) for name in names])])
    printed = capsys.readouterr().out
    assert [name for name in names if name not in printed] == []


def test_numbers_are_what_the_texts_were_printed_from(tmp_path):
    table = table_of(tmp_path, [case()], [measured("baseline", 1 / 3)])
    assert dict(zip(table.header, table.numbers[0], strict=True))["latency"] == 1 / 3


def test_a_cell_without_a_text_has_no_number(tmp_path):
    outcomes = [measured("baseline", 3.0), measured("fp16", 1.0, images=2), ended("huge", "oom")]
    table = table_of(tmp_path, [case(), case("fp16"), case("huge")], outcomes)
    cells = [pair for row in zip(table.rows, table.numbers, strict=True) for pair in zip(*row, strict=True)]
    assert [number for text, number in cells if not text and number is not None] == []
