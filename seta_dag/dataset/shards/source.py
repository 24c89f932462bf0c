"""Read the rows of a shard from the stage files of its tasks, after checking that these are intact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson
import pyarrow as pa

from seta_dag.dataset.ledger.ledger import LedgerLine
from seta_dag.dataset.schema import FIELDS, LONG, PER_VARIANT, ROW_SCHEMA
from seta_dag.dataset.shards.layout import RowKey, ShardPlan
from seta_dag.errors import NotBuiltError
from seta_dag.executor.stage import records
from seta_dag.store.columns import to_columns
from seta_dag.store.integrity import remove_damaged
from seta_dag.store.layout import OutputLayout, task_file_name
from seta_dag.tokens.outcomes import TrialOutcome
from seta_dag.tokens.task_file import RowParts, read_row
from seta_dag.tokens.variants import Variant

_MAX_GROUP_ROWS = 128
_MAX_GROUP_TOKENS = 4_000_000
"""Keeps a row group at about 100 MB (25 bytes per token, uncompressed); the Hub's viewer allows 286 MB."""


@dataclass(frozen=True, slots=True)
class RowSource:
    """The built tasks from which shards are written.

    Attributes:
        out: the output directory.
        fingerprints: fingerprint of each task, keyed by task id; it is part of the stage file's name.
        records: outcomes of the trials of each built task as JSON, keyed by task id.
    """

    out: OutputLayout
    fingerprints: Mapping[str, str]
    records: Mapping[str, bytes]

    @classmethod
    def of(cls, out: OutputLayout, fingerprints: Mapping[str, str]) -> RowSource:
        """Return the source with those of the tasks that are built."""
        return cls(out, fingerprints, records(out, "tokens", fingerprints))

    def contents(self, variant: Variant, rows: Iterable[LedgerLine]) -> dict[RowKey, str]:
        """Return what identifies the content of each row: the digests of its columns and of its proof.

        Raises:
            NotBuiltError: if one of `rows`, which are ledger lines, is in no intact stage file.
        """
        outcomes = (line for task in self.records for line in self._outcomes(task))
        contents = {_key(line): f"{line['content']} {line[f'{variant}.proof']}" for line in outcomes}
        self._refuse([line["task_id"] for line in rows if _key(line) not in contents])
        return contents

    def require_intact(self, plans: Iterable[ShardPlan]) -> None:
        """Compare the checksum of each stage file that goes into these shards, even if its time is the same.

        Damaged files are removed, so that the next build rebuilds them.

        Raises:
            NotBuiltError: if a file is missing or damaged.
        """
        # A dict is a set that keeps its order, so the error always names the same task.
        tasks = dict.fromkeys(task for plan in plans for task, *_ in plan.rows)
        names = {task_file_name("tokens", task, self.fingerprints[task]): task for task in tasks}
        self._refuse([names[name] for name in remove_damaged(self.out, "tokens", list(names))])

    def groups(self, variant: Variant, plan: ShardPlan) -> Iterator[pa.Table]:
        """Yield the rows of a shard in the order of rule R10, one table per row group."""
        wanted, tasks = set(plan.rows), dict.fromkeys(task for task, *_ in plan.rows)
        # The plan's tasks are sorted already, so only the rows within each task remain to be sorted.
        by_task = (sorted(self._outcomes(task), key=_order) for task in tasks)
        rows = [line for task_lines in by_task for line in task_lines if _key(line) in wanted]
        yield from (self._table(variant, group) for group in _row_groups(rows, variant))

    def _outcomes(self, task: str) -> list[TrialOutcome]:
        outcomes: list[TrialOutcome] = orjson.loads(self.records[task])
        return outcomes

    def _table(self, variant: Variant, rows: Sequence[TrialOutcome]) -> pa.Table:
        # Short columns come from the outcomes; the long ones are Arrow in the stage file, and are not copied.
        kinds = {name: kind for name, kind in FIELDS.items() if name not in LONG}
        keys = {name: f"{variant}.{name}" if name in PER_VARIANT else name for name in kinds}
        columns = to_columns([{name: line[keys[name]] for name in kinds} for line in rows], kinds)
        parts = [self._parts(line, variant) for line in rows]
        columns["raw_conv_json"] = pa.chunked_array([part.log for part in parts])
        columns["chat_template_str"] = pa.chunked_array([part.text for part in parts])
        columns["input_ids"] = pa.chunked_array([part.ids for part in parts])
        columns["loss_mask"] = pa.chunked_array([part.mask for part in parts])
        return pa.table([columns[name] for name in FIELDS], schema=ROW_SCHEMA)

    def _parts(self, line: TrialOutcome, variant: Variant) -> RowParts:
        path = self.out.task_file("tokens", line["task_id"], self.fingerprints[line["task_id"]])
        return read_row(path, line["at"], variant)

    def _refuse(self, tasks: Sequence[str]) -> None:
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


def _row_groups(rows: Sequence[TrialOutcome], variant: Variant) -> Iterator[Sequence[TrialOutcome]]:
    """Divide rows into row groups with a limited number of rows and tokens, at least one row each."""
    group: list[TrialOutcome] = []
    tokens = 0
    for line in rows:
        count = line[f"{variant}.local_token_count"]
        if group and (len(group) == _MAX_GROUP_ROWS or tokens + count > _MAX_GROUP_TOKENS):
            yield group
            group, tokens = [], 0
        group.append(line)
        tokens += count
    if group:
        yield group
