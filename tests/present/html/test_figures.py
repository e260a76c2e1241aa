"""A plot inside the page: nothing of a file's frame, the page's colors, identifiers of its own."""

from bench.present.html.figures import inline

SVG = b"""<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="72pt" height="36pt" viewBox="0 0 72 36"
 xmlns="http://www.w3.org/2000/svg" version="1.1">
 <metadata><format>image/svg+xml</format></metadata>
 <defs><style type="text/css">*{stroke-linecap: butt}</style></defs>
 <g id="figure_1"><path d="M 0.123456 1" style="fill: #ffffff; stroke: #0072b2" clip-path="url(#p1)"/>
 <defs><path id="m1"/></defs><use xlink:href="#m1" x="1.999999"/>
 <text style="font: 9px 'DejaVu Sans', 'Verdana', sans-serif; fill: #1b1b1b">a &lt; b #ffffff</text></g>
 <defs><clipPath id="p1"/></defs>
</svg>"""


def test_the_frame_of_a_file_is_gone():
    text = inline(SVG, "x")
    assert [
        word for word in ("<?xml", "DOCTYPE", "metadata", "<style", "xmlns", "ns0", "figure_1") if word in text
    ] == []


def test_identifiers_and_what_refers_to_them_get_the_prefix():
    text = inline(SVG, "x")
    assert [word for word in ('id="x-m1"', 'href="#x-m1"', 'id="x-p1"', "url(#x-p1)") if word not in text] == []


def test_colors_are_the_pages_in_whichever_case_they_are_written():
    assert 'style="fill: var(--paper); stroke: var(--blue)"' in inline(SVG, "x")


def test_print_on_colored_ground_keeps_its_color():
    assert "fill: #1b1b1b" in inline(SVG, "x")


def test_text_stays_as_it_is_and_escaped():
    assert ">a &lt; b #ffffff<" in inline(SVG, "x")


def test_numbers_are_cut_to_hundredths_of_a_point():
    assert 'd="M 0.12 1"' in inline(SVG, "x")


def test_the_plot_is_no_wider_than_it_was_drawn_for():
    assert "--wide: 72pt" in inline(SVG, "x")
