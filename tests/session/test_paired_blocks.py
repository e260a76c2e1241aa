"""The order of a duel, without a server: a fake runner notes what it is asked for."""

from dataclasses import dataclass, field

import pytest

from bench.execute.runner import Outcome
from bench.plan.case import Case
from bench.session.paired_blocks import GateSide, StoppedError, run_paired_blocks


@dataclass
class Sides:
    """Two contenders that write into one list, and how their cases end."""

    statuses: dict = field(default_factory=dict)
    order: list = field(default_factory=list)
    rows: list = field(default_factory=list)

    def contenders(self):
        return [GateSide(name, Runner(name, self), Store(name, self)) for name in ("base", "head")]


@dataclass
class Runner:
    name: str
    sides: Sides

    def run(self, jobs, _listener):
        for job in jobs:
            told = (self.name, job.case.name, job.process)
            self.sides.order.append(told)
            yield Outcome({"status": self.sides.statuses.get(told, "ok")})


@dataclass
class Store:
    name: str
    sides: Sides

    def append(self, process, _samples):
        self.sides.rows.append((self.name, process["status"]))


class Silent:
    label = ""


def cases(names):
    return [Case("s", name, "model") for name in names]


def fought(names, numbers, **statuses):
    sides = Sides(**statuses)
    run_paired_blocks(sides.contenders(), cases(names), numbers, Silent())
    return sides


def test_the_order_of_the_sides_turns_from_block_to_block():
    assert [side for side, *_ in fought("a", range(4)).order] == [
        "base", "head", "head", "base", "base", "head", "head", "base",
    ]  # fmt: skip


def test_cases_run_forwards_and_backwards_in_turn():
    assert [(case, block) for _, case, block in fought("ab", range(2)).order[::2]] == [
        ("a", 0), ("b", 0), ("b", 1), ("a", 1),
    ]  # fmt: skip


def test_further_blocks_go_on_with_the_turns():
    assert [side for side, *_ in fought("a", range(6, 8)).order] == ["base", "head", "head", "base"]


@pytest.mark.parametrize("side", ["base", "head"])
def test_a_case_that_one_side_cannot_measure_is_given_up_on_both(side):
    sides = fought("ab", range(2), statuses={(side, "a", 0): "oom"})
    assert [told for told in sides.order if told[1] == "a"] == [("base", "a", 0), ("head", "a", 0)]
    assert len([told for told in sides.order if told[1] == "b"]) == 4


def test_an_unstable_case_is_measured_on():
    assert len(fought("a", range(2), statuses={("base", "a", 0): "unstable"}).order) == 4


def test_an_interruption_ends_the_duel_after_its_row():
    sides = Sides({("head", "a", 0): "interrupted"})
    with pytest.raises(StoppedError):
        run_paired_blocks(sides.contenders(), cases("ab"), range(2), Silent())
    assert sides.rows == [("base", "ok"), ("head", "interrupted")]
