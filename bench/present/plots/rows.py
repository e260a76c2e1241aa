"""The rows that the plots are drawn from: what they show of results.csv, with text that can be drawn."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from bench.records.schema import MEASURED

SPLIT = ("text_encoder", "denoiser", "scheduler", "vae", "image", "rest")


@dataclass(frozen=True)
class Row:
    """What the plots show of a row of results.csv; None is unknown. `outcome` is its status and the reason for it."""

    case: str
    status: str
    outcome: str
    measured: bool
    tiny: bool
    images: int
    latency_s: float | None
    low_s: float | None
    high_s: float | None
    interval: str | None
    seconds_per_image: float | None
    baseline: str | None
    speedup: float | None
    speedup_low: float | None
    speedup_high: float | None
    allocated_bytes: float | None
    rss_growth_bytes: float | None
    steps: int | None
    denoiser_calls: int | None
    claim_latency_s: float | None
    claim_speedup: float | None
    claim_status: str | None
    claim_device: str | None
    about: bool
    split: Mapping[str, float] = field(hash=False)
    denoiser_calls_s: tuple[float, ...]
    roofline_s: float | None


def row(record: Mapping[Any, Any]) -> Row:
    """Return what the plots show of a row of results.csv; no documented figure is held against a toy."""
    value = {str(name): None if pd.isna(known) else known for name, known in record.items()}
    full = value["size"] == "full"
    images = int(value["images"] or 1)
    per_image, per_call = value["claim_seconds_per_image"], value["claim_latency_s"]
    documented = per_call if per_call is not None else per_image * images if per_image is not None else None
    return Row(
        case=plain(str(value["case"])),
        status=str(value["status"]),
        outcome=plain(": ".join(filter(None, [value["status"], value["reason"]]))),
        measured=value["status"] in list(MEASURED) and value["latency_median_s"] is not None,
        tiny=value["size"] == "tiny",
        images=images,
        latency_s=value["latency_median_s"],
        low_s=value["latency_low_s"],
        high_s=value["latency_high_s"],
        interval=value["interval"],
        seconds_per_image=value["seconds_per_image"],
        baseline=plain(value["baseline"] or "") or None,
        speedup=value["speedup"],
        speedup_low=value["speedup_low"],
        speedup_high=value["speedup_high"],
        allocated_bytes=value["peak_allocated_bytes"],
        rss_growth_bytes=value["peak_rss_growth_bytes"],
        steps=value["steps"],
        denoiser_calls=value["denoiser_calls"],
        claim_latency_s=documented if full else None,
        claim_speedup=value["claim_speedup"] if full else None,
        claim_status=value["claim_status"] if full else None,
        claim_device=plain(value["claim_device"] or "") or None,
        about=bool(value["claim_approximate"]),
        roofline_s=value["roofline_s"],
        split={part: max(0.0, seconds) for part in SPLIT if (seconds := value[f"breakdown_{part}_s"]) is not None},
        denoiser_calls_s=tuple(json.loads(value["breakdown_denoiser_calls_s"] or "[]")),
    )


def plain(text: str) -> str:
    """Return text in one line, without control characters (with one, SVG is no XML), and `?` for what has no glyph."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    fonts = [get_font(findfont(FontProperties(weight=weight))) for weight in ("normal", "bold")]
    printable = (letter if letter.isprintable() else " " for letter in text)
    known = (at if at.isascii() or all(font.get_char_index(ord(at)) for font in fonts) else "?" for at in printable)
    return " ".join("".join(known).split())
