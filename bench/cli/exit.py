"""Exit codes: the one place where an outcome becomes a number.

0 success, 1 a case failed or regressed, none can be recommended, or a run would not work, 2 invalid input,
3 inconclusive, 4 not comparable, 70 a fault of this program (EX_SOFTWARE of sysexits.h), 130 stopped on request, as in
shells.
"""

from bench.session.request import Ending

FAULT = NOTHING_TO_RECOMMEND = NOT_READY = 1
USAGE_ERROR = 2
SOFTWARE_ERROR = 70
INTERRUPTED = 130
ENDINGS = {
    Ending.COMPLETE: 0,
    Ending.FAULTS: FAULT,
    Ending.NOT_WRITTEN: FAULT,
    Ending.OUT_OF_TIME: NOTHING_TO_RECOMMEND,
    Ending.INTERRUPTED: INTERRUPTED,
}
VERDICTS = {"passed": 0, "regressed": 1, "inconclusive": 3, "not-comparable": 4}
"""Keys are values of `bench.analyze.gate.GateVerdict`, whose module `--help` does not need."""
