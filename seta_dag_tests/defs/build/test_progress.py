"""Progress of a run: lines in Dagster's log and records for whoever displays them."""

from __future__ import annotations

import logging
import re
from itertools import accumulate

import dagster as dg
import pytest

from seta_dag.defs.build import progress
from seta_dag.defs.build.progress import PROGRESS, sentence
from seta_dag.executor.pieces import cut
from seta_dag_tests.support.builds import Place

SENTENCES = {
    (400, 1600, 2.0): "tokens: 400 of 1,600 tasks, 200 per second, 6 s left",
    (1600, 1600, 8.0): "tokens: 1,600 of 1,600 tasks, 200 per second, 0 s left",
    (399, 1600, 4.9): "tokens: 399 of 1,600 tasks",
    (100, 1600, 5.0): "tokens: 100 of 1,600 tasks, 20 per second, 75 s left",
    (100, 10_000, 9.0): "tokens: 100 of 10,000 tasks",
    (1, 10_000, 0.5): "tokens: 1 of 10,000 tasks",
    (3, 5, 0.0): "tokens: 3 of 5 tasks",
}


@pytest.mark.parametrize(("done", "total", "seconds"), SENTENCES)
def test_progress_line_shows_the_count_and_the_pace_once_it_means_something(
    done: int, total: int, seconds: float
) -> None:
    assert sentence("tokens", done, total, "tasks", seconds) == SENTENCES[done, total, seconds]


class StepRecorder(logging.Handler):
    """Collects `(stage, done, total, unit)` of every progress record."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[tuple[str, int, int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if hasattr(record, "stage"):
            fields = vars(record)
            self.steps.append((fields["stage"], fields["done"], fields["total"], fields["unit"]))


def test_every_stage_reports_each_piece_to_displays_and_to_the_dagster_log(
    place: Place, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_STEPS", 0.0)
    recorder = StepRecorder()
    PROGRESS.addHandler(recorder)
    try:
        assert not place.build(instance, full=True).failures
    finally:
        PROGRESS.removeHandler(recorder)
    tasks = len(place.tasks())
    for stage in ("trials", "ctrf_reports", "tokens"):
        counts = [
            done
            for name, done, total, unit in recorder.steps
            if (name, total, unit) == (stage, tasks, "tasks")
        ]
        assert counts == list(accumulate(map(len, cut(place.tasks()))))
    assert {name for name, _, _, unit in recorder.steps if unit == "shards"} == {
        "thinking_dataset",
        "nothink_dataset",
    }
    (run,) = instance.get_runs()
    messages = [entry.user_message for entry in instance.all_logs(run.run_id)]
    assert any(
        re.match(f"tokens: {tasks} of {tasks} tasks, [0-9,]+ per second, 0 s left$", line)
        for line in messages
    )
