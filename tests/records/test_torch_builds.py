"""Which wheel of torch fits a processor, a driver and a card."""

import pytest

from bench.records.cards import Card, Cards
from bench.records.torch_builds import Host, Obstacle, remedy, wrong_build

PC, ARM = "x86_64", "aarch64"


@pytest.mark.parametrize(
    ("host", "wanted", "fitting"),
    [
        (Host(PC), "2.13.0+cpu", "2.13.0"),
        (Host(PC, "580.65.06", (9, 0)), "2.13.0+cpu", "2.13.0"),
        (Host(PC, "610.10", (7, 5)), "2.9.1+cpu", "2.9.1"),
        (Host(PC, "579.99"), "2.13.0", "2.10.0"),
        (Host(PC, "525.60.13"), "2.13.0+cu130", "2.10.0"),
        (Host(PC, "550.54.15"), "2.9.1", "2.9.1"),
        (Host(PC, "580.65.06", (7, 0)), "2.13.0", "2.10.0"),
        (Host(PC, "580.65.06", (6, 1)), "2.13.0", None),
        (Host(PC, "470.256.02"), "2.13.0", None),
        (Host(ARM, "580.65.06"), "2.10.0+cpu", "2.11.0"),
        (Host(ARM, "580.65.06"), "2.13.0", "2.13.0"),
        (Host(ARM, "550.54.15"), "2.13.0", None),
        (Host(PC), "2.13.0'; rm -r x #", "2.13.0"),
        (Host(PC), "unknown", "2.10.0"),
    ],
)
def test_the_fitting_version_is_the_nearest_that_uses_the_card(host, wanted, fitting):
    assert host.fitting(wanted) == fitting


@pytest.mark.parametrize(
    ("host", "cuda", "obstacle"),
    [
        (Host(PC, "550.54.15"), "13.0", Obstacle.DRIVER),
        (Host(PC, "550.54.15"), "12.8", None),
        (Host(PC, "470.256.02"), "12.8", Obstacle.DRIVER),
        (Host(PC, "550.54.15", (7, 0)), "13.0", Obstacle.CARD),
        (Host(PC, None, (8, 0)), "13.0", None),
    ],
)
def test_an_obstacle_is_the_card_before_its_driver(host, cuda, obstacle):
    assert host.obstacle(cuda) is obstacle


@pytest.mark.parametrize(
    ("host", "words"),
    [
        (Host(PC, "550.54.15"), "`python -m pip install 'torch===2.10.0' torchvision`"),
        (Host(PC, "470.256.02"), "update the driver to 580 or later"),
        (Host(ARM, "550.54.15"), "update the driver to 580 or later"),
        (Host(PC, "580.65.06", (6, 1)), "no build of torch 2.9 or later on PyPI supports this card"),
    ],
)
def test_the_remedy_is_a_command_that_works_or_a_new_driver(host, words):
    assert words in remedy(host, "2.13.0", "python", ["torchvision"])


def test_an_interpreter_with_a_space_is_quoted():
    assert "`'/my env/python' -m pip install" in remedy(Host(PC), "2.13.0", "/my env/python")


CARDS = Cards([Card(0, "GPU-0", "GPU-0", "NVIDIA A100", compute_capability="8.0")], "550.54.15", "12.4")
FACTS = {"device": "cpu", "torch": "2.13.0+cpu", "torch_build": "cpu", "torchvision": "0.28.0+cpu"}


def wrong(facts=FACTS, cards=CARDS, **variables):
    return wrong_build(facts, cards, variables, PC)


def test_a_build_that_uses_no_card_is_wrong_for_its_host():
    assert wrong().host == Host(PC, "550.54.15", (8, 0))


def test_what_is_replaced_with_torch_is_what_is_installed():
    assert wrong().siblings == ["torchvision"]


@pytest.mark.parametrize(
    ("facts", "cards", "variables"),
    [
        ({**FACTS, "device": "cuda"}, CARDS, {}),
        (FACTS, Cards(), {}),
        (FACTS, CARDS, {"CUDA_VISIBLE_DEVICES": ""}),
        (FACTS, CARDS, {"CUDA_VISIBLE_DEVICES": "-1"}),
    ],
    ids=["used", "no card", "hidden", "excluded"],
)
def test_a_build_is_not_wrong_where_no_card_is_left_unused(facts, cards, variables):
    assert wrong(facts, cards, **variables) is None
