"""An output directory whose stages are written directly, without rollouts and without a student."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.ledger.accounting import account
from seta_dag.dataset.ledger.ledger import read_ledger, write_ledger
from seta_dag.dataset.shards.writer import Shards, write_shards
from seta_dag.executor.piece import Built, Piece, Result
from seta_dag.executor.stage import Stage
from seta_dag.executor.stage_table import PieceFile, StageTable
from seta_dag.rollouts.collect_trials import CollectedTrial
from seta_dag.rollouts.ctrf import Report
from seta_dag.rollouts.listing.failed_rollouts import FailedRollout
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.merge import Merged
from seta_dag.rollouts.parse_reports import TrialReport
from seta_dag.rollouts.sources.usage import TokenCounts
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.built import STAGES, prune, unbuilt
from seta_dag.tokens.log_columns import LogColumns
from seta_dag.tokens.mask import Mask
from seta_dag.tokens.outcomes import OUTCOMES, TrialOutcome, outcome
from seta_dag.tokens.piece_file import PieceWriter, written_piece
from seta_dag.tokens.trial_row import TrialRow, VariantCounts, digest
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

    @property
    def outcome(self) -> TrialOutcome:
        """What the table of the stage `tokens` keeps about it."""
        with TemporaryDirectory() as folder, written_piece(Path(folder) / "piece") as file:
            return outcome(self.add_to(file))

    def text_of(self, variant: Variant) -> bytes:
        """The text of its row, in UTF-8."""
        return f"{variant} of {self.task}: {self.text}".encode()

    def add_to(self, file: PieceWriter) -> TrialRow:
        """Add its long columns to the piece's file and return the row, as `build_row` does."""
        row = TrialRow(
            self.trial, self.report, snapshot="conv_1.json", n_assistant_turns=1, first_batch=file.n_batches
        )
        path = f"{self.trial.path}/CAMEL_LOG_DIR/agent/conv_1.json"
        columns = LogColumns(self.report.reward, "kimi-k2.5", path, TokenCounts(), 2)
        row.columns = columns.with_content(b"{}", self.task, self.trial.uid)
        if self.reason:
            return row.drop(self.reason, f"thinking: {self.reason}")
        file.add(b"{}")
        for variant in VARIANTS:
            row.counts[variant] = self._add_variant(variant, file)
        return row

    def _add_variant(self, variant: Variant, file: PieceWriter) -> VariantCounts:
        text = self.text_of(variant)
        ids = np.frombuffer(text, np.uint8).astype(np.int32)
        mask = mask_of(ids)
        file.add(text, ids, ((len(ids) // 2, len(ids)),))
        return VariantCounts(len(ids), int(mask.sum()), False, digest(text, ids, mask))


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
    """Build `tasks` in this order, by default those that are not built yet. Each task is a piece."""
    tasks = list(unbuilt(out, merge.fingerprints) if tasks is None else tasks)
    of_task = {task: [one for one in made if one.task == task] for task in tasks}

    def collect(piece: Piece) -> dict[str, Result]:
        trials = {task: merge.of_task()[task] for task in piece.tasks}
        return {task: Built(tuple(map(collected, some)), Counter()) for task, some in trials.items()}

    def parse(piece: Piece) -> dict[str, Result]:
        return {task: Built(tuple(_reports(of_task[task], merge, task)), Counter()) for task in piece.tasks}

    def tokenize(piece: Piece) -> dict[str, Result]:
        (task,) = piece.tasks
        name = f"{hashlib.sha256(f'{task} {merge.fingerprints[task]}'.encode()).hexdigest()}.arrow"
        with written_piece(out.piece(name)) as file:
            outcomes = tuple(outcome(one.add_to(file)) for one in of_task[task])
        return {task: Built(outcomes, Counter(), PieceFile(name, file.checksum))}

    for table, build in zip(STAGES, (collect, parse, tokenize), strict=True):
        Stage(out, table, merge.fingerprints).run(build, [Piece({task: None}, None) for task in tasks])


def collected(trial: Trial) -> CollectedTrial:
    """What the stage `trials` records of a trial with one log and a report."""
    return CollectedTrial(trial.path, True, 1, True, "completed", None)


def _reports(made: Iterable[MadeTrial], merge: Merged, task: str) -> Iterator[TrialReport]:
    reports = {trial.path: Report(1, 2) for trial in merge.of_task()[task]}
    for path, one in (reports | {one.trial.path: one.report for one in made}).items():
        yield TrialReport(path, one.passed, one.total, one.reason, one.detail, one.mismatch)


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
    """The file with the rows of a task."""
    return file_of(out, task)


def file_of(out: OutputLayout, task: str) -> Path:
    """The file that the table of the stage `tokens` names for a task."""
    (line,) = (line for line in OUTCOMES.read(out) if line.task == task)
    assert line.file is not None
    return out.piece(line.file.name)


def drop_line(out: OutputLayout, table: StageTable[Any], task: str) -> None:
    """Remove what the table of a stage says of a task, as if the stage had never been run for it."""
    lines = table.read(out)
    assert task in {line.task for line in lines}
    table.write(out.table(table.stage), [line for line in lines if line.task != task])
