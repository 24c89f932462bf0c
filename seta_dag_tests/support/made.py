"""An output directory whose stages are written directly, without rollouts and without a student."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.ledger.accounting import account
from seta_dag.dataset.ledger.ledger import read_ledger, write_ledger
from seta_dag.dataset.shards.writer import Shards, write_shards
from seta_dag.executor.stage import TaskResult, prune, run_stage, unbuilt
from seta_dag.rollouts.ctrf import Report
from seta_dag.rollouts.listing.failed_rollouts import FailedRollout
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.merge import Merged
from seta_dag.rollouts.sources.usage import TOKEN_COUNTS
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.mask import Mask
from seta_dag.tokens.outcomes import outcome
from seta_dag.tokens.task_file import TaskFile, task_file
from seta_dag.tokens.trial_row import TrialRow, digest
from seta_dag.tokens.variants import VARIANTS, Variant

RUN = "exp/kimi"


@dataclass(frozen=True, slots=True)
class MadeTrial:
    """A canonical trial that passed 1 of 2 tests: a row with `text`, or dropped with `reason`."""

    task: str
    traj: int = 0
    run: str = RUN
    reason: str | None = None
    text: str = "Done."

    @property
    def trial(self) -> Trial:
        return Trial(RUN, self.run, f"{self.task}_t{self.traj}_ab", self.task, self.traj)

    @property
    def report(self) -> Report:
        return Report(1, 2) if self.reason != "no_tests" else Report(reason="no_tests", detail="none")

    def text_of(self, variant: Variant) -> bytes:
        """The text of its row, in UTF-8."""
        return f"{variant} of {self.task}: {self.text}".encode()

    def add_to(self, file: TaskFile) -> TrialRow:
        """Add its long columns to the task's file and return the row, as `build_row` does."""
        row = TrialRow(
            self.trial, self.report, snapshot="conv_1.json", n_assistant_turns=1, first_batch=file.n_batches
        )
        row.short_columns = {
            "reward": self.report.reward,
            "model": "kimi-k2.5",
            "conv_json_path": f"{self.trial.path}/CAMEL_LOG_DIR/agent/conv_1.json",
            "provider_token_counts": dict.fromkeys(TOKEN_COUNTS),
            "n_messages": 2,
        }
        row.short_columns["content"] = digest(
            b"{}", orjson.dumps([self.task, *row.short_columns.values()]), b""
        )
        if self.reason:
            return row.drop(self.reason, f"thinking: {self.reason}")
        file.add(b"{}")
        for variant in VARIANTS:
            row.short_columns |= self._add_variant(variant, file)
        return row

    def _add_variant(self, variant: Variant, file: TaskFile) -> dict[str, Any]:
        text = self.text_of(variant)
        ids = np.frombuffer(text, np.uint8).astype(np.int32)
        mask = mask_of(ids)
        file.add(text, ids, ((len(ids) // 2, len(ids)),))
        counts = {"local_token_count": len(ids), "n_assistant_tokens": int(mask.sum())}
        proof = {"literal_markup": False, "proof": digest(text, ids, mask)}
        return {f"{variant}.{name}": value for name, value in (counts | proof).items()}


def mask_of(ids: Sequence[int] | np.ndarray[Any, Any]) -> Mask:
    """The mask of these ids: 1 in the second half."""
    return (np.arange(len(ids)) >= len(ids) // 2).astype(np.int8)


def merged(
    made: Iterable[MadeTrial], others: Iterable[Trial] = (), failed: Sequence[FailedRollout] = ()
) -> Merged:
    """A merge in which the trials of `made` are canonical and `others` are not."""
    made = sorted(made, key=lambda one: one.trial.path)
    trials = sorted([*(one.trial for one in made), *others], key=lambda trial: trial.path)
    tasks = sorted({trial.task_id for trial in trials if trial.task_id is not None})
    fingerprints = {task: _fingerprint(task, made, trials) for task in tasks}
    canonical = frozenset(one.trial.path for one in made)
    return Merged((RUN,), tuple(trials), canonical, tuple(failed), fingerprints)


def _fingerprint(task: str, made: Iterable[MadeTrial], trials: Iterable[Trial]) -> str:
    # Whatever changes a task must change its fingerprint, as in a build.
    of_task = [one for one in made if one.task == task], [one for one in trials if one.task_id == task]
    return hashlib.sha256(repr(of_task).encode()).hexdigest()[:16]


def write_stages(
    out: OutputLayout, made: Iterable[MadeTrial], merge: Merged, tasks: Iterable[str] | None = None
) -> None:
    """Build `tasks` in this order, by default those that are not built yet."""
    tasks = list(unbuilt(out, merge.fingerprints) if tasks is None else tasks)
    of_task = {task: [one for one in made if one.task == task] for task in tasks}

    def report(task: str) -> TaskResult:
        reports = {trial.path: Report(1, 2) for trial in merge.of_task()[task]}
        return TaskResult(reports | {one.trial.path: one.report for one in of_task[task]}, Counter())

    def tokenize(task: str) -> TaskResult:
        path = out.task_file("tokens", task, merge.fingerprints[task])
        with task_file(path) as file:
            outcomes = [outcome(one.add_to(file)) for one in of_task[task]]
        return TaskResult(outcomes, Counter(), file.checksum)

    for stage, build in (("trials", report), ("ctrf", report), ("tokens", tokenize)):
        run_stage(out, stage, merge.fingerprints, tasks, build)


def write_all(
    out: OutputLayout,
    made: Sequence[MadeTrial],
    filters: Filters | None = None,
    tasks: Iterable[str] | None = None,
) -> dict[str, Shards]:
    """Build everything except the cards, in the order of the assets."""
    merge = merged(made)
    write_stages(out, made, merge, tasks)
    write_ledger(out.ledger, account(out, merge, filters or Filters()), filters or Filters())
    prune(out, merge.fingerprints)
    return write_both(out, made)


def write_both(out: OutputLayout, made: Sequence[MadeTrial]) -> dict[str, Shards]:
    """Write the shards of both variants from the existing ledger."""
    lines = read_ledger(out.ledger)
    return {variant: write_shards(out, variant, lines, merged(made).fingerprints) for variant in VARIANTS}


def stage_file(out: OutputLayout, made: Sequence[MadeTrial], task: str) -> Path:
    """The task's file of the stage `tokens`."""
    return out.task_file("tokens", task, merged(made).fingerprints[task])
