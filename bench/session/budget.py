"""Keep a search within its minutes: start only what fits, and leave time to measure the few best with care.

How long a process takes is told by those before it. Pure: the clock is handed in.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bench.session.search import Config, Score, Space, finalists, helpful, propose, reference, untried

SCREENING_SAMPLES, CAREFUL_SAMPLES = 3, 10
"""Three shrug off one outlier, which is enough to drop what does not help; ten is the least that `run` takes."""
ROUNDS = 4
"""The fewest processes a case that give an interval between them."""
MOST_FINALISTS = 4
MARGIN = 1.2
"""What a further process of a case may take, over what the first one lets expect."""
LARGEST_RESERVE = 0.5
"""Of the whole budget: with too little for both, half of it is for looking and half for measuring."""
LARGEST_TRY = 0.25
"""Of the whole budget: a compiler may take all of it, and then nothing else has been tried."""
SHORTEST_S = 1.0
"""No process builds a pipeline and takes its samples in less: to start one then is to kill it."""
OVERHEAD_S = 10.0
"""To start a server for the careful part, and to end a process that took too long."""
RESERVED_FINALISTS = 1
_CHOICES = tuple((rounds, most) for rounds in (ROUNDS, 2, 1) for most in range(MOST_FINALISTS, 0, -1))


@dataclass(frozen=True)
class Spent:
    """What one screening process took: `wall_s` in all, `latency_s` a call; both in seconds."""

    wall_s: float
    latency_s: float

    def careful_s(self) -> float:
        """Return the seconds to allow for a careful process of the same case."""
        return (self.wall_s + self.latency_s * (CAREFUL_SAMPLES - SCREENING_SAMPLES)) * MARGIN


@dataclass
class Search:
    """A search in time.

    Attributes:
        space: what there is to try.
        total_s: the whole budget in seconds.
        clock: returns seconds, from any beginning.
        begun_s: when the budget began, on that clock.
        scores: of what was tried.
        spent: of what was measured.
        passed_over: what there was no time to try, or to try to its end.
        rounds_done: of the careful part.
    """

    space: Space
    total_s: float
    clock: Callable[[], float]
    begun_s: float
    scores: dict[Config, Score | None] = field(default_factory=dict)
    spent: dict[Config, Spent] = field(default_factory=dict)
    passed_over: list[Config] = field(default_factory=list)
    rounds_done: int = 0

    def left_s(self) -> float:
        """Return the seconds that are left of the budget; never less than nothing."""
        return max(0.0, self.begun_s + self.total_s - self.clock())

    def take(self, config: Config, score: Score | None, spent: Spent | None) -> None:
        """Take in what came of a try; `spent` is None for what was not measured."""
        self.scores[config] = score
        if spent is not None:
            self.spent[config] = spent

    def screening(self) -> Iterator[Config]:
        """Yield what to try, one after the other, and pass over what is expected not to fit beside the careful part."""
        while (config := propose(self.space, {**dict.fromkeys(self.passed_over), **self.scores})) is not None:
            if self.screening_left_s() < self._expected_s(config):
                self.pass_over(config)
            else:
                yield config

    def pass_over(self, config: Config) -> None:
        """Leave a configuration out for lack of time; one that was cut short counts as untried, it told nothing."""
        self.passed_over.append(config)

    def out_of_time(self) -> bool:
        """Say whether nothing was measured because a plain dtype, which all the others build on, had no time to end."""
        return not self.spent and any(config in self.passed_over for config in self.space.plain())

    def uncombined(self) -> list[str]:
        """Return the optimizations that help alone, where there was no time to try any two of them together."""
        if any(_together(config) for config in self.scores) or not any(map(_together, self.passed_over)):
            return []
        return [config.optimizations[0] for config in helpful(self.space, self.scores)]

    def left_out(self) -> list[str]:
        """Return what there was no time for: what is in nothing that was tried, then configurations of the others."""
        names = untried(self.space, self.scores)
        known = [config for config in self.passed_over if not {config.dtype, *config.optimizations}.intersection(names)]
        if self.uncombined():
            known = [config for config in known if not _together(config)]
        return [*names, *(config.name for config in known)]

    def try_limit_s(self) -> float:
        """Return the seconds after which the next try is given up; the first one, the reference, may take its time."""
        return min(self.screening_left_s(), self.total_s * (LARGEST_TRY if self.spent else 1.0))

    def screening_left_s(self) -> float:
        """Return the seconds that screening may still take."""
        return max(0.0, self.left_s() - self._reserve_s())

    def final(self) -> tuple[list[Config], int]:
        """Return what to measure with care, the reference first, and in how many rounds; nothing where nothing fits.

        Fewer finalists come before fewer rounds: an interval of two says more than a guess of four. One alone is
        nothing: there is nothing to hold it against.
        """
        for rounds, most in _CHOICES:
            configs = self._finals(most)
            if len(configs) > 1 and self.round_s(configs) * rounds + OVERHEAD_S <= self.left_s():
                return configs, rounds
        return [], 0

    def ties(self) -> bool:
        """Say whether there are several to hold against each other with care, were there time."""
        return len(self._finals(MOST_FINALISTS)) > 1

    def careful_rounds(self, configs: list[Config], rounds: int) -> Iterator[int]:
        """Yield the numbers of the rounds that fit; the first one always, for `final` has seen that it does."""
        took = 0.0
        for number in range(rounds):
            if number and max(took, self.round_s(configs)) > self.left_s():
                return
            begun = self.clock()
            yield number
            self.rounds_done += 1
            took = self.clock() - begun

    def round_s(self, configs: list[Config]) -> float:
        """Return the seconds to allow for one round of careful processes."""
        return sum(self.spent[config].careful_s() for config in configs)

    def _finals(self, most: int) -> list[Config]:
        kept = reference(self.space, self.scores)
        configs = [*([kept] if kept is not None else []), *finalists(self.space, self.scores, most)]
        return [config for config in configs if config in self.spent]

    def _reserve_s(self) -> float:
        wanted = self.round_s(self._finals(RESERVED_FINALISTS)) * ROUNDS + 2 * OVERHEAD_S
        return min(wanted, self.total_s * LARGEST_RESERVE)

    def _expected_s(self, config: Config) -> float:
        """Return the seconds that a try will take: as the longest of those that it contains, or else the shortest.

        Where nothing was measured yet nobody knows: it may take whatever is left, if that is of any use.
        """
        if not self.spent:
            return SHORTEST_S
        contained = (wall_s for tried, wall_s in self._walls() if tried in config)
        return max(contained, default=min(wall_s for _, wall_s in self._walls()))

    def _walls(self) -> Iterator[tuple[Config, float]]:
        return ((config, spent.wall_s) for config, spent in self.spent.items())


def _together(config: Config) -> bool:
    """Say whether a configuration has several optimizations."""
    return len(config.optimizations) > 1
