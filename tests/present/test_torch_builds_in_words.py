"""What is said about a torch that does not use the GPU: which card, why, and what to do."""

import pytest

from bench.present.torch_builds import unused_gpu
from bench.records.cards import Card
from bench.records.torch_builds import Host, WrongBuild

CARD = Card(0, "GPU-0", "GPU-0", "NVIDIA A100")


def said(torch="2.13.0+cpu", build="cpu", cards=(CARD,), driver="550.54.15", capability=(8, 0)):
    found = WrongBuild(torch, build, cards, Host("x86_64", driver, capability), ["torchvision"])
    return unused_gpu(found, "/env/bin/python", "--device cpu")


def test_a_cpu_build_is_said_with_its_card_the_command_and_the_way_to_stay():
    assert said() == (
        "THE GPU IS NOT USED: this machine has NVIDIA A100, but torch 2.13.0+cpu is a CPU build. Everything is "
        "measured on the CPU. To use the GPU, install a build that fits with `/env/bin/python -m pip install "
        "'torch===2.10.0' torchvision`. If you want the CPU, say so with --device cpu."
    )


def test_several_cards_are_counted():
    assert "has NVIDIA A100 and 7 more, but" in said(cards=[CARD] * 8)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"driver": "580.65.06"}, "'torch===2.13.0' torchvision`"),
        ({"driver": "470.256.02"}, "To use the GPU, update the driver to 580 or later."),
        ({"capability": (6, 1)}, "no build of torch 2.9 or later on PyPI supports this card."),
        ({"torch": "2.13.0", "build": "cuda 13.0"}, "built for CUDA 13.0, for which the driver 550.54.15 is too old."),
        ({"torch": "2.13.0", "build": "cuda 13.0", "capability": (7, 0)}, "which does not support this card."),
        ({"torch": "2.10.0", "build": "cuda 12.8"}, "run `/env/bin/python -c 'import torch; torch.zeros("),
        ({"torch": "2.13.0+rocm7.0", "build": "rocm 7.0"}, "built for ROCM 7.0 and cannot use it."),
    ],
)
def test_the_reason_and_the_remedy_depend_on_build_driver_and_card(found, words):
    assert words in said(**found)
