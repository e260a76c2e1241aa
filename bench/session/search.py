"""Search the optimization table: what to try next, given what came of the tries before. Pure, and without a clock.

Plain dtypes first, then every optimization alone on the best dtype, then the helpful ones together, the best first and
each kept where it still helps. Greedy: it may miss a pair that only helps together, and it never tries all 2**n.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

GAIN = 0.01
"""A gain below 1 % is no gain: a few samples of one process tell no more, and a simpler configuration is better."""

Score = tuple[float, float]
"""Bytes over the memory that is allowed, and the cost of what is optimized; less is better, the bytes first."""


@dataclass(frozen=True, order=True)
class Config:
    """What is searched over: a dtype, and optimizations in the order of their table."""

    dtype: str
    optimizations: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of its case."""
        return "+".join((self.dtype, *self.optimizations))

    def __contains__(self, other: "Config") -> bool:
        """Say whether another one has the same dtype and no optimization that this one has not."""
        return other.dtype == self.dtype and set(other.optimizations) <= set(self.optimizations)


Scores = Mapping[Config, Score | None]
"""What was tried; None for what cannot be recommended: skipped, out of memory, another image."""


@dataclass(frozen=True)
class Space:
    """What there is to try.

    Attributes:
        dtypes: the reference's first.
        optimizations: name -> those it cannot be combined with, in the order they are applied.
    """

    dtypes: tuple[str, ...]
    optimizations: Mapping[str, frozenset[str]]

    def plain(self) -> list[Config]:
        """Return the configurations without an optimization."""
        return [Config(dtype) for dtype in self.dtypes]

    def add(self, config: Config, name: str) -> Config | None:
        """Return a configuration with one optimization more; None where they conflict or it is there already."""
        if name in config.optimizations or self.optimizations[name].intersection(config.optimizations):
            return None
        together = {*config.optimizations, name}
        return Config(config.dtype, tuple(known for known in self.optimizations if known in together))


def propose(space: Space, scores: Scores) -> Config | None:
    """Return what to try next; None where nothing is left that promises anything."""
    singles = (Config(base(space, scores).dtype, (name,)) for name in space.optimizations)
    for config in (*space.plain(), *singles):
        if config not in scores:
            return config
    return next((config for config in _combined(space, scores) if config not in scores), None)


def base(space: Space, scores: Scores) -> Config:
    """Return the best plain dtype; where none ran, the last: half precision needs the least memory."""
    return best(space.plain(), scores) or space.plain()[-1]


def best(configs: list[Config], scores: Scores) -> Config | None:
    """Return the configuration with the best score; None where none has one."""
    scored = [(score, config) for config in configs if (score := scores.get(config)) is not None]
    return min(scored)[1] if scored else None


def better(one: Score | None, other: Score | None) -> bool:
    """Say whether the first of two scores is better, by more than nothing."""
    if one is None or other is None:
        return one is not None
    return one[0] < other[0] or (one[0] == other[0] and one[1] < other[1] * (1 - GAIN))


def finalists(space: Space, scores: Scores, most: int) -> list[Config]:
    """Return the best configurations that fit into memory and earn what they add, the reference aside."""
    fitting = [(score, config) for config, score in scores.items() if score is not None and not score[0]]
    kept = reference(space, scores)
    return [config for _, config in sorted(fitting) if config != kept and _earns(config, scores)][:most]


def reference(space: Space, scores: Scores) -> Config | None:
    """Return the configuration whose picture the others are held against: the first plain dtype that ran."""
    return next((config for config in space.plain() if scores.get(config) is not None), None)


def helpful(space: Space, scores: Scores) -> list[Config]:
    """Return what is better than the best plain dtype by one optimization, the best first."""
    plain = base(space, scores)
    singles = [Config(plain.dtype, (name,)) for name in space.optimizations]
    found = [config for config in singles if better(scores.get(config), scores.get(plain))]
    return sorted(found, key=lambda config: scores[config] or (0.0, 0.0))


def untried(space: Space, scores: Scores) -> list[str]:
    """Return the dtypes and optimizations that are in nothing that was tried."""
    tried = {name for config in scores for name in (config.dtype, *config.optimizations)}
    return [name for name in (*space.dtypes, *space.optimizations) if name not in tried]


def _earns(config: Config, scores: Scores) -> bool:
    """Say whether a configuration is better than every simpler one that it contains."""
    return all(better(scores[config], scores[other]) for other in scores if other in config and other != config)


def _combined(space: Space, scores: Scores) -> Iterator[Config]:
    """Yield the greedy combinations, as far as the scores that are known lead; the last one may be unknown.

    Where nothing can be had together with the best one (it fails, there is no time), those with the next best follow.
    """
    ranked = helpful(space, scores)
    for first in range(len(ranked)):
        chain = list(_chain(space, scores, ranked[first:]))
        yield from chain
        if any(candidate not in scores or scores[candidate] is not None for candidate in chain):
            return


def _chain(space: Space, scores: Scores, ranked: Sequence[Config]) -> Iterator[Config]:
    """Yield what the first becomes with each of the others, kept where it helps, up to one that is unknown."""
    current = ranked[0]
    for single in ranked[1:]:
        candidate = space.add(current, single.optimizations[0])
        if candidate is None:
            continue
        yield candidate
        if candidate not in scores:
            return
        if better(scores[candidate], scores[current]):
            current = candidate
