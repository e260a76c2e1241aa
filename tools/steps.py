"""The steps of `make gpu`, which tools/qualify.py runs. Each continues what an earlier try left in its folder."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from math import exp, log
from pathlib import Path
from statistics import stdev
from xml.etree import ElementTree as ET

import pack
from step import LOG, ROOT, Options, Outcome, Result, Step, logged

from bench.analyze.results import results
from bench.analyze.run import Run, open_run
from bench.cli.exit import VERDICTS
from bench.files import replace as write
from bench.plan.stored import read_plan
from bench.records import store
from bench.records.outcomes import FAULTS, Status
from bench.units import listed

SPREAD_SAMPLES = 6
OVERHEAD = 0.005
"""What the harness may add to a call, as a share; tools/overhead.py says why."""


def install(options: Options, folder: Path) -> Outcome:
    """Ask `doctor`, which allocates on the device and knows what would prevent a run."""
    command = [sys.executable, "-m", "bench", "doctor", *options.measuring, "--json"]
    asked = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    write(folder / LOG, asked.stdout + asked.stderr)
    if not asked.stdout:
        return Outcome(Result.FAILED, f"bench doctor exited with {asked.returncode}; see {LOG}")
    found = json.loads(asked.stdout)
    facts = found["facts"]
    write(folder / "machine.json", json.dumps({"facts": facts, "cards": found["cards"]}, indent=1))
    if not found["ready"]:
        return Outcome(Result.FAILED, " ".join(each["message"] for each in found["problems"] if each["prevents"]))
    return Outcome(Result.PASSED, f"{facts['device_name']}, torch {facts['torch']}, diffusers {facts['diffusers']}")


def gpu_tests(options: Options, folder: Path) -> Outcome:
    """Run the tests that need a card. Without one all are skipped, which is a failure unless none was asked for."""
    report = folder / "tests.xml"
    report.unlink(missing_ok=True)
    code = logged(["-m", "pytest", "-m", "gpu", "-rs", "-p", "no:cacheprovider", f"--junitxml={report}"], folder)
    if not report.is_file():
        return Outcome(Result.FAILED, f"pytest exited with {code}; see {LOG}")
    suite = next(ET.parse(report).getroot().iter("testsuite"))  # noqa: S314 - pytest has just written it
    count = {name: int(suite.get(name, 0)) for name in ("tests", "skipped", "failures", "errors")}
    note = ", ".join(f"{number} {name}" for name, number in count.items())
    none_ran = count["tests"] == count["skipped"] and options.device != "cpu"
    return Outcome(Result.FAILED if code or none_ran else Result.PASSED, note)


def tables(options: Options, folder: Path) -> Outcome:
    """Measure the documented tables, or continue to."""
    budget = ["--budget", options.budget] if options.budget else []
    code = measure(folder, [*options.measuring, "--processes", str(options.scale.processes)], budget)
    return measured(folder, code)


def measure(folder: Path, what: Sequence[str], always: Sequence[str] = ()) -> int:
    """Begin the run in a step's folder, or continue it as it was begun; return the exit code."""
    run = folder / "run"
    begun = (run / store.PLAN).is_file()
    arguments = ["--resume"] if begun else what
    return logged(["-m", "bench", "run", *arguments, *always, "--output", str(run)], folder)


def measured(folder: Path, code: int) -> Outcome:
    """Return how complete the run in a step's folder is, and which of its cases failed."""
    if not (folder / "run" / store.PROCESSES).is_file():
        return Outcome(Result.FAILED, f"bench run exited with {code}; see {LOG}")
    run = open_run(folder / "run")
    if missing := unmeasured(run):
        return Outcome(Result.INCOMPLETE, f"{len(missing)} of {len(run.cases)} cases are left; run this again")
    faults = [each.key for each in results(run, pictures=False) if each.status in FAULTS]
    if faults:
        return Outcome(Result.FAILED, f"{len(faults)} of {len(run.cases)} cases failed: {listed(faults)}")
    return Outcome(Result.FAILED if code else Result.PASSED, f"{len(run.cases)} cases, {len(run.processes)} processes")


def unmeasured(run: Run) -> list[str]:
    """Return the cases that lack a process, unless one that failed has ended their turn."""
    _, settings = read_plan(run.folder / store.PLAN)
    ended = [each for each in run.processes if each.status is not Status.INTERRUPTED]
    counts = Counter(each.key for each in ended)
    given_up = {each.key for each in ended if not each.status.measured}
    return [key for key in run.cases if counts[key] < settings.processes and key not in given_up]


def gate(options: Options, folder: Path) -> Outcome:
    """Compare this environment with itself, many times: whatever regresses is a false alarm."""
    counts: Counter[str] = Counter()
    for number in range(options.scale.gates):
        counts[gate_once(options, folder / f"{number + 1:02}")] += 1
    write(folder / "verdicts.json", json.dumps(counts, indent=1))
    note = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
    wrong = set(counts) - {"passed", "inconclusive"}
    return Outcome(Result.FAILED if wrong else Result.PASSED, note)


def gate_once(options: Options, folder: Path) -> str:
    """Return the verdict of one gate, from its file if it has ended before; a gate cannot be continued."""
    verdict = folder / "verdict.txt"
    if verdict.is_file():
        return verdict.read_text(encoding="utf-8")
    pack.clear(folder)
    sides = ["--base-python", sys.executable, "--head-python", sys.executable]
    # Unlike `run`, `gate` wants its scenarios named, as the trial is.
    named = [] if options.trial else sorted({key.partition("/")[0] for key in options.scale.gated})
    what = [*named, *options.measuring, *only(options.scale.gated), *sides]
    outputs = ["--output", str(folder / "runs"), "--markdown", str(folder / "gate.md")]
    code = logged(["-m", "bench", "gate", *what, *outputs], folder)
    found = {code: verdict for verdict, code in VERDICTS.items()}.get(code)
    if found is None:
        raise RuntimeError(f"bench gate exited with {code}; see {folder / LOG}")
    write(verdict, found)
    return found


def spread(options: Options, folder: Path) -> Outcome:
    """Measure how far the processes of one case lie apart."""
    counts = ["--processes", str(options.scale.spread_processes), "--samples", str(SPREAD_SAMPLES)]
    code = measure(folder, [*options.measuring, *only(options.scale.spread), *counts])
    outcome = measured(folder, code)
    if outcome.result is not Result.PASSED:
        return outcome
    found = spreads(open_run(folder / "run"))
    write(folder / "spread.json", json.dumps(found, indent=1))
    return Outcome(Result.PASSED, ", ".join(f"{key} {share:.2%}" for key, share in found.items()))


def spreads(run: Run) -> dict[str, float]:
    """Return the standard deviation of each case's medians between processes, as a share."""
    medians = {each.key: (each.statistics.process_medians_s or {}).values() for each in results(run, pictures=False)}
    return {key: exp(stdev(map(log, values))) - 1 for key, values in medians.items() if len(values) > 1}


def overhead(options: Options, folder: Path) -> Outcome:
    """Compare the timed region with a bare loop; the interval must reach what is allowed."""
    figures = folder / "overhead.json"
    blocks = ["--blocks", "12"] if options.size == "tiny" else []
    code = logged([str(ROOT / "tools" / "overhead.py"), "--device", options.device, "--json", str(figures), *blocks],
                  folder)  # fmt: skip
    if code:
        return Outcome(Result.FAILED, f"tools/overhead.py exited with {code}; see {LOG}")
    found = json.loads(figures.read_text(encoding="utf-8"))
    low, high = found["low"] or found["ratio"], found["high"] or found["ratio"]
    far = low > 1 + OVERHEAD or high < 1 - OVERHEAD
    result = Result.FAILED if far and options.size == "full" else Result.PASSED
    return Outcome(result, f"harness / bare loop {found['ratio']:.4f} [{low:.4f}, {high:.4f}]")


def packed(options: Options, _folder: Path) -> Outcome:
    """Pack what the other steps left, and have the tables published into a folder that is thrown away."""
    found = pack.pack(options.output, options.output / pack.PACKAGE)
    reasons = pack.problems(found)
    note = "; ".join([f"{found.size_bytes / 1e6:.1f} MB in {found.folder.name}/", *reasons])
    # Nobody publishes tiny models; what else their package can show is that it is small enough.
    failed = found.too_large if options.size == "tiny" else bool(reasons)
    return Outcome(Result.FAILED if failed else Result.PASSED, note)


def only(keys: Sequence[str]) -> list[str]:
    return [part for key in keys for part in ("--only", key)]


STEPS = (
    Step("install", "does the harness find the device?", install),
    Step("tests", "do the tests that need a GPU pass?", gpu_tests),
    Step("overhead", "does timing cost anything?", overhead),
    Step("spread", "how far apart are processes of one case?", spread),
    Step("gate", "does an environment pass against itself?", gate),
    Step("tables", "are the documented figures right?", tables),
    Step("pack", "what is worth keeping?", packed, always=True),
)
"""The short ones first, so that little is lost where a machine turns out to be unusable."""
