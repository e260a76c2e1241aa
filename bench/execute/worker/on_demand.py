"""The worker's end of a case that is measured one call at a time, for a caller that does its own timing rounds.

The parent's end is `bench.execute.on_demand`. It writes one byte to a FIFO for every call it wants. The worker builds,
makes the first call and warms up as always, then makes one timed call per byte and reports it as a `sample`. Latencies
come from the worker's clock only, so waiting for the parent is in none of them. When the parent's end of the FIFO is
closed the worker ends.
"""

import os
from dataclasses import replace

from bench.measure.clock import Timing
from bench.measure.sampling import Hooks, Rules, Sampled, TimeOneCall, take_samples_once

COLD = Rules(min_warmup=0, max_warmup=0, min_samples=1, max_samples=1, check_stability=False)
"""One call without warm-up, to see that a case works."""


class EndedError(Exception):
    """The other end is gone, so there will be no further call."""


class OnDemandSampler:
    """Makes a timed call whenever the parent asks for one.

    Args:
        fifo: path of the FIFO that the parent writes to.
        warm_up: False allows a single call, without warm-up.
    """

    def __init__(self, fifo: str, *, warm_up: bool) -> None:
        self._requests = os.open(fifo, os.O_RDONLY)
        self._warm_up = warm_up

    def measure(self, time_one_call: TimeOneCall, rules: Rules, hooks: Hooks) -> Sampled:
        """Warm up, then make one call per request; a rejected call is repeated without another request.

        Raises:
            EndedError: the parent is gone.
        """
        if not self._warm_up:  # a check that is not timed, so no call is rejected
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
        if not os.read(self._requests, 1):
            raise EndedError("the parent does not want any more calls")
