"""Keep a search within its minutes: start only what fits, and leave time to measure the best few carefully.

How long a process will take is estimated from the ones before it. The clock is passed in.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bench.session.search import Config, Score, Space, finalists, helpful, propose, reference, untried

SCREENING_SAMPLES, CAREFUL_SAMPLES = 3, 10
"""The median of three ignores one outlier, which is enough to drop what does not help; `run` takes at least ten."""
PASSES = 4
"""The fewest processes per case that give an interval between processes."""
MOST_FINALISTS = 4
MARGIN = 1.2
"""How much longer another process of a case may take than the first one suggests."""
LARGEST_RESERVE = 0.5
"""Share of the budget: if it is too short for both stages, half of it goes to each."""
LARGEST_TRY = 0.25
"""Share of the budget: a compiler could take all of it, and then nothing else would have been tried."""
SHORTEST_S = 1.0
"""No process builds a pipeline and takes its samples in less, so one with less is only started to be killed."""
OVERHEAD_S = 10.0
"""To start a server for the careful stage, and to end a process that takes too long."""
RESERVED_FINALISTS = 1
_CHOICES = tuple((passes, most) for passes in (PASSES, 2, 1) for most in range(MOST_FINALISTS, 0, -1))


@dataclass(frozen=True)
class Spent:
    """What one screening process took, in seconds: `wall_s` in all, `latency_s` per call."""

    wall_s: float
    latency_s: float

    def careful_s(self) -> float:
        """Return the seconds to allow for a careful process of the same case."""
        return (self.wall_s + self.latency_s * (CAREFUL_SAMPLES - SCREENING_SAMPLES)) * MARGIN


@dataclass
class Search:
    """A search with a time budget.

    Attributes:
        space: what there is to try.
        total_s: the whole budget in seconds.
        clock: returns seconds since any fixed moment.
        began_s: when the budget began, on that clock.
        scores: of the configurations that were tried.
        spent: what each measured configuration took.
        dropped: what there was no time to try, or to finish.
        passes_done: of the careful stage.
    """

    space: Space
    total_s: float
    clock: Callable[[], float]
    began_s: float
    scores: dict[Config, Score | None] = field(default_factory=dict)
    spent: dict[Config, Spent] = field(default_factory=dict)
    dropped: list[Config] = field(default_factory=list)
    passes_done: int = 0

    def left_s(self) -> float:
        return max(0.0, self.began_s + self.total_s - self.clock())

    def record(self, config: Config, score: Score | None, spent: Spent | None) -> None:
        """Record a try; `spent` is None if nothing was measured."""
        self.scores[config] = score
        if spent is not None:
            self.spent[config] = spent

    def drop(self, config: Config) -> None:
        """Leave a configuration out for lack of time; one that was cut short counts as untried."""
        self.dropped.append(config)

    def screening(self) -> Iterator[Config]:
        """Yield what to try next, and drop what is not expected to fit beside the careful stage."""
        while (config := propose(self.space, {**dict.fromkeys(self.dropped), **self.scores})) is not None:
            if self.screening_left_s() < self._expected_s(config):
                self.drop(config)
            else:
                yield config

    def out_of_time(self) -> bool:
        """Return whether nothing was measured because a plain dtype, the start of everything, had no time to finish."""
        return not self.spent and any(config in self.dropped for config in self.space.plain())

    def uncombined(self) -> list[str]:
        """Return the optimizations that help alone, if there was no time to try any two of them together."""
        if any(_is_combination(config) for config in self.scores) or not any(map(_is_combination, self.dropped)):
            return []
        return [config.optimizations[0] for config in helpful(self.space, self.scores)]

    def left_out(self) -> list[str]:
        """Return what there was no time for: names that are in nothing that was tried, then other configurations."""
        names = untried(self.space, self.scores)
        known = [config for config in self.dropped if not {config.dtype, *config.optimizations}.intersection(names)]
        if self.uncombined():
            known = [config for config in known if not _is_combination(config)]
        return [*names, *(config.name for config in known)]

    def try_limit_s(self) -> float:
        """Return the seconds after which the next try is given up; the first one, the reference, may take its time."""
        return min(self.screening_left_s(), self.total_s * (LARGEST_TRY if self.spent else 1.0))

    def screening_left_s(self) -> float:
        return max(0.0, self.left_s() - self._reserve_s())

    def final(self) -> tuple[list[Config], int]:
        """Return what to measure carefully, the reference first, and in how many passes; ([], 0) if nothing fits.

        Fewer finalists are preferred to fewer passes: an interval between two says more than a guess about four. One
        configuration alone is not measured, because there is nothing to compare it with.
        """
        for passes, most in _CHOICES:
            configs = self._finals(most)
            if len(configs) > 1 and self.pass_s(configs) * passes + OVERHEAD_S <= self.left_s():
                return configs, passes
        return [], 0

    def ties(self) -> bool:
        """Return whether several configurations deserve to be compared carefully, if there were time."""
        return len(self._finals(MOST_FINALISTS)) > 1

    def careful_passes(self, configs: list[Config], passes: int) -> Iterator[int]:
        """Yield the numbers of the passes that fit; always the first one, because `final` has checked that it does."""
        took = 0.0
        for number in range(passes):
            if number and max(took, self.pass_s(configs)) > self.left_s():
                return
            began = self.clock()
            yield number
            self.passes_done += 1
            took = self.clock() - began

    def pass_s(self, configs: list[Config]) -> float:
        return sum(self.spent[config].careful_s() for config in configs)

    def _finals(self, most: int) -> list[Config]:
        kept = reference(self.space, self.scores)
        configs = [*([kept] if kept is not None else []), *finalists(self.space, self.scores, most)]
        return [config for config in configs if config in self.spent]

    def _reserve_s(self) -> float:
        wanted = self.pass_s(self._finals(RESERVED_FINALISTS)) * PASSES + 2 * OVERHEAD_S
        return min(wanted, self.total_s * LARGEST_RESERVE)

    def _expected_s(self, config: Config) -> float:
        """Estimate the seconds of a try: as long as the longest one that it contains, or else as the shortest of all.

        Before anything was measured there is nothing to estimate from, so it may take whatever is left.
        """
        if not self.spent:
            return SHORTEST_S
        walls = {tried: spent.wall_s for tried, spent in self.spent.items()}
        return max((wall_s for tried, wall_s in walls.items() if tried in config), default=min(walls.values()))


def _is_combination(config: Config) -> bool:
    return len(config.optimizations) > 1
