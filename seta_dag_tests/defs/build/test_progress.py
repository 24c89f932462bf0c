"""Progress of a run: in Dagster's log, and for every handler that displays it."""

from __future__ import annotations

import logging
import re

import dagster as dg
import pytest

from seta_dag.defs.build import progress
from seta_dag.defs.build.progress import PROGRESS, sentence
from seta_dag_tests.support.builds import Place

SENTENCES = {
    (400, 1600, 2.0): "tokens: 400 of 1,600 tasks, 200 per second, 6 s left",
    (1600, 1600, 8.0): "tokens: 1,600 of 1,600 tasks, 200 per second, 0 s left",
    (1, 10_000, 0.5): "tokens: 1 of 10,000 tasks, 2 per second, 5,000 s left",
    (3, 5, 0.0): "tokens: 3 of 5 tasks, 0 per second",
}


@pytest.mark.parametrize(("done", "total", "seconds"), SENTENCES)
def test_sentence_gives_count_rate_and_time_left(done: int, total: int, seconds: float) -> None:
    assert sentence("tokens", done, total, "tasks", seconds) == SENTENCES[done, total, seconds]


class Steps(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, int, int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if hasattr(record, "stage"):
            about = vars(record)
            self.seen.append((about["stage"], about["done"], about["total"], about["unit"]))


def test_every_stage_reports_progress_to_handlers_and_to_the_log(
    place: Place, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_STEPS", 0.0)
    steps = Steps()
    PROGRESS.addHandler(steps)
    try:
        assert not place.build(instance, full=True).failures
    finally:
        PROGRESS.removeHandler(steps)
    tasks = len(place.tasks())
    for stage in ("trials", "ctrf_reports", "tokens"):
        counts = [
            done for name, done, total, unit in steps.seen if (name, total, unit) == (stage, tasks, "tasks")
        ]
        assert counts == list(range(1, tasks + 1))
    assert {name for name, _, _, unit in steps.seen if unit == "shards"} == {
        "thinking_dataset",
        "nothink_dataset",
    }
    (run,) = instance.get_runs()
    messages = [entry.user_message for entry in instance.all_logs(run.run_id)]
    assert any(
        re.match(f"tokens: {tasks} of {tasks} tasks, [0-9,]+ per second, 0 s left$", line)
        for line in messages
    )
