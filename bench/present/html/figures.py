"""Plots as SVG inside the page: in the page's colors, light and dark, and without duplicate identifiers."""

import re
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from markupsafe import Markup

from bench.present.plots import heatmap, page, registry
from bench.present.plots.subject import Subject

INLINE = {
    page.INK: "var(--ink)",
    page.GRAY: "var(--soft)",
    page.RULE: "var(--rule)",
    page.PAPER: "var(--paper)",
    page.BLUE: "var(--blue)",
    page.VERMILION: "var(--vermilion)",
    heatmap.UNMEASURED: "var(--wash)",
    heatmap.HATCH: "var(--rule)",
}
"""Color of a plot -> the page's, for light and dark. All others, and print on colored ground, stay as they are."""
_LOWER = {color.lower(): variable for color, variable in INLINE.items()}
_COLOR = re.compile("|".join(INLINE), re.IGNORECASE)
_NAMESPACE = re.compile(r"^\{.*\}")
_DECIMALS = re.compile(r"(\d\.\d\d)\d+")
_NUMBERS = ("d", "x", "y", "transform", "points")
_FONTS = re.compile(r"'[^']*'(, *'[^']*')*, *sans-serif")
_KEPT_IDS = ("clipPath", "path", "pattern")
"""What other elements refer to; nothing refers to groups, which have the same identifiers in every plot."""


@dataclass(frozen=True)
class Figure:
    """A plot: its kind, what it shows in words, and its SVG."""

    kind: str
    caption: str
    svg: Markup


def figures(subject: Subject, title: str, prefix: str) -> list[Figure]:
    """Draw the plots of a scenario; `prefix` keeps their identifiers distinct from those of others in the page."""
    return [
        Figure(
            kind.name,
            f"{kind.caption}: {title}",
            inline(page.drawn(drawn, "svg", prefix + kind.name), prefix + kind.name),
        )
        for kind, drawn in registry.pages(subject, captioned=True)
    ]


def inline(svg: bytes, prefix: str) -> Markup:
    """Return an SVG file as an element of a page: no prolog, metadata or global style, and identifiers of its own."""
    root = ET.fromstring(svg)  # noqa: S314 - matplotlib's own, drawn a moment ago
    for parent in list(root.iter()):
        for child in list(parent):
            if _local(child.tag) in {"metadata", "style"}:
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = dict(_attribute(element.tag, *pair, prefix) for pair in element.attrib.items())
        if element.tag == "g":
            element.attrib.pop("id", None)
    for name in ("width", "height", "id", "version"):
        root.attrib.pop(name, None)
    wide = f"{float(root.attrib['viewBox'].split()[2]):.0f}pt"  # that the plot was drawn for
    root.attrib |= {"aria-hidden": "true", "focusable": "false", "style": f"--wide: {wide}"}
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - serialized, so escaped, by ElementTree


def _attribute(tag: str, name: str, value: str, prefix: str) -> tuple[str, str]:
    """Return an attribute without its namespace, in the page's colors, short, and with the plot's own identifiers."""
    name = _local(name)
    if name == "id" and tag in _KEPT_IDS:
        return name, f"{prefix}-{value}"
    if name == "href":
        return name, value.replace("#", f"#{prefix}-", 1)
    value = value.replace("url(#", f"url(#{prefix}-")
    if name == "style":
        return name, _FONTS.sub("sans-serif", _COLOR.sub(lambda found: _LOWER[found.group().lower()], value))
    return name, _DECIMALS.sub(r"\1", value) if name in _NUMBERS else value


def _local(name: str) -> str:
    return _NAMESPACE.sub("", name)
