"""An output directory of any number of tasks, its stage files written by hand: no logs, no student."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from seta_dag.dataset.task_table import write_task

from seta_dag.dataset.account import account
from seta_dag.dataset.filters import Filters
from seta_dag.dataset.ledger import read_ledger, write_ledger
from seta_dag.dataset.row import TOKEN_COUNTS
from seta_dag.dataset.rows import TrialRow, VariantRow, digest
from seta_dag.dataset.shards import Shards, write_shards
from seta_dag.files import write_json
from seta_dag.out import Out, task_file_name
from seta_dag.rollouts.ctrf import Report
from seta_dag.rollouts.failed import FailedRollout
from seta_dag.rollouts.merged import Merged
from seta_dag.rollouts.trial import Trial
from seta_dag.stages import TASK_STAGES, run_stage, unbuilt
from seta_dag.tokens.mask import Tokenized
from seta_dag.tokens.render import VARIANTS, Rendered, Variant

RUN = "exp/kimi"


@dataclass(frozen=True, slots=True)
class Made:
    """A canonical trial. It is a row that reads `text`, or `reason` says why not; 1 of 2 tests passed."""

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

    def row(self) -> TrialRow:
        """What the tokens stage makes of it."""
        row = TrialRow(self.trial, self.report, snapshot="conv_1.json", n_assistant_turns=1)
        row.shared = {
            "reward": self.report.reward,
            "model": "kimi-k2.5",
            "conv_json_path": f"{self.trial.path}/CAMEL_LOG_DIR/agent/conv_1.json",
            "provider_token_counts": dict.fromkeys(TOKEN_COUNTS),
            "n_messages": 2,
            "raw_conv_json": "{}",
        }
        row.variants = {} if self.reason else {variant: self._variant(variant) for variant in VARIANTS}
        row.reason, row.detail = self.reason, self.reason and f"thinking: {self.reason}"
        return row

    def _variant(self, variant: Variant) -> VariantRow:
        text = f"{variant} of {self.task}: {self.text}"
        ids = np.frombuffer(text.encode(), np.uint8).astype(np.int32)
        mask = (np.arange(len(ids)) >= len(ids) // 2).astype(np.int8)
        proof = digest(text, ids.tobytes(), mask.tobytes())
        return VariantRow(Rendered((text,), ()), Tokenized(ids, mask, ()), False, proof)


def merged(
    made: Iterable[Made], others: Iterable[Trial] = (), failed: Sequence[FailedRollout] = ()
) -> Merged:
    """The merge in which the trials of `made` are canonical, and `others` are not."""
    made = sorted(made, key=lambda one: one.trial.path)
    trials = sorted([*(one.trial for one in made), *others], key=lambda trial: trial.path)
    tasks = sorted({trial.task_id for trial in trials if trial.task_id is not None})
    fingerprints = {task: _fingerprint(task, made, trials) for task in tasks}
    canonical = frozenset(one.trial.path for one in made)
    return Merged((RUN,), tuple(trials), canonical, tuple(failed), fingerprints)


def _fingerprint(task: str, made: Iterable[Made], trials: Iterable[Trial]) -> str:
    of_task = [one for one in made if one.task == task], [one for one in trials if one.task_id == task]
    return hashlib.sha256(repr(of_task).encode()).hexdigest()[:16]


def write_stages(out: Out, made: Iterable[Made], merge: Merged, tasks: Iterable[str] | None = None) -> None:
    """Builds `tasks`, by default those that are unbuilt, in the order given."""
    tasks = list(unbuilt(out, merge.fingerprints) if tasks is None else tasks)
    of_task = {task: [one for one in made if one.task == task] for task in tasks}

    def build(task: str, path: Path) -> Counter[str]:
        reports = {trial.path: Report(1, 2) for trial in merge.of_task()[task]}
        reports |= {one.trial.path: one.report for one in of_task[task]}
        write_json(path, {trial: asdict(report) for trial, report in reports.items()})
        return Counter()

    def tokenize(task: str, path: Path) -> Counter[str]:
        write_task(path, [one.row() for one in of_task[task]])
        return Counter()

    for stage in TASK_STAGES:
        run_stage(out, stage, merge.fingerprints, tasks, tokenize if stage == "tokens" else build)


def write_all(
    out: Out, made: Sequence[Made], filters: Filters | None = None, tasks: Iterable[str] | None = None
) -> dict[str, Shards]:
    """Builds everything but the cards, as the assets do it one after the other."""
    merge = merged(made)
    write_stages(out, made, merge, tasks)
    write_ledger(out.ledger, account(out, merge, filters or Filters()), filters or Filters())
    for stage in TASK_STAGES:
        out.remove_stale(stage, merge.fingerprints)
    return write_both(out, made)


def write_both(out: Out, made: Sequence[Made]) -> dict[str, Shards]:
    """The shards of both variants from the ledger that stands."""
    lines = read_ledger(out.ledger)
    return {variant: write_shards(out, variant, lines, merged(made).fingerprints) for variant in VARIANTS}


def stage_file(out: Out, made: Sequence[Made], task: str, stage: str = "tokens") -> Path:
    """The stage file of a task."""
    return out.stage(stage) / task_file_name(stage, task, merged(made).fingerprints[task])


def lines_of(out: Out, task: str) -> list[dict[str, Any]]:
    """The ledger's lines of a task."""
    return [line for line in read_ledger(out.ledger) if line["task_id"] == task]
