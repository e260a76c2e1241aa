"""Tell the plan which names there are: the facts and optimizations of this project, the installed diffusers' own."""

from pathlib import Path

from bench.pipelines import architectures, diffusers_api
from bench.pipelines.optimizations import conflicts_of, names
from bench.plan.vocabulary import Vocabulary


def vocabulary() -> Vocabulary:
    """Return the vocabulary for checking scenarios. Imports no torch."""
    return Vocabulary(
        models={key: model.pipeline for key, model in architectures.models().items()},
        autoencoders=frozenset(architectures.autoencoders()),
        optimizations={name: conflicts_of(name) for name in names()},
        schedulers=diffusers_api.schedulers(),
        load_arguments=diffusers_api.load_arguments,
        pipeline_class=pipeline_class,
        call_arguments=diffusers_api.call_arguments,
    )


def pipeline_class(model: str) -> str | None:
    """Return the pipeline class of a known model or a local folder; None for a hub id without published facts."""
    known = architectures.find_model(model)
    return known.pipeline if known else diffusers_api.pipeline_of_folder(Path(model).expanduser())
