"""Options that several commands take and mean the same by."""

from typing import Annotated

import typer

from bench.session.settings import DeviceChoice, SizeChoice

Device = Annotated[DeviceChoice, typer.Option(help="auto takes the accelerator where there is one.")]
Size = Annotated[SizeChoice, typer.Option(help="auto measures toy twins where there is no accelerator.")]
Weights = Annotated[str, typer.Option(help="auto, hub, random, or a folder of saved pipelines.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads of the CPU; one if not given.")]
Only = Annotated[list[str] | None, typer.Option(help="Keep cases whose scenario/case matches this pattern.")]
