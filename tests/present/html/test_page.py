"""The report as text: complete, escaped, small, and well formed, whatever a run holds."""

import re
from html.parser import HTMLParser

import html5lib
import numpy as np
import pytest
from analyze.make import A100, case, ended, make_folder, make_run, make_run_in_memory, measured
from present.example import example_run, outcome, save

from bench.analyze.results import results
from bench.errors import InputError
from bench.present import words
from bench.present.html import tables
from bench.present.html.page import render, write
from bench.records.outcomes import Tiny

HOSTILE = "</style></script><script>alert(1)</script><img src=x onerror=alert(1)> ' \" & {{ 7*7 }} ]]>"
FORMATTERS = re.compile(r">\s*(None|nan|NaN|<NA>|Undefined)\s*<")
LOADS = {"src", "srcset", "data", "poster", "background", "action", "formaction", "ping", "manifest"}


def text_of(*runs):
    return render([(run, results(run)) for run in runs])


class Tags(HTMLParser):
    """Collects the tags of a page with their attributes, and the text of its style."""

    def __init__(self):
        super().__init__()
        self.tags, self.style, self._within = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._within = tag

    def handle_data(self, data):
        if self._within == "style":
            self.style.append(data)


def tags(text):
    parser = Tags()
    parser.feed(text)
    return parser


def problems(text):
    """Parse a page as browsers do and return whatever they would have to guess."""
    parser = html5lib.HTMLParser()
    parser.parse(text)
    return [code for _, code, _ in parser.errors]


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """The report of a run with one of everything."""
    return text_of(example_run(tmp_path_factory.mktemp("run") / "full"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """The report of a run in which every text wants to be markup."""
    cases = [
        case(claim={"latency_s": 3.0, "note": HOSTILE}),
        case(HOSTILE.replace("/", "|"), claim={"speedup": 2.0, "note": HOSTILE}),
        case("failed"),
    ]
    texts = {"reason": HOSTILE, "remarks": f"idle({HOSTILE})", "attention": HOSTILE, "call": {"prompt": HOSTILE}}
    outcomes = [
        outcome("baseline", 3.0, 2.0, **texts),
        outcome(cases[1].name, 1.5, 1.0),
        ended("failed", "failed", HOSTILE),
    ]
    source = {"document": HOSTILE, "device": HOSTILE, "url": "javascript:alert(1)", "notes": f"https://{HOSTILE}"}
    folder = make_folder(tmp_path_factory.mktemp("run") / "run", [case()])
    return text_of(make_run_in_memory(folder, cases, outcomes, title=HOSTILE, source=source, device_name=HOSTILE))


def test_the_page_is_well_formed(text):
    assert problems(text) == []


def test_hostile_text_leaves_the_page_well_formed(hostile):
    assert problems(hostile) == []


def test_hostile_text_adds_no_tag(hostile):
    found = [tag for tag, attributes in tags(hostile).tags if tag in {"script", "img"} or "onerror" in attributes]
    assert found == ["script"]


def test_hostile_text_is_no_template(hostile):
    assert "{{ 7*7 }}" in hostile


def test_a_source_that_is_no_web_address_is_no_link(hostile):
    links = [attributes["href"] for tag, attributes in tags(hostile).tags if tag == "a"]
    assert [link for link in links if not link.startswith(("#", "https://"))] == []


def test_nothing_is_loaded_from_anywhere(text):
    found = tags(text)
    assert [(tag, name) for tag, attributes in found.tags for name in attributes if name in LOADS] == []
    assert [tag for tag, _ in found.tags if tag in {"link", "iframe", "object", "embed", "base", "img", "image"}] == []


def test_styles_refer_to_nothing_outside_of_the_page(text):
    found = tags(text)
    styles = "".join(found.style) + " ".join(str(attributes) for _, attributes in found.tags)
    assert {url[:5] for url in re.findall(r"url\(['\"]?([^)]*)", styles)} <= {"data:", "#run-"}
    assert "@import" not in styles


def test_the_policy_allows_the_script_by_its_hash(text):
    import base64
    import hashlib

    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src &#39;sha256-{digest}&#39;" in text or f"script-src 'sha256-{digest}'" in text


def test_no_identifier_is_there_twice(text):
    names = [attributes["id"] for _, attributes in tags(text).tags if "id" in attributes]
    assert sorted(names) == sorted(set(names))


def test_every_reference_within_the_page_leads_somewhere(text):
    found = tags(text).tags
    names = {attributes["id"] for _, attributes in found if "id" in attributes}
    referred = {attributes["href"][1:] for _, attributes in found if attributes.get("href", "").startswith("#")}
    referred |= set(re.findall(r"url\(#([^)]*)\)", text))
    assert referred - names == set()


def test_unknown_values_are_empty_cells(text):
    assert FORMATTERS.findall(text) == []


@pytest.mark.parametrize(
    "said",
    ["NVIDIA A100-SXM4-80GB", "torch 2.9.0", "faster than documented", "CUDA out of memory",
     "flash-attn is not installed", "host-bound", "Pareto front", "PSNR 42.1 dB", "driver", "inferred: TF32 on"],
)  # fmt: skip
def test_the_page_says(text, said):
    assert said in text


@pytest.mark.parametrize(
    "kind", ["Latency", "Speed-up", "Peak memory", "Pareto front", "Breakdown", "Latency of each case"]
)
def test_every_plot_says_in_words_what_it_shows(text, kind):
    labels = [attributes.get("aria-label", "") for _, attributes in tags(text).tags if attributes.get("role") == "img"]
    assert any(label.startswith(kind) for label in labels)


def test_numbers_are_kept_at_full_precision(tmp_path):
    run = make_run(tmp_path / "run", [case()], [measured("baseline", 1 / 3)])
    assert 'data-value="0.3333333333333333"' in text_of(run)


def test_all_samples_are_there(tmp_path):
    latencies = [1.5, 1.25, 1.125, 1.0625]
    assert "1.5 1.25 1.125 1.0625" in text_of(make_run(tmp_path / "run", [case()], [measured("baseline", latencies)]))


def test_tiny_models_are_labeled_at_the_top_in_every_row_and_on_every_plot(tmp_path):
    text = text_of(example_run(tmp_path / "tiny", size="tiny"))
    plots = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    rows = re.findall(r'<th scope="row">(?!.*huge|.*compiled|.*flash)(.*?)</th>', text)
    assert text.index(words.TINY_WARNINGS[Tiny.ALL]) < text.index("Greatest speed-ups")
    assert [plot[:0] for plot in plots if "TINY MODELS" not in plot] == []
    assert [row for row in rows if "tiny" not in row and "/" not in row] == []


def test_pictures_of_random_weights_are_said_to_show_nothing(text):
    assert words.RANDOM_WEIGHTS in text


def test_pictures_of_trained_weights_are_not(tmp_path):
    assert words.RANDOM_WEIGHTS not in text_of(example_run(tmp_path / "run", weights="hub"))


def test_several_runs_have_a_section_each_under_one_overview(tmp_path):
    text = text_of(example_run(tmp_path / "one"), example_run(tmp_path / "two"))
    assert re.findall(r'<h2 id="(.*?)"', text) == ["overview", "run-1", "run-2", "columns"]
    assert problems(text) == []


def test_a_picture_that_several_cases_share_is_there_once(text):
    # five pictures on file: the baseline's is tf32's, too
    assert len(re.findall(r"\{background-image:url\(data:image/webp", text)) == 4


def test_a_run_without_pictures_has_no_gallery(tmp_path):
    text = text_of(make_run(tmp_path / "run", [case()], [measured("baseline", 1.0)]))
    assert "Gallery" not in text
    assert problems(text) == []


def test_a_damaged_picture_is_left_out(tmp_path):
    run = example_run(tmp_path / "run")
    (run.folder / "images" / "sd" / "fp16-0.png").write_bytes(b"no picture")
    assert "Picture of fp16" not in text_of(run)


@pytest.mark.parametrize("status", ["failed", "skipped", "oom", "timeout", "crashed", "interrupted"])
def test_a_run_in_which_nothing_was_measured_says_why(tmp_path, status):
    text = text_of(make_run(tmp_path / "run", [case()], [ended("baseline", status, "because of this")]))
    assert "because of this" in text
    assert problems(text) == []


def test_a_run_that_has_only_begun_is_a_report_too(tmp_path):
    assert problems(text_of(make_run(tmp_path / "run", [case()], []))) == []


def test_a_hundred_cases_with_noise_for_pictures_stay_under_five_megabytes(tmp_path):
    names = ["baseline", *(f"EulerAncestralDiscreteScheduler-{number}" for number in range(99))]
    cases = [case(name) for name in names]
    outcomes = [
        outcome(name, 2 + 0.01 * at, 3 + 0.02 * (at % 17), call={"prompt": "x" * 300}) for at, name in enumerate(names)
    ]
    run = make_run(tmp_path / "run", cases, outcomes)
    found = results(run)  # before the pictures: comparing them is not what is tested
    for seed, name in enumerate(names):
        save(run.folder, name, np.random.default_rng(seed).integers(0, 256, (512, 512, 3), dtype=np.uint8))
    text = render([(run, found)])
    assert text.count("Picture of Euler") == 99
    assert len(text.encode()) < 5_000_000


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """The report of more cases than its raw tables have rows for."""
    names = ["baseline", *(f"case-{number:03}" for number in range(tables.MOST_ROWS + 50))]
    records = [outcome(name, 2 + 0.01 * at, 3, steps=at) for at, name in enumerate(names)]
    return text_of(make_run(tmp_path_factory.mktemp("large") / "run", map(case, names), records))


def test_a_large_run_says_that_raw_numbers_are_left_out(large):
    assert (
        f"The tables below have the first {tables.MOST_ROWS} rows; results.csv and samples.csv have all of them."
        in large
    )


def test_the_table_of_a_large_run_has_all_cases(large):
    assert large.count('<th scope="row">case-<wbr>249</th>') == 2  # there, and in the table of the front


def test_a_large_run_has_the_plots_that_still_say_something(large):
    assert "The 60 fastest cases and their baselines, of 251; the tables have all." in large


def test_the_file_is_replaced_as_a_whole(tmp_path):
    run = make_run(tmp_path / "run", [case()], [measured("baseline", 1.0)])
    (tmp_path / "report.html").write_text("old")
    write([(run, results(run))], tmp_path / "report.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "run"]


@pytest.mark.parametrize("output", ["", "missing/report.html"])
def test_a_place_that_cannot_be_written_is_refused_by_name(tmp_path, output):
    run = make_run(tmp_path / "run", [case()], [measured("baseline", 1.0)])
    with pytest.raises(InputError, match=re.escape(str(tmp_path / output))):
        write([(run, results(run))], tmp_path / output)


def test_a_report_names_one_of_several_cards(tmp_path):
    run = make_run(tmp_path / "run", [case()], [measured("baseline", 2.0)], card=3, card_count=8)
    assert f"{A100} (card 3)" in text_of(run)
