"""The proofs hold for every conversation that can be rendered."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given

from seta_dag.executor.workers import Deferred
from seta_dag.rollouts.ctrf import Report
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.sources.dialects import conversation
from seta_dag.tokens.example import RowMaker
from seta_dag.tokens.task_file import task_file
from seta_dag.tokens.trial_row import TrialRow
from seta_dag_tests.support.conversations import Log, logs, plain_logs
from seta_dag_tests.support.named_conversations import NAMED

TRIAL = Trial("run", "run", "task_t0_ab", "task", 0)


def outcome(log: Log, maker: RowMaker) -> tuple[str | None, str | None]:
    """Return (reason, detail) of the log's row, after all proofs including the reference engine's."""
    row, deferred = TrialRow(TRIAL, Report(1, 1)), Deferred()
    with TemporaryDirectory() as folder, task_file(Path(folder) / "task") as file:
        maker.tokenize(row, lambda: conversation(log), file, deferred)
    deferred.run()
    assert row.against_reference
    return row.reason, row.detail


@pytest.mark.parametrize("name", NAMED)
def test_named_conversation_is_proved(name: str, maker: RowMaker) -> None:
    assert outcome(NAMED[name], maker) == (None, None)


@given(log=logs() | plain_logs())
def test_generated_conversation_is_proved(log: Log, maker: RowMaker) -> None:
    assert outcome(log, maker) == (None, None)
