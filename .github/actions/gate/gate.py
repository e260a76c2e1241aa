"""The gate as a step of a job. Inputs arrive as environment variables, so their content never becomes code.

The harness is the one that this action belongs to. A job's current directory is often the checkout under test, and
nothing is imported from there.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

VERDICTS = {0: "passed", 1: "regressed", 3: "inconclusive", 4: "not comparable"}
INCONCLUSIVE = 3
HARNESS = Path(__file__).resolve().parents[3]


def main() -> int:
    """Run the gate, set the verdict of the job, and return the exit code of the step."""
    output = Path(os.environ["OUTPUT"])
    output.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(HARNESS)}
    code = subprocess.run(command(output), env=environment, check=False).returncode
    runs = [str(path.parent) for path in sorted(output.glob("runs/*/results.csv"))]
    if runs:  # the verdict stands, whatever becomes of the report
        report = [*bench(), "report", *runs, "--output", str(output / "report.html")]
        subprocess.run(report, env=environment, check=False)
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as file:
        file.write(f"verdict={VERDICTS.get(code, 'no verdict')}\n")
    if code == INCONCLUSIVE and os.environ["INCONCLUSIVE"] == "pass":
        print("::warning::the gate is inconclusive: this machine is too noisy for a verdict")
        return 0
    return code


def bench() -> list[str]:
    """Return what runs the harness without the current directory in its import path."""
    return [os.environ["PYTHON"], "-P", "-m", "bench"]


def command(output: Path) -> list[str]:
    """Return the command line of the gate; lists are split as in a shell, and nothing in them is expanded."""
    return [
        *bench(), "gate", *shlex.split(os.environ["SCENARIOS"]),
        "--base-python", os.environ["BASE_PYTHON"], "--head-python", os.environ["HEAD_PYTHON"],
        "--threshold", os.environ["THRESHOLD"], "--output", str(output / "runs"),
        "--junit", str(output / "gate.xml"), "--markdown", str(output / "gate.md"),
        *shlex.split(os.environ["ARGUMENTS"]),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
