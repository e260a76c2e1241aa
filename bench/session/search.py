"""Search the optimization table: what to try next, given what was found so far. Pure functions without a clock.

Plain dtypes come first, then every optimization alone on the best dtype, then the helpful ones together, best first,
each kept if it still helps. The search is greedy: it never tries all 2**n combinations, and it may miss a pair that
only helps together.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

GAIN = 0.01
"""Gains below 1 % do not count: a few samples cannot show them, and a simpler configuration is better."""

Score = tuple[float, float]
"""Bytes over the allowed memory, and the cost under the objective. Less is better; the bytes are compared first."""


@dataclass(frozen=True, order=True)
class Config:
    """A point of the search: a dtype, and optimizations in the order of their table."""

    dtype: str
    optimizations: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return "+".join((self.dtype, *self.optimizations))

    def __contains__(self, other: "Config") -> bool:
        """Return whether this one has the dtype and all the optimizations of another."""
        return other.dtype == self.dtype and set(other.optimizations) <= set(self.optimizations)


Scores = Mapping[Config, Score | None]
"""What was tried; None for what cannot be recommended: it was skipped, ran out of memory, or makes another image."""


@dataclass(frozen=True)
class Space:
    """What there is to try.

    Attributes:
        dtypes: the reference's first.
        optimizations: name -> those that it cannot be combined with, in the order in which they are applied.
    """

    dtypes: tuple[str, ...]
    optimizations: Mapping[str, frozenset[str]]

    def plain(self) -> list[Config]:
        return [Config(dtype) for dtype in self.dtypes]

    def add(self, config: Config, name: str) -> Config | None:
        """Return a configuration with one more optimization; None if it has that already, or they conflict."""
        if name in config.optimizations or self.optimizations[name].intersection(config.optimizations):
            return None
        together = {*config.optimizations, name}
        return Config(config.dtype, tuple(known for known in self.optimizations if known in together))


def propose(space: Space, scores: Scores) -> Config | None:
    """Return what to try next; None if nothing promising is left."""
    singles = (Config(base(space, scores).dtype, (name,)) for name in space.optimizations)
    for config in (*space.plain(), *singles):
        if config not in scores:
            return config
    return next((config for config in _combined(space, scores) if config not in scores), None)


def base(space: Space, scores: Scores) -> Config:
    """Return the best plain dtype; if none ran, the last one, because half precision needs the least memory."""
    return best(space.plain(), scores) or space.plain()[-1]


def best(configs: list[Config], scores: Scores) -> Config | None:
    scored = [(score, config) for config in configs if (score := scores.get(config)) is not None]
    return min(scored)[1] if scored else None


def better(one: Score | None, other: Score | None) -> bool:
    """Return whether the first of two scores is better by more than `GAIN`."""
    if one is None or other is None:
        return one is not None
    return one[0] < other[0] or (one[0] == other[0] and one[1] < other[1] * (1 - GAIN))


def finalists(space: Space, scores: Scores, most: int) -> list[Config]:
    """Return the best configurations that fit into memory and gain by every optimization, without the reference."""
    fitting = [(score, config) for config, score in scores.items() if score is not None and not score[0]]
    kept = reference(space, scores)
    return [config for _, config in sorted(fitting) if config != kept and _earns(config, scores)][:most]


def reference(space: Space, scores: Scores) -> Config | None:
    """Return the configuration whose picture the others are compared with: the first plain dtype that ran."""
    return next((config for config in space.plain() if scores.get(config) is not None), None)


def helpful(space: Space, scores: Scores) -> list[Config]:
    """Return the configurations of one optimization that are better than the best plain dtype, best first."""
    plain = base(space, scores)
    singles = [Config(plain.dtype, (name,)) for name in space.optimizations]
    found = [config for config in singles if better(scores.get(config), scores.get(plain))]
    return sorted(found, key=lambda config: scores[config] or (0.0, 0.0))


def untried(space: Space, scores: Scores) -> list[str]:
    """Return the dtypes and optimizations that no tried configuration has."""
    tried = {name for config in scores for name in (config.dtype, *config.optimizations)}
    return [name for name in (*space.dtypes, *space.optimizations) if name not in tried]


def _earns(config: Config, scores: Scores) -> bool:
    """Return whether a configuration is better than every simpler one that it contains."""
    return all(better(scores[config], scores[other]) for other in scores if other in config and other != config)


def _combined(space: Space, scores: Scores) -> Iterator[Config]:
    """Yield the greedy combinations as far as the known scores lead; the last one may be unknown.

    If nothing works together with the best optimization (it fails, or there is no time), the next best is tried.
    """
    ranked = helpful(space, scores)
    for first in range(len(ranked)):
        chain = list(_chain(space, scores, ranked[first:]))
        yield from chain
        if any(candidate not in scores or scores[candidate] is not None for candidate in chain):
            return


def _chain(space: Space, scores: Scores, ranked: Sequence[Config]) -> Iterator[Config]:
    """Yield the first configuration with each of the others added, kept if it helps, up to one that is unknown."""
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
