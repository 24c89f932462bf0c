"""The built tasks from which shards are written: what each row holds, and in which file it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seta_dag.dataset.shards.layout import RowKey, ShardPlan
from seta_dag.dataset.shards.shard_file import ShardJob
from seta_dag.errors import NotBuiltError
from seta_dag.executor.stage_table import PieceFile, TaskLine
from seta_dag.store.atomic import remove
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.outcomes import OUTCOMES, TrialOutcome
from seta_dag.tokens.variants import Variant


@dataclass(frozen=True, slots=True)
class RowSource:
    """The outcomes of all built tasks.

    Attributes:
        out: the output directory.
        lines: of the table of the stage `tokens`, by task.
    """

    out: OutputLayout
    lines: Mapping[str, TaskLine[TrialOutcome]]

    @classmethod
    def of(cls, out: OutputLayout, fingerprints: Mapping[str, str]) -> RowSource:
        """Return the source with those of the tasks that are built."""
        return cls(out, OUTCOMES.current(out, fingerprints))

    def contents(self, variant: Variant, rows: Iterable[RowKey]) -> dict[RowKey, str]:
        """Return what identifies the content of each row: the digests of its columns and of its proof.

        Raises:
            NotBuiltError: if one of `rows` is in no intact file.
        """
        outcomes = (one for line in self.lines.values() for one in line.records if one.reason is None)
        contents = {_key(one): f"{one.row.content} {one.of(variant).proof}" for one in outcomes}
        self._refuse([row[0] for row in rows if row not in contents])
        return contents

    def job(self, variant: Variant, plan: ShardPlan, path: Path) -> ShardJob:
        """Return what a worker needs to know to write a shard to `path`."""
        wanted, tasks = set(plan.rows), dict.fromkeys(task for task, *_ in plan.rows)
        # The plan's tasks are sorted already, so only the rows within each task remain to be sorted.
        by_task = (sorted(self.lines[task].records, key=_order) for task in tasks)
        rows = tuple(one for outcomes in by_task for one in outcomes if _key(one) in wanted)
        return ShardJob(path, variant, rows, self.out.pieces, {task: self._file(task) for task in tasks})

    def refuse_damaged(self, names: Sequence[str]) -> None:
        """Remove damaged files, so that the next build rebuilds their tasks.

        Raises:
            NotBuiltError: if there is any.
        """
        for name in names:
            remove(self.out.piece(name))
        self._refuse([task for task, line in self.lines.items() if line.file and line.file.name in names])

    def _file(self, task: str) -> PieceFile:
        file = self.lines[task].file
        assert file is not None  # noqa: S101 - the stage writes a file for each task
        return file

    def _refuse(self, tasks: Sequence[str]) -> None:
        if tasks:
            more = f", and {len(tasks) - 1} more" if tasks[1:] else ""
            raise NotBuiltError(
                f"{self.out.pieces}: the file with the rows of {tasks[0]}{more} is missing or damaged; "
                "run: seta-dag build"
            )


def _key(one: TrialOutcome) -> RowKey:
    return one.task_id, one.run, one.trial_uid


def _order(one: TrialOutcome) -> tuple[str, str]:
    return one.trial_uid, one.columns.conv_json_path if one.columns else ""
