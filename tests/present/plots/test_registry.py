"""The plots of a run: which there are, and what is written in them."""

from xml.etree import ElementTree as ET

import pytest
from analyze.make import case, ended, make_run, make_run_in_memory, measured

from bench.analyze.results import results
from bench.present import words
from bench.present.plots import registry
from bench.present.plots.subject import MOST_CASES
from bench.records.outcomes import Tiny

CLAIM = {"latency_s": 2.5, "speedup": 2.0}
CASES = [case("baseline", claim={"latency_s": 5.0}), case("fp16", claim=CLAIM)]
PNG = b"\x89PNG\r\n\x1a\n"


def words_in(svg):
    """Return all that is written in an SVG file."""
    root = ET.parse(svg).getroot()  # noqa: S314 - drawn by the test itself
    return [" ".join("".join(text.itertext()).split()) for text in root.iter("{http://www.w3.org/2000/svg}text")]


def write(run):
    return registry.write(run, results(run), run.folder / "plots")


def draw(tmp_path, cases, outcomes, **options):
    """Draw the plots of a run and return what is written in each SVG, by the file's name."""
    drawn = write(make_run_in_memory(tmp_path / "run", cases, outcomes, **options))
    return {path.name: "\n".join(words_in(path)) for path in drawn if path.suffix == ".svg"}


def sized(*sizes, names=("baseline", "fp16")):
    """Return outcomes of these sizes with a peak of memory, so that every kind of plot has something to show."""
    return [
        measured(name, 3.0 / (index + 1), size=size, peak_allocated_bytes=2.0**30 * (index + 1))
        for index, (name, size) in enumerate(zip(names, sizes, strict=True))
    ]


def test_every_plot_is_a_png_and_an_svg_in_the_runs_folder(tmp_path):
    run = make_run(tmp_path / "run", CASES, sized("full", "full"))
    drawn = write(run)
    kinds = {path.stem for path in drawn}
    assert sorted(drawn) == sorted(
        run.folder / "plots" / f"{kind}.{ending}" for kind in kinds for ending in ("png", "svg")
    )


def test_nothing_but_the_plots_is_left_in_their_folder(tmp_path):
    run = make_run(tmp_path / "run", CASES, sized("full", "full"))
    assert sorted(write(run)) == sorted((run.folder / "plots").iterdir())


def test_there_is_a_plot_of_latency_of_speedup_of_memory_and_of_the_front(tmp_path):
    kinds = ["latency", "memory", "pareto", "speedup"]
    assert sorted(draw(tmp_path, CASES, sized("full", "full"))) == [f"sd-{kind}.svg" for kind in kinds]


def test_a_png_is_one(tmp_path):
    drawn = write(make_run(tmp_path / "run", CASES, sized("full", "full")))
    assert {path.read_bytes()[:8] for path in drawn if path.suffix == ".png"} == {PNG}


def test_the_latency_plot_names_every_case_with_its_latency(tmp_path):
    text = draw(tmp_path, CASES, [measured("baseline", 3.0), measured("fp16", 1.5)])["sd-latency.svg"]
    assert [word for word in ("baseline", "3.00 s", "fp16", "1.50 s") if word not in text] == []


def test_a_case_that_was_not_measured_keeps_its_line_and_says_why(tmp_path):
    text = draw(tmp_path, CASES, [measured("baseline", 3.0), ended("fp16", "oom", "16 GiB asked for")])[
        "sd-latency.svg"
    ]
    assert [word for word in ("fp16", "oom", "16 GiB asked for") if word not in text] == []


def test_no_unknown_value_is_drawn_as_a_word(tmp_path):
    outcomes = [measured("baseline", [3.0]), ended("fp16", "failed"), ended("died", "crashed")]
    text = "\n".join(draw(tmp_path, [*CASES, case("died", baseline=None)], outcomes).values()).lower()
    assert [word for word in ("nan", "none", "<na>") if word in text] == []


def test_a_case_whose_process_died_before_it_reported_anything_keeps_its_line(tmp_path):
    outcomes = [measured("baseline", 3.0), ended("fp16", "crashed", "died early", size=None, images=None)]
    assert "died early" in draw(tmp_path, CASES, outcomes)["sd-latency.svg"]


def test_every_plot_of_tiny_models_says_that_they_are(tmp_path):
    plots = draw(tmp_path, CASES, sized("tiny", "tiny"))
    assert [name for name, text in plots.items() if words.TINY_WARNINGS[Tiny.ALL] not in text.replace("\n", " ")] == []


def test_one_tiny_case_is_enough_for_every_plot_to_say_so(tmp_path):
    plots = draw(tmp_path, CASES, sized("full", "tiny"))
    assert [name for name, text in plots.items() if words.TINY_WARNINGS[Tiny.SOME] not in text.replace("\n", " ")] == []


def test_no_plot_of_full_size_models_speaks_of_tiny_ones(tmp_path):
    plots = draw(tmp_path, CASES, sized("full", "full"))
    assert [name for name, text in plots.items() if "tiny" in text.lower()] == []


def test_a_documented_figure_is_beside_a_full_size_model(tmp_path):
    plots = draw(tmp_path, CASES, sized("full", "full"))
    assert [name for name, text in plots.items() if "documented: NVIDIA A100" in text] == [
        "sd-latency.svg",
        "sd-speedup.svg",
    ]


@pytest.mark.parametrize(
    "claim", [CLAIM, {"seconds_per_image": 2.5}, {"status": "oom"}, {"speedup": 2.0, "approximate": True}]
)
def test_no_documented_figure_is_beside_a_tiny_model(tmp_path, claim):
    cases = [case("baseline", claim={"latency_s": 5.0}), case("fp16", claim=claim), case("bf16")]
    plots = draw(tmp_path, cases, sized("tiny", "tiny", "tiny", names=("baseline", "fp16", "bf16")))
    assert [name for name, text in plots.items() if "documented" in text.lower()] == []


def test_a_tiny_models_plot_is_the_same_with_and_without_documented_figures(tmp_path):
    bare = [case("baseline"), case("fp16")]
    written = [draw(tmp_path / str(index), cases, sized("tiny", "tiny")) for index, cases in enumerate((CASES, bare))]
    assert written[0] == written[1]


@pytest.mark.parametrize("name", ["$x^2$", "costs $5", "a<b", "x&y", "<b>bold", r"\frac{1}{2}", "_hidden", "100%"])
def test_markup_in_a_cases_name_is_written_as_it_is(tmp_path, name):
    outcomes = [measured("baseline", 3.0), measured(name, 1.5)]
    assert name in draw(tmp_path, [case("baseline"), case(name)], outcomes)["sd-latency.svg"].splitlines()


@pytest.mark.parametrize("title", ["It costs $5 or $6", "a < b & c", "50 %"])
def test_markup_in_a_title_is_written_as_it_is(tmp_path, title):
    text = draw(tmp_path, CASES, sized("full", "full"), title=title)["sd-latency.svg"]
    assert title in text.splitlines()


@pytest.mark.parametrize(
    "reason", ["got <class 'int'> & $n$", "\x1b[31mred\x1b[0m", "two\nlines", "a\x00b", "🤗 says no"]
)
def test_any_reason_leaves_a_plot_that_can_be_read(tmp_path, reason):
    outcomes = [measured("baseline", 3.0), ended("fp16", "failed", reason)]
    assert "failed" in draw(tmp_path, CASES, outcomes)["sd-latency.svg"]


def with_calls(*calls, names=("baseline", "fp16")):
    """Return outcomes whose denoiser took these seconds, one list of calls per case."""
    return [
        measured(name, 3.0, breakdown_denoiser_calls_s=tuple(seconds))
        for name, seconds in zip(names, calls, strict=True)
    ]


def test_the_denoisers_calls_are_drawn_by_step_and_each_line_is_named(tmp_path):
    text = draw(tmp_path, CASES, with_calls([0.1, 0.2, 0.1], [0.1, 0.1, 0.1]))["sd-steps.svg"]
    assert {"baseline", "fp16", "call of the denoiser"} <= set(text.splitlines())


def test_calls_of_the_denoiser_that_are_all_alike_are_not_drawn(tmp_path):
    assert "sd-steps.svg" not in draw(tmp_path, CASES, with_calls([0.1, 0.105, 0.1], [0.2, 0.2, 0.2]))


def test_more_lines_than_colors_are_not_drawn(tmp_path):
    names = [f"case-{index}" for index in range(8)]
    cases, outcomes = [case(name, baseline=None) for name in names], with_calls(*[[0.1, 0.2]] * 8, names=names)
    assert "sd-steps.svg" not in draw(tmp_path, cases, outcomes)


def test_two_scenarios_have_plots_of_their_own(tmp_path):
    cases = [case("baseline"), case("baseline", scenario="sdxl")]
    plots = draw(tmp_path, cases, [measured("baseline", 3.0), measured("baseline", 9.0, scenario="sdxl")])
    assert {name for name in plots if name.endswith("latency.svg")} == {"sd-latency.svg", "sdxl-latency.svg"}


def test_a_run_in_which_nothing_was_measured_has_no_plot(tmp_path):
    assert write(make_run(tmp_path / "run", CASES, [ended("baseline", "failed")])) == []


def test_a_run_without_a_row_has_no_plot(tmp_path):
    assert write(make_run(tmp_path / "run", CASES)) == []


def test_drawing_again_gives_the_same_bytes(tmp_path):
    run = make_run(tmp_path / "run", CASES, sized("full", "full"))
    first = {path: path.read_bytes() for path in write(run)}
    assert {path: path.read_bytes() for path in write(run)} == first


def test_a_plot_of_an_earlier_call_that_shows_nothing_now_is_removed(tmp_path):
    run = make_run(tmp_path / "run", CASES, [measured("baseline", 3.0)])
    (run.folder / "plots").mkdir()
    (run.folder / "plots" / "gone-latency.svg").write_text("<svg/>", encoding="utf-8")
    write(run)
    assert not (run.folder / "plots" / "gone-latency.svg").exists()


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    """The plots of more cases than a plot has lines for; the baseline is the slowest."""
    names = ["baseline", *(f"case-{number:03}" for number in range(99))]
    records = [measured(name, 9 - 0.05 * at, peak_allocated_bytes=2.0**30) for at, name in enumerate(names)]
    return draw(tmp_path_factory.mktemp("crowd"), map(case, names), records)


def test_of_many_cases_the_fastest_and_their_baseline_are_drawn(crowd):
    drawn = [line for line in crowd["sd-latency.svg"].splitlines() if line.startswith(("case-", "baseline"))]
    assert drawn == ["baseline", *(f"case-{number:03}" for number in range(100 - MOST_CASES, 99))]


def test_a_plot_that_leaves_cases_out_says_so(crowd):
    assert (
        f"The {MOST_CASES} fastest cases and their baselines, of 100; the tables have all." in crowd["sd-latency.svg"]
    )


def test_a_crowded_front_names_only_the_cases_on_it(crowd):
    assert "Only 2 cases on a front are named, of 100." in crowd["sd-pareto.svg"]


def test_a_real_run_has_the_plots_of_its_scenario(finished_run):
    assert {path.name.split("-")[0] for path in (finished_run[0] / "plots").iterdir()} == {"small"}
