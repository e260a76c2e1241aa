"""How close a case comes to what the device can do.

Operations belong to the case and rates to the device, so all rows of a run are judged by the same rates.
"""

from collections.abc import Sequence

from bench import statistics
from bench.records.case_result import CaseResult, Roofline
from bench.records.environment import Rates
from bench.records.models import ProcessRecord, Work


def roofline(result: CaseResult, records: Sequence[ProcessRecord], rates: Rates | None) -> Roofline:
    """Return the roofline of a case.

    Args:
        result: with the work of one call, and the latency over all processes.
        records: of those processes, one of which may have been profiled.
        rates: of the device; None if the run did not measure them.
    """
    flops, busy = _fastest(result.work, rates), _busy_share(records)
    if rates is None or flops is None or result.work.operations is None:
        return Roofline(device_busy_share=busy)
    # The least time for this work is the roofline of Williams et al. (2009, doi:10.1145/1498765.1498785).
    least_s = max(result.work.operations / flops, (result.work.weight_bytes or 0.0) / rates.copy_bytes_per_s)
    latency_s = result.statistics.latency_median_s
    return Roofline(
        matrix_flops=flops,
        copy_bytes_per_s=rates.copy_bytes_per_s,
        roofline_s=least_s,
        roofline_fraction=least_s / latency_s if latency_s else None,
        device_busy_share=busy,
    )


def _fastest(work: Work, rates: Rates | None) -> float | None:
    """Return the highest rate among the types that the case may compute in; None unless all of them are known."""
    known = [rates.matrix_flops.get(each) for each in work.matrix_types] if rates is not None else []
    return None if not known or None in known else max(filter(None, known))


def _busy_share(records: Sequence[ProcessRecord]) -> float | None:
    """Return the share of a call in which the device computed, in the process that was profiled."""
    for record in records:
        if record.work.device_busy_s is not None and record.samples:
            return record.work.device_busy_s / statistics.median([sample.latency_s for sample in record.samples])
    return None
