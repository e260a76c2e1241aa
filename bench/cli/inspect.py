"""`list`, `optimizations`, `schema`: look without measuring."""

import json
from typing import Annotated

import typer

from bench.cli.options import Only

Scenarios = Annotated[
    list[str] | None, typer.Argument(help="Scenario files, folders or names; all of scenarios/ if none.")
]


def list_cases(
    scenarios: Scenarios = None,
    only: Only = None,
) -> None:
    """Print the cases of scenarios, expanded."""
    from bench.execute.questions import compatible_schedulers
    from bench.session.plan import choose_cases, load_plan

    plan, _ = choose_cases(load_plan(scenarios or [], compatible_schedulers), only or [])
    for case in plan.cases:
        settings = [case.model, case.dtype, case.scheduler or "", f"vae={case.vae}" if case.vae else ""]
        typer.echo("  ".join([str(case), *filter(None, settings), "+".join(case.optimizations)]).rstrip())


def optimizations() -> None:
    """Print the optimizations: what each does, where it is documented, what it conflicts with, how it is verified."""
    from bench.pipelines.optimizations import TABLE, conflicts_of

    for name, optimization in TABLE.items():
        typer.echo(f"{name}: {optimization.doc}")
        typer.echo(f"    applied   {optimization.when.value}")
        typer.echo(f"    source    {optimization.source}")
        typer.echo(f"    verified  {optimization.checked_by}: '{optimization.expected}'")
        if conflicts := sorted(conflicts_of(name)):
            typer.echo(f"    conflicts {', '.join(conflicts)}")


def schema() -> None:
    """Print the JSON Schema of scenario files, for completion in an editor."""
    from bench.plan.scenario import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


def columns() -> None:
    """Print what every column of the result files says, as Markdown."""
    from bench.records import schema as records

    files = {"results.csv": records.RESULTS, "processes.csv": records.PROCESSES, "samples.csv": records.SAMPLES}
    typer.echo(f"# The columns of a run's files (schema {records.VERSION})\n")
    typer.echo("Units are in the names. An unknown value is an empty cell. Printed by `python -m bench columns`.")
    for name, described in files.items():
        typer.echo(f"\n## {name}\n\n| column | type | what it says |\n| --- | --- | --- |")
        for column in described:
            typer.echo(f"| {column.name} | {column.type} | {column.doc} |")
