"""A step that fails is told in the words of its error, wherever that was raised."""

from __future__ import annotations

import dagster as dg
import pytest

from seta_dag.defs.build.failures import failures_in
from seta_dag.errors import OutputError
from seta_dag.executor.completed import completed
from seta_dag.executor.workers import parse_workers

ERRORS = {
    "the system's": (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
    "ours": (OutputError("out: cannot be written; move it away"), "out: cannot be written; move it away"),
}


def fail(name: str) -> None:
    raise ERRORS[name][0]


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("name", ERRORS)
def test_an_error_of_a_worker_is_told_in_its_own_words(name: str, workers: str) -> None:
    @dg.op
    def step() -> None:
        place = parse_workers(workers)
        try:
            with completed(place, fail, [name]) as done:
                list(done)
        finally:
            place.close()

    @dg.job
    def job() -> None:
        step()

    events = job.execute_in_process(raise_on_error=False).all_events
    (sentence,) = failures_in(events)
    assert sentence.startswith("step: ") and sentence.endswith(ERRORS[name][1])
    assert "Traceback" not in sentence and "\n" not in sentence
