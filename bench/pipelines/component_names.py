"""What the components of a measured pipeline are called, for code that is written without loading it.

It is read from the pipeline's folder, from the published facts, or from the installed diffusers. Imports no torch.
"""

from typing import Any

from bench.pipelines import architectures, diffusers_api, roles
from bench.pipelines.diffusers_api import index_of
from bench.pipelines.roles import Role
from bench.plan.case import Case
from bench.text import is_identifier

_USUAL = {Role.DENOISER: ("transformer", "unet"), Role.AUTOENCODER: ("vae",)}
"""The names of what the pipeline's folder does not tell, as it is on the hub."""


def pipeline_class(case: Case) -> str | None:
    """Return the class of a case's pipeline; None if only loading it will tell."""
    return case.pipeline or diffusers_api.pipeline_class(case.model)


def names_of(measured: Any, role: Role) -> list[str]:
    """Return the names of a pipeline's components of a role: by its folder, its facts, or else a usual name."""
    saved = index_of(str(measured.weights_from)).items()
    classes = [{name: tuple(map(str, value)) for name, value in saved if isinstance(value, list)}]
    facts = [model.components for model in architectures.models().values() if model.pipeline == measured.pipeline]
    classes += [{name: _library_and_class(of) for name, of in components.items()} for components in facts]
    found = [[name for name in roles.named(known, role) if is_identifier(name)] for known in classes]
    taken = diffusers_api.components(str(measured.pipeline)) or ()
    usual = _USUAL[role]
    return next(filter(None, found), [next((name for name in usual if name in taken), usual[-1])])


def _library_and_class(component: str) -> tuple[str, ...]:
    return tuple(architectures.component(component).cls.rsplit(".", 1))


def has_checker(name: str, pipeline: str | None) -> bool:
    """Return whether a pipeline takes a safety checker: by its folder, its facts, or the installed diffusers."""
    known = [model.absent for model in architectures.models().values() if model.pipeline == pipeline]
    absent = {role for roles in known for role in roles}
    return "safety_checker" in (index_of(name) or absent or diffusers_api.components(str(pipeline)) or ())
