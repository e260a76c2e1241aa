"""The gallery: the first picture of each case beside its baseline's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.analyze.run import Run
from bench.analyze.similarity import picture
from bench.present import words
from bench.present.html.pictures import Album, Picture
from bench.present.plots.subject import fastest
from bench.records.case_result import CaseResult

MOST_CARDS = 120
"""Per run; of more cases, the baselines and the fastest are shown."""


@dataclass(frozen=True)
class Card:
    """A case's picture with what is known about it; `baseline` is None if there is nothing to compare it with."""

    case: str
    tag: str
    picture: Picture
    baseline: Picture | None
    against: str
    figures: str
    note: str


def paths(run: Run, results: Sequence[CaseResult]) -> list[Path]:
    """Return the first pictures of these cases, as far as there are any."""
    return [path for result in fastest(results, MOST_CARDS) if (path := _picture(run, result)).is_file()]


def cards(run: Run, results: Sequence[CaseResult], album: Album) -> list[Card]:
    """Return a card for each case whose picture is in the album, in the order of the results."""
    found = ((result.case, album.by_path.get(_picture(run, result))) for result in results)
    known = {case: picture for case, picture in found if picture is not None}
    return [_card(result, known) for result in results if result.case in known]


def _picture(run: Run, result: CaseResult) -> Path:
    return picture(run.folder, result.scenario, result.case)


def _card(result: CaseResult, known: Mapping[str, Picture]) -> Card:
    baseline = result.comparison.baseline or ""
    mine, base = known[result.case], known.get(baseline)
    alike = base is not None and (base.width, base.height) == (mine.width, mine.height)
    compared = result.is_baseline or result.similarity.psnr_db is not None
    note = words.expected(result) if compared else "not compared"
    if base is not None and not alike:
        note = "not compared, because the baseline's picture has a different size"
    beside = base if alike and not result.is_baseline else None
    return Card(result.case, words.label(result), mine, beside, baseline, words.pictures(result), note)
