#!/usr/bin/env python3
"""Run once, on a machine with a GPU, everything that only a GPU can show: `make gpu`.

Each step has a folder of its own below the output folder, so a step that fails costs none of the others. Run it again
after whatever stopped it: steps that passed are skipped, and a measurement that was interrupted continues. The last
step packs what is worth keeping into one folder of a few MB, whose tables `tools/publish.py` accepts.

    python tools/qualify.py                               # all steps on a GPU, several hours
    python tools/qualify.py --budget 2h                   # limits the tables; run again for the rest
    python tools/qualify.py --only gate --only pack       # some of them
    python tools/qualify.py --device cpu --size tiny      # the same steps with a tiny scenario, in minutes

The exit code is 0 if every step passed, 1 if one did not, and 130 after Ctrl-C.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from step import TRIAL, Options, Outcome, Result, Step  # noqa: E402 - beside this file
from steps import STEPS  # noqa: E402

from bench.cli.exit import INTERRUPTED  # noqa: E402 - from this checkout, installed or not
from bench.files import replace as write  # noqa: E402
from bench.present import render  # noqa: E402
from bench.units import duration  # noqa: E402

SUMMARY, STATE = "summary", "step.json"


@dataclass(frozen=True)
class Done:
    """A step that was run: what `step.json` and the summary say about it."""

    step: str
    what: str
    result: Result
    note: str
    duration_s: float  # of all tries
    folder: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the steps, write the summary, and return the exit code."""
    options, chosen = parse(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    if options.size == "tiny":
        write(options.output / "trial.yaml", TRIAL)
    stopped = False
    try:
        for step in chosen:
            run_step(step, options)
            summarize(options.output)
    except KeyboardInterrupt:
        stopped = True
    done = summarize(options.output)
    print(f"\n{options.output / SUMMARY}.md:\n\n{markdown(done)}")
    if stopped:
        return INTERRUPTED
    wanted = {step.name for step in chosen}
    return int(any(each.result is not Result.PASSED for each in done if each.step in wanted))


def parse(arguments: Sequence[str] | None) -> tuple[Options, list[Step]]:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    names = [step.name for step in STEPS]
    parser.add_argument("--only", action="append", choices=names, help="a step; may be repeated; by default, all")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "qualification")
    parser.add_argument("--device", default="cuda", help="by default, cuda")
    parser.add_argument("--size", default="full", choices=("full", "tiny"), help="tiny tries the steps out")
    parser.add_argument("--budget", help="how long the tables may take, such as 2h; by default, no limit")
    found = parser.parse_args(arguments)
    options = Options(found.output.resolve(), found.device, found.size, found.budget)
    return options, [step for step in STEPS if found.only is None or step.name in found.only]


def run_step(step: Step, options: Options) -> None:
    """Run a step unless it has passed before, and write down how it ended, whatever it raised."""
    folder = options.output / step.name
    folder.mkdir(exist_ok=True)
    before = state(folder)
    if before is not None and before.result is Result.PASSED and not step.always:
        print(f"{step.name}: passed before, skipped; remove {folder} to repeat it")
        return
    print(f"{step.name}: {step.what} ...", flush=True)
    start, outcome = monotonic(), Outcome(Result.INCOMPLETE, "stopped")
    try:
        outcome = step.run(options, folder)
    except Exception as error:  # noqa: BLE001 - of one step; the others are worth their time all the same
        outcome = Outcome(Result.FAILED, f"{type(error).__name__}: {error}")
    finally:
        taken_s = monotonic() - start + (before.duration_s if before is not None else 0.0)
        done = Done(step.name, step.what, outcome.result, outcome.note, taken_s, folder.name)
        write(folder / STATE, json.dumps(asdict(done), indent=1))
        print(f"{step.name}: {outcome.result} {outcome.note}", flush=True)


def state(folder: Path) -> Done | None:
    """Return how a step ended the last time that it was run."""
    path = folder / STATE
    if not path.is_file():
        return None
    found = Done(**json.loads(path.read_text(encoding="utf-8")))
    return replace(found, result=Result(found.result))


def summarize(output: Path) -> list[Done]:
    """Write the summary for people and for programs, and return its rows."""
    done = [found for step in STEPS if (found := state(output / step.name)) is not None]
    write(output / f"{SUMMARY}.md", markdown(done))
    write(output / f"{SUMMARY}.json", json.dumps([asdict(each) for each in done], indent=1))
    return done


def markdown(done: Iterable[Done]) -> str:
    rows = [
        (each.step, each.result, duration(each.duration_s), render.escaped(each.note), f"`{each.folder}/`")
        for each in done
    ]
    head = ["| step | result | took | note | where |", "| --- | --- | ---: | --- | --- |"]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows), ""])


if __name__ == "__main__":
    sys.exit(main())
