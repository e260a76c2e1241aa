"""The types of the Python API, as a caller sees them. mypy checks this file; nothing runs it."""

from pathlib import Path
from typing import assert_type

import pandas as pd

import bench
from bench.analyze.comparison import Compared
from bench.analyze.gate import GateResult, GateVerdict
from bench.plan.case import Plan

plan = assert_type(bench.load_plan("sd15-precision", Path("mine.yaml"), only=["*/fp16"]), Plan)
assert_type(bench.load_plan("sd15-precision", only="*/fp16"), Plan)
assert_type(bench.run(plan, device="cpu", processes=4, output="results/mine"), Path)
assert_type(bench.run("sd15-precision"), Path)
assert_type(bench.run(["sd15-precision", "sdxl-basics"], progress=True), Path)
assert_type(bench.load_results("results/mine"), pd.DataFrame)
assert_type(bench.compare("results/monday", Path("results/friday")), Compared)
assert_type(bench.gate("results/monday", "results/friday", threshold=0.05), GateResult)
assert_type(bench.gate("results/monday", "results/friday").verdict, GateVerdict)
bench.run(plan, devices="cpu")  # type: ignore[call-arg]
bench.run(3)  # type: ignore[arg-type]
