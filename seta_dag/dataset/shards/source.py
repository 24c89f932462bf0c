"""The built tasks from which shards are written: what each row holds, and in which stage file it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from seta_dag.dataset.ledger.ledger import LedgerLine
from seta_dag.dataset.shards.layout import RowKey, ShardPlan
from seta_dag.dataset.shards.shard_file import ShardJob
from seta_dag.errors import NotBuiltError
from seta_dag.store.atomic import remove
from seta_dag.store.integrity import entries
from seta_dag.store.layout import OutputLayout, task_file_name
from seta_dag.tokens.outcomes import TrialOutcome
from seta_dag.tokens.variants import Variant


@dataclass(frozen=True, slots=True)
class RowSource:
    """The outcomes of all built tasks.

    Attributes:
        out: the output directory.
        names: name of each task's stage file.
        outcomes: of the trials of each built task, in the order of rule R10.
        checksums: of the stage files, keyed by task.
    """

    out: OutputLayout
    names: Mapping[str, str]
    outcomes: Mapping[str, Sequence[TrialOutcome]]
    checksums: Mapping[str, str]

    @classmethod
    def of(cls, out: OutputLayout, fingerprints: Mapping[str, str]) -> RowSource:
        """Return the source with those of the tasks that are built."""
        found = entries(out, "tokens")
        names = {task: task_file_name("tokens", task, value) for task, value in fingerprints.items()}
        built = {task: found[name] for task, name in names.items() if name in found}
        outcomes = {task: sorted(orjson.loads(one.record), key=_order) for task, one in built.items()}
        return cls(out, names, outcomes, {task: one.checksum for task, one in built.items()})

    def contents(self, variant: Variant, rows: Iterable[LedgerLine]) -> dict[RowKey, str]:
        """Return what identifies the content of each row: the digests of its columns and of its proof.

        Raises:
            NotBuiltError: if one of `rows`, which are ledger lines, is in no intact stage file.
        """
        lines = (line for task_lines in self.outcomes.values() for line in task_lines)
        contents = {_key(line): f"{line['content']} {line[f'{variant}.proof']}" for line in lines}
        self.refuse([line["task_id"] for line in rows if _key(line) not in contents])
        return contents

    def job(self, variant: Variant, plan: ShardPlan, path: Path) -> ShardJob:
        """Return what a worker needs to know to write a shard to `path`."""
        wanted, tasks = set(plan.rows), dict.fromkeys(task for task, *_ in plan.rows)
        # The plan's tasks are sorted already, and so are the outcomes within each task.
        rows = tuple(line for task in tasks for line in self.outcomes[task] if _key(line) in wanted)
        files = {task: self.out.stage("tokens") / self.names[task] for task in tasks}
        return ShardJob(path, variant, rows, files, {task: self.checksums[task] for task in tasks})

    def refuse(self, tasks: Sequence[str]) -> None:
        """Remove the stage files of `tasks`, so that the next build rebuilds them.

        Raises:
            NotBuiltError: if there is any.
        """
        for task in self.names.keys() & set(tasks):
            remove(self.out.stage("tokens") / self.names[task])
        if tasks:
            more = f", and {len(tasks) - 1} more" if tasks[1:] else ""
            raise NotBuiltError(
                f"{self.out.stage('tokens')}: the stage file of {tasks[0]} is missing or damaged{more}; "
                "run: seta-dag build"
            )


def _key(line: LedgerLine) -> RowKey:
    return line["task_id"], line["run"], line["trial_uid"]


def _order(line: TrialOutcome) -> tuple[str, str]:
    return line["trial_uid"], line["conv_json_path"] or ""
