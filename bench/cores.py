"""What more workers bring: speed-up, memory, the serial part, and what 64 cores would take by it."""

from __future__ import annotations

from collections.abc import Sequence

from measured import Measured
from results import spread, table
from rounds import LABELS, Round

CORES = 64


def by_amdahl(one: Measured, cores: int = CORES) -> float:
    """Return the seconds that a build would take if all but the driver's part were divided by `cores`."""
    return one.driver_cpu + (one.cpu - one.driver_cpu) / cores


def workers(found: Sequence[Round]) -> str:
    """Return the table of the builds with workers, each compared with one worker in the same round."""
    heads = ("with workers", "speed-up", "MB per worker", "driver CPU s", "serial part", f"{CORES} cores, s")
    rows = []
    for way in ("c2", "cd"):
        of_way = [one[way] for one in found]
        rows.append(
            [
                LABELS[way],
                spread([one["c"].wall / one[way].wall for one in found], ".2f"),
                spread([one.worker_mb for one in of_way], ",.0f"),
                spread([one.driver_cpu for one in of_way]),
                spread([one.driver_cpu / one.cpu for one in of_way], ".0%"),
                spread([by_amdahl(one) for one in of_way]),
            ]
        )
    return table(heads, rows)
