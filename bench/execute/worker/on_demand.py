"""One case, one call at a time, for whoever times by calls: the worker's end. The parent's is `stepped`.

The parent writes a byte to a FIFO for every call that it wants; the worker builds, makes the first call and warms up by
its own rules, then makes one timed call a byte and tells it as a `sample`. Only the worker's clock is read, so what the
way there and back takes is in no figure. The FIFO's end is the worker's end: it does not outlive who asked.
"""

import os
from dataclasses import replace

from bench.measure.clock import Timing
from bench.measure.sampling import Hooks, Rules, Sampled, TimeOneCall, take_samples_once

COLD = Rules(min_warmup=0, max_warmup=0, min_samples=1, max_samples=1, check_stability=False)
"""One call without warm-up: shows that a case works."""


class EndedError(Exception):
    """The other end is gone: no further call will be made, or asked for."""


class Steps:
    """The worker's end.

    Args:
        path: of the FIFO.
        warm_up: False makes one call, without warm-up before it.
    """

    def __init__(self, path: str, *, warm_up: bool) -> None:
        self._asks = os.open(path, os.O_RDONLY)
        self._warm_up = warm_up

    def measure(self, time_one_call: TimeOneCall, rules: Rules, hooks: Hooks) -> Sampled:
        """Warm up, then make a call whenever one is asked for; a rejected one is made again unasked.

        Raises:
            EndedError: the parent is gone.
        """
        if not self._warm_up:  # nothing is timed, so nothing is rejected either
            rules, hooks = COLD, replace(hooks, rejected=lambda: None)

        def on_begin() -> None:
            self._wait()
            hooks.on_begin()

        def on_sample(index: int, timing: Timing) -> None:
            hooks.on_sample(index, timing)
            if index + 1 < rules.max_samples:
                self._wait()

        return take_samples_once(time_one_call, rules, replace(hooks, on_begin=on_begin, on_sample=on_sample))

    def _wait(self) -> None:
        if not os.read(self._asks, 1):
            raise EndedError("nobody is left to ask for the next call")
