"""Exit codes: the one place where an outcome becomes a number.

0 all is well; 1 a case failed, a regression, or nothing to recommend; 2 a mistake in what was given; 3 inconclusive;
4 not comparable; 130 stopped on request, as shells say it.
"""

from bench.session.request import Ending

FAULT = NOTHING_TO_RECOMMEND = 1
USAGE_ERROR = 2
INTERRUPTED = 130
ENDINGS = {
    Ending.COMPLETE: 0,
    Ending.FAULTS: FAULT,
    Ending.NOT_WRITTEN: FAULT,
    Ending.OUT_OF_TIME: NOTHING_TO_RECOMMEND,
    Ending.INTERRUPTED: INTERRUPTED,
}
VERDICTS = {"passed": 0, "regressed": 1, "inconclusive": 3, "not-comparable": 4}
"""By `bench.analyze.gate.GateVerdict`, whose module `--help` has no need of."""
