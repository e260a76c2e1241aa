"""What the tests of the documentation share: the pages, and what a reader sees on them."""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from markdown_it import MarkdownIt
from support import ROOT

DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "results/README.md")), *DOCS]
CHANGELOG = ROOT / "CHANGELOG.md"
_PARSER = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language, its text and its line in the page."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self):
        return f"{self.page}:{self.line}"


def tokens(page):
    """Return all tokens of a page, inline ones too."""
    parsed = _PARSER.parse(page.read_text(encoding="utf-8"))
    return [inner for token in parsed for inner in (token, *(token.children or []))]


def links(page):
    """Return the targets of the links and images of a page."""
    return [
        token.attrs.get("href") or token.attrs["src"] for token in tokens(page) if token.type in {"link_open", "image"}
    ]


def anchors(page):
    """Return the anchors that GitHub gives the headings of a page."""
    found, seen = [], Counter()
    parsed = _PARSER.parse(page.read_text(encoding="utf-8"))
    for opening, heading in pairwise(parsed):
        if opening.type == "heading_open":
            text = "".join(part.content for part in heading.children)
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found.append(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
    return found


def blocks(language):
    """Return the fenced blocks of all pages in a language."""
    return [
        Block(str(page.relative_to(ROOT)), token.map[0] + 1, language, token.content)
        for page in PAGES
        for token in tokens(page)
        if token.type == "fence" and token.info.strip() == language
    ]


def inline_code():
    """Return (page, text) for each piece of code within a sentence or a table."""
    return [
        (str(page.relative_to(ROOT)), token.content)
        for page in PAGES
        for token in tokens(page)
        if token.type == "code_inline"
    ]
