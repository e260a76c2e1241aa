"""The plot of a comparison, in the file that somebody named."""

import pytest
from analyze.make import case, in_passes, make_run_in_memory, measured
from PIL import Image

from bench.analyze.comparison import Compared, pair_up
from bench.analyze.side import of_run
from bench.errors import InputError
from bench.present.plots.comparison import MOST_CASES, write


def compared(tmp_path, *sides):
    """Return a comparison of sides, each the records of a run."""
    opened = []
    for number, records in enumerate(sides):
        cases = [case(name, baseline=None) for name in dict.fromkeys(record.case for record in records)]
        opened.append(of_run(make_run_in_memory(tmp_path / f"side-{number}", cases, records)))
    return Compared(opened, [pair_up(opened[0], side) for side in opened[1:]])


def drawn(tmp_path, *sides):
    write(tmp_path / "plot.svg", compared(tmp_path, *sides))
    return (tmp_path / "plot.svg").read_text(encoding="utf-8")


PASSES = [in_passes("baseline", [seconds, seconds * 1.001, seconds * 0.999]) for seconds in (1.0, 1.2)]


@pytest.mark.parametrize("ending", [".png", ".svg", ".pdf"])
def test_a_plot_is_of_the_kind_that_its_file_is_named_for(tmp_path, ending):
    path = tmp_path / "plots" / f"plot{ending}"
    write(path, compared(tmp_path, *PASSES))
    assert path.read_bytes()[:5] in {b"\x89PNG\r", b"<?xml", b"%PDF-"}


def test_cases_and_sides_are_named(tmp_path):
    text = drawn(tmp_path, *PASSES)
    assert [
        word for word in (">sd/baseline<", "side-1 against side-0", "with its 95 % interval") if word not in text
    ] == []


def test_a_side_without_an_interval_says_why(tmp_path):
    assert "too few processes for an interval" in drawn(tmp_path, [measured("a", 1.0)], [measured("a", 1.1)])


def test_tiny_models_are_warned_of(tmp_path):
    tiny = [measured("a", 1.0, size="tiny")]
    assert "TINY MODELS" in drawn(tmp_path, tiny, tiny)


def test_of_many_cases_those_that_changed_most_are_drawn(tmp_path):
    names = [f"case-{number:03}" for number in range(MOST_CASES + 20)]
    base = [measured(name, 1.0) for name in names]
    new = [measured(name, 1.0 + 0.01 * at) for at, name in enumerate(names)]
    text = drawn(tmp_path, base, new)
    assert f"The {MOST_CASES} cases that changed most, of {MOST_CASES + 20}." in text
    assert [name for name in names if f">sd/{name}<" in text] == names[20:]


def test_markup_in_a_name_is_written_as_it_is(tmp_path):
    records = [measured("costs $5 & <b>", 1.0)]
    assert "costs $5 &amp; &lt;b>" in drawn(tmp_path, records, records).replace("&gt;", ">")


def test_a_plot_is_as_tall_as_its_cases(tmp_path):
    heights = []
    for count in (1, 20):
        records = [measured(f"case-{number}", 1.0) for number in range(count)]
        write(tmp_path / "plot.png", compared(tmp_path / str(count), records, records))
        with Image.open(tmp_path / "plot.png") as image:
            heights.append(image.height)
    assert heights[1] > heights[0] + 19 * 0.25 * 150


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"plot.jpeg: is not a plot file; give one that ends in .pdf, .png, .svg"):
        write(tmp_path / "plot.jpeg", compared(tmp_path, *PASSES))


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write(tmp_path / "file" / "plot.png", compared(tmp_path, *PASSES))


def test_nothing_to_draw_is_refused(tmp_path):
    with pytest.raises(InputError, match="no case was measured on both sides"):
        write(tmp_path / "plot.png", compared(tmp_path, [measured("a", 1.0)], [measured("b", 1.0)]))
