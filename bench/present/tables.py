"""The documentation's own tables, `setup | latency | speed-up`, with what it leaves out beside them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from bench import units
from bench.analyze.results import results
from bench.analyze.rows import peak_bytes, plain_rows
from bench.analyze.run import Run, open_run
from bench.analyze.similarity import another_image
from bench.plan.case import ScenarioInfo
from bench.present.markdown import cell
from bench.present.markdown import table as table_of
from bench.records import store
from bench.records.schema import MEASURED

TINY = (
    "TINY TWINS: the same code at toy width, on random weights. These figures say nothing about the models themselves, "
    "and the documented ones are not held against them."
)
ALWAYS = ("setup", "latency", "speed-up")
ALIGN_LEFT = ("setup", "documented", "verdict", "notes")
ON_TERMINAL = ("setup", "latency", "speed-up", "95 % interval", "peak memory", "documented", "verdict")
"""The rest is in tables.md: a terminal is 80 to 120 characters wide."""
NARROW, LEFT_OUT_IF_NARROW = 100, "95 % interval"

PRINTED_FROM = {
    "latency": "latency_median_s",
    "speed-up": "speedup",
    "95 % interval": "latency_low_s",
    "n": "samples",
    "s/image": "seconds_per_image",
    "steps": "steps",
    "denoiser calls": "denoiser_calls",
    "first call": "first_call_s",
    "repaid after": "break_even_images",
    "similarity": "psnr_db",
    "CLIP score": "clip_score",
    "of the limit": "roofline_fraction",
}
"""Column of a table -> that of results.csv; the peak of memory is one of two."""
_COMMENTS = "; "


Row = Mapping[str, Any]


@dataclass(frozen=True)
class Shown:
    """One scenario's table, ready to print. `remarks` are about its documented figures, a case each.

    `numbers` are what the texts of `rows` were printed from, at full precision; None where a text is no number's.
    """

    title: str
    lines: list[str]
    remarks: list[str]
    header: list[str]
    rows: list[list[str]]
    numbers: list[list[float | None]]


def write(folder: Path, table: pd.DataFrame | None = None) -> list[Shown]:
    """Write a run's `tables.md` and return its tables; raise `InputError` where the folder is no run's.

    Args:
        folder: of the run.
        table: its results, where they are at hand; derived from its files otherwise.
    """
    run = open_run(folder)
    shown = tables(run, table)
    store.replace(folder / "tables.md", markdown(run, shown))
    return shown


def tables(run: Run, rows: pd.DataFrame | None = None) -> list[Shown]:
    """Return the tables of a run from its results, a scenario each; scenarios without a row are left out."""
    rows = results(run) if rows is None else rows
    return [_table(table, rows[rows["scenario"] == table.scenario]) for table in run.plan.scenarios if _has(rows, table)]


def markdown(run: Run, shown: list[Shown]) -> str:
    """Return the tables as one Markdown document."""
    facts = run.environment
    versions = ", ".join(f"{name} {facts[name]}" for name in ("torch", "diffusers", "transformers") if facts.get(name))
    parts = [f"# {run.folder.resolve().name}", f"{facts.get('device_name', 'unknown device')}; {versions}."]
    for table in shown:
        parts += [f"## {cell(table.title)}", *map(cell, table.lines), table_of(table.header, table.rows, ALIGN_LEFT)]
        if table.remarks:
            parts += ["Of the documented figures:", "\n".join(f"- {cell(remark)}" for remark in table.remarks)]
    return "\n\n".join(parts) + "\n"


def show(shown: list[Shown]) -> None:
    """Print tables on the terminal: the columns that fit, and below them why a row has no figures."""
    console = Console()
    for table in shown:
        printed = RichTable(title=escape(table.title), title_justify="left", caption_justify="left")
        printed.caption = escape("\n".join([*table.lines, *_reasons(table)]))
        kept = [index for index, name in enumerate(table.header) if name in _fitting(console.width)]
        for name in (table.header[index] for index in kept):
            folds = name in {"documented", "verdict"}
            printed.add_column(
                name,
                justify="left" if name in ALIGN_LEFT else "right",
                overflow="fold",
                no_wrap=not folds,
                min_width=12 if folds else None,
            )
        for row in table.rows:
            printed.add_row(*(escape(row[index]) for index in kept))
        console.print(printed, "")


def _fitting(width: int) -> set[str]:
    return set(ON_TERMINAL) - ({LEFT_OUT_IF_NARROW} if width < NARROW else set())


def _reasons(table: Shown) -> list[str]:
    """Return `case, case: why` for every note, cases with the same one together."""
    if "notes" not in table.header:
        return []
    at = table.header.index("notes")
    cases: dict[str, list[str]] = {}
    for row in table.rows:
        if row[at]:
            cases.setdefault(row[at], []).append(row[0])
    return [f"{', '.join(names)}: {note}" for note, names in cases.items()]


def _has(rows: pd.DataFrame, table: ScenarioInfo) -> bool:
    return bool((rows["scenario"] == table.scenario).any())


def _table(table: ScenarioInfo, rows: pd.DataFrame) -> Shown:
    plain = plain_rows(rows)
    shown = [_cells(row) for row in plain]
    used = [name for name in shown[0] if name in ALWAYS or any(row[name] for row in shown)]
    return Shown(
        title=f"{table.title} ({table.scenario})",
        lines=_lines(table, rows),
        remarks=[f"{row['case']}: {row['claim_note']}" for _, row in rows.dropna(subset=["claim_note"]).iterrows()],
        header=used,
        rows=[[row[name] for name in used] for row in shown],
        numbers=[
            [_number(row, name) if cell[name] else None for name in used]
            for row, cell in zip(plain, shown, strict=True)
        ],
    )


def _lines(table: ScenarioInfo, rows: pd.DataFrame) -> list[str]:
    """Say what a reader of the table must know: that it is a toy, what it is held against, what the interval means."""
    lines = [TINY] if (rows["size"] == "tiny").any() else []
    source = table.source
    if source:
        on = f" on {source['device']}" if source.get("device") else ""
        lines.append(f"Documented in {source['document']}{on}; on another device only the documented speed-up is held.")
    weights = sorted(set(rows["weights"].dropna()))
    if weights:
        lines.append(f"Weights: {', '.join(weights)}.{_intervals(rows)}")
    return lines


def _cells(row: Row) -> dict[str, str]:
    measured = row["status"] in list(MEASURED) and row["latency_median_s"] is not None
    return {
        "setup": row["case"],
        "latency": units.seconds(_float(row["latency_median_s"])) if measured else row["status"],
        "speed-up": _speedup(row),
        "95 % interval": units.span(_float(row["latency_low_s"]), _float(row["latency_high_s"])),
        "n": str(row["samples"]) if measured else "",
        "s/image": units.seconds(_float(row["seconds_per_image"])) if measured and (row["images"] or 0) > 1 else "",
        "steps": _text(row["steps"]),
        "denoiser calls": _text(row["denoiser_calls"]),
        "first call": units.seconds(_float(row["first_call_s"])),
        "repaid after": f"{row['break_even_images']:.0f} images" if row["break_even_images"] else "",
        "peak memory": units.memory(peak_bytes(row)),
        "similarity": _fidelity(row),
        "CLIP score": f"{row['clip_score']:.1f}" if row["clip_score"] is not None else "",
        "of the limit": f"{row['roofline_fraction']:.0%}" if row["roofline_fraction"] is not None else "",
        "documented": _documented(row),
        "verdict": _text(row["claim_verdict"]) if row["size"] == "full" else "",
        "notes": _COMMENTS.join(filter(None, [_text(row["reason"]), _text(row["remarks"])])),
    }


def _intervals(rows: pd.DataFrame) -> str:
    """Say what the intervals are of, for they say nothing beyond it."""
    kinds = sorted(set(rows["interval"].dropna()))
    paired = " Speed-ups have theirs from paired rounds." if rows["speedup_low"].notna().any() else ""
    return f" Intervals: 95 %, {' and '.join(kinds)}.{paired}" if kinds else ""


def _speedup(row: Row) -> str:
    interval = units.bounds(_float(row["speedup_low"]), _float(row["speedup_high"]))
    return f"{units.ratio(_float(row['speedup']))}{interval}"


def _number(row: Mapping[Any, Any], name: str) -> float | None:
    """Return the number that a cell was printed from; None where it has words, as the latency of a failed case."""
    if name == "peak memory":
        return peak_bytes(row)
    measured = row["status"] in list(MEASURED)
    return _float(row[PRINTED_FROM[name]]) if name in PRINTED_FROM and (measured or name != "latency") else None


def _fidelity(row: Row) -> str:
    """Return the PSNR where the same image is expected; nothing for an image that is another one by design."""
    decibels = _float(row["psnr_db"])
    if decibels is None or another_image(row):
        return ""
    return units.decibels(decibels)


def _documented(row: Row) -> str:
    """Return the documented figures: of one call or image, as a speed-up, as parameters saved, or as an outcome."""
    about = "about " if row["claim_approximate"] else ""
    latency, image, calls = (_float(row[f"claim_{name}"]) for name in ("latency_s", "seconds_per_image", "over_calls"))
    saved = _float(row["claim_parameter_reduction"])
    total = f" ({units.seconds(latency * calls)} over {calls:.0f} calls)" if latency and calls and calls > 1 else ""
    figures = [
        f"{units.seconds(latency)}{total}" if latency else f"{units.seconds(image)}/image" if image else "",
        units.ratio(_float(row["claim_speedup"])) if row["baseline"] != row["case"] else "",
        f"{saved:.0%} fewer parameters" if saved is not None else "",
        _text(row["claim_status"]),
    ]
    text = ", ".join(filter(None, figures))
    return f"{about}{text}" if text else ""


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _text(value: Any) -> str:
    return "" if value is None else str(value)
