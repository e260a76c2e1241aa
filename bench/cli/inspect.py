"""`list`, `optimizations`, `schema`, `columns`: look without measuring."""

import json

import typer

from bench.cli.options import Only, Scenarios
from bench.text import printed_line


def list_cases(scenarios: Scenarios = None, only: Only = None) -> None:
    """Print the cases that scenarios expand to.

    Each line shows a case with the model, dtype, scheduler, autoencoder and optimizations that it names.
    """
    from bench.execute.client import compatible_schedulers
    from bench.session.plan import plan_for
    from bench.session.progress import Notices
    from bench.session.request import RunRequest

    request = RunRequest(scenarios=scenarios or (), only=only or ())
    for case in plan_for(request, compatible_schedulers, Notices()).cases:
        settings = [case.model, case.dtype, case.scheduler or "", f"vae={case.vae}" if case.vae else ""]
        settings += [f"{role}={name}" for role, name in case.components.items()]
        typer.echo(printed_line("  ".join([str(case), *filter(None, settings), "+".join(case.optimizations)]).rstrip()))


def optimizations() -> None:
    """Print every optimization and how it is verified."""
    from bench.pipelines.optimizations import TABLE, conflicts_of

    for name, optimization in TABLE.items():
        typer.echo(f"{name}: {optimization.doc}")
        typer.echo(f"    applied   {optimization.when.value}")
        typer.echo(f"    source    {optimization.source}")
        typer.echo(f"    verified  {optimization.checked_by}: '{optimization.expected}'")
        if conflicts := sorted(conflicts_of(name)):
            typer.echo(f"    conflicts {', '.join(conflicts)}")


def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from bench.plan.scenario import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


def columns() -> None:
    """Print what each column of the result files means."""
    from bench.present.reference import column_reference
    from bench.records.models import VERSION

    typer.echo(f"# The columns of a run's files (schema {VERSION})\n")
    typer.echo("Units are in the names. An unknown value is an empty cell.\n")
    typer.echo(column_reference())
