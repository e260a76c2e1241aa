"""The command line: `python -m bench`, or `diffusion-bench`. Commands import late, so that --help is instant."""

import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from bench.cli import compare, doctor, gate, inspect, output, recommend, report, run
from bench.cli.exit import SOFTWARE_ERROR, USAGE_ERROR
from bench.errors import InputError
from bench.text import printed_lines
from bench.version import __version__

app = typer.Typer(
    name="diffusion-bench",
    help="Measure the documented latency tables of diffusers on this machine.",
    epilog="Example: python -m bench run sd15-precision --processes 4",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
COMMANDS: dict[str, tuple[Callable[..., None], str]] = {
    "run": (run.run, "run sd15-precision --processes 4"),
    "doctor": (doctor.doctor, "doctor sd15-precision"),
    "list": (inspect.list_cases, "list sd15-precision"),
    "optimizations": (inspect.optimizations, "optimizations"),
    "schema": (inspect.schema, "schema > scenario.schema.json"),
    "columns": (inspect.columns, "columns"),
    "tables": (report.tables, "tables results/my-run"),
    "plots": (report.plots, "plots results/my-run --output plots"),
    "report": (report.report, "report results/my-run --output report.html"),
    "compare": (compare.compare, "compare results/monday results/friday"),
    "gate": (gate.gate, "gate sd15-precision --base-python old/bin/python --head-python new/bin/python"),
    "save-baseline": (compare.save_baseline, "save-baseline results/monday"),
    "trend": (compare.trend, "trend results/*-cuda-full"),
    "recommend": (recommend.recommend, "recommend results/my-run --max-memory 8GiB"),
    "tune": (recommend.tune, "tune stable-diffusion-v1-5 --budget 30m --code best.py"),
}
"""Name -> the function, and an example for its help."""
for _name, (_command, _example) in COMMANDS.items():
    app.command(_name, epilog=f"Example: python -m bench {_example}")(_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"diffusion-bench {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take the options that belong to no command."""


def main() -> None:
    """Run the command line.

    What a person can correct, including a file that cannot be used, exits with 2; a fault of this program exits with 70
    and a traceback, so that nobody takes it for a verdict.
    """
    sys.stdout = output.name_errors(sys.stdout)
    try:
        app()
        sys.stdout.flush()
    except InputError as error:
        _refuse(str(error))
    except Exception as error:  # noqa: BLE001 - the last one there is
        if isinstance(error, OSError) and error.filename is not None:  # else a fault of ours, or of the machine
            if error.filename == str(output.NAME):
                output.discard()
            _refuse(f"{error.filename}: {error.strerror}; choose another place, or free some space")
        print(printed_lines(traceback.format_exc()), file=sys.stderr)  # noqa: T201 - as `_refuse`
        sys.exit(SOFTWARE_ERROR)


def _refuse(reason: str) -> NoReturn:
    with suppress(OSError):  # a full disk; the exit code says enough
        print(printed_lines(reason), file=sys.stderr, flush=True)  # noqa: T201 - the one message that no command prints
    sys.exit(USAGE_ERROR)


if __name__ == "__main__":
    main()
