"""What to say about a torch that does not use the machine's GPU."""

import shlex

from bench.records.torch_builds import Obstacle, WrongBuild, remedy

TRY_IT = "-c 'import torch; torch.zeros(1, device=\"cuda\")'"


def unused_gpu(found: WrongBuild, python: str, cpu_option: str) -> str:
    """Return what a run that was about to use a GPU has to say when it can only use the CPU.

    Args:
        found: why.
        python: the interpreter whose torch it is.
        cpu_option: the option that chooses the CPU on purpose.
    """
    return (
        f"{why_unused(found)} Everything is measured on the CPU. To use the GPU, {to_use_it(found, python)}. "
        f"If you want the CPU, say so with {cpu_option}."
    )


def hidden_gpu(hidden_by: str) -> str:
    """Return what a run on the CPU has to say when a variable, given as NAME=VALUE, hides every card."""
    return f"{hidden_by} hides every card, so everything is measured on the CPU."


def why_unused(found: WrongBuild) -> str:
    """Return which GPU is not used, loudly, and why."""
    return f"THE GPU IS NOT USED: this machine has {_cards(found)}, but torch {found.torch} {_why(found)}."


def to_use_it(found: WrongBuild, python: str) -> str:
    """Return what to do so that an interpreter uses the GPU, as the second half of a sentence."""
    if found.build.startswith("cuda") and found.obstacle is None:
        return f"run `{shlex.quote(python)} {TRY_IT}`, which says why not"
    return remedy(found.host, found.torch, python, found.siblings)


def _cards(found: WrongBuild) -> str:
    more = f" and {len(found.cards) - 1} more" if len(found.cards) > 1 else ""
    return f"{found.cards[0].name}{more}"


def _why(found: WrongBuild) -> str:
    if found.build == "cpu":
        return "is a CPU build"
    if found.obstacle is Obstacle.DRIVER:
        return f"is built for {found.build.upper()}, for which the driver {found.host.driver} is too old"
    if found.obstacle is Obstacle.CARD:
        return f"is built for {found.build.upper()}, which does not support this card"
    return f"is built for {found.build.upper()} and cannot use it"
