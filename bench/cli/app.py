"""The command line: `python -m bench`, or `diffusion-bench`. Commands import late, so that --help answers at once."""

import sys
from typing import NoReturn

import typer

from bench.cli import compare, gate, inspect, recommend, report, run, tune
from bench.errors import InputError

app = typer.Typer(
    name="diffusion-bench",
    help="Measure the documented latency tables of diffusers on this machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run")(run.run)
app.command("list")(inspect.list_cases)
app.command("optimizations")(inspect.optimizations)
app.command("schema")(inspect.schema)
app.command("columns")(inspect.columns)
app.command("tables")(report.tables)
app.command("plots")(report.plots)
app.command("compare")(compare.compare)
app.command("gate")(gate.gate)
app.command("baseline")(compare.baseline)
app.command("trend")(compare.trend)
app.command("recommend")(recommend.recommend)
app.command("tune")(tune.tune)
app.command("report")(report.report)

USAGE_ERROR = 2


def main() -> None:
    """Run the command line; what a person can mend, a file that cannot be read or written too, exits with 2."""
    try:
        app()
    except InputError as error:
        _refuse(str(error))
    except OSError as error:
        if error.filename is None:  # no file: a fault of ours, or of the machine
            raise
        _refuse(f"{error.filename}: {error.strerror}; give another place, or make room")


def _refuse(reason: str) -> NoReturn:
    print(reason, file=sys.stderr)  # noqa: T201 - the one place that talks without rich
    sys.exit(USAGE_ERROR)


if __name__ == "__main__":
    main()
