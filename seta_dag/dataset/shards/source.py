"""Which rows go into a shard, out of the tasks' stage files: only rows that are as they were proved."""

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

_ROWS_A_GROUP = 128
_TOKENS_A_GROUP = 4_000_000
"""Uncompressed a group is some 25 bytes a token: about 100 MB, where the Hub's viewer takes 286."""


@dataclass(frozen=True, slots=True)
class RowSource:
    """The stage files of the tasks, and what the stage kept of each (JSON), as they stand."""

    out: OutputLayout
    fingerprints: Mapping[str, str]
    kept: Mapping[str, bytes]

    @classmethod
    def of(cls, out: OutputLayout, fingerprints: Mapping[str, str]) -> RowSource:
        """All that is built of these tasks."""
        return cls(out, fingerprints, records(out, "tokens", fingerprints))

    def contents(self, variant: Variant, rows: Iterable[LedgerLine]) -> dict[RowKey, str]:
        """What identifies the content of each row: both digests of what was kept of it.

        Raises `NotBuiltError` where one of `rows`, lines of the ledger, is in no stage file that is whole.
        """
        made = (line for task in self.kept for line in self._outcomes(task))
        contents = {_key(line): f"{line['content']} {line[f'{variant}.proof']}" for line in made}
        self._refuse([line["task_id"] for line in rows if _key(line) not in contents])
        return contents

    def require_intact(self, pieces: Iterable[ShardPlan]) -> None:
        """Reads each stage file that goes into these pieces, whatever its size and time say.

        One that is damaged is removed, so that the next build makes it anew. Raises `NotBuiltError`.
        """
        tasks = dict.fromkeys(task for piece in pieces for task, *_ in piece.rows)
        names = {task_file_name("tokens", task, self.fingerprints[task]): task for task in tasks}
        self._refuse([names[name] for name in remove_damaged(self.out, "tokens", list(names))])

    def groups(self, variant: Variant, piece: ShardPlan) -> Iterator[pa.Table]:
        """The piece's rows in order, a row group at a time.

        Its tasks are in order, so each task's own rows are all there is to sort.
        """
        wanted, tasks = set(piece.rows), dict.fromkeys(task for task, *_ in piece.rows)
        of_piece = (sorted(self._outcomes(task), key=_order) for task in tasks)
        rows = [line for of_task in of_piece for line in of_task if _key(line) in wanted]
        yield from (self._table(variant, group) for group in _cut(rows, variant))

    def _outcomes(self, task: str) -> list[TrialOutcome]:
        found: list[TrialOutcome] = orjson.loads(self.kept[task])
        return found

    def _table(self, variant: Variant, rows: Sequence[TrialOutcome]) -> pa.Table:
        kinds = {name: kind for name, kind in FIELDS.items() if name not in LONG}
        named = {name: f"{variant}.{name}" if name in PER_VARIANT else name for name in kinds}
        columns = to_columns([{name: line[named[name]] for name in kinds} for line in rows], kinds)
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


def _cut(rows: Sequence[TrialOutcome], variant: Variant) -> Iterator[Sequence[TrialOutcome]]:
    """Rows of one row group each."""
    group: list[TrialOutcome] = []
    tokens = 0
    for line in rows:
        count = line[f"{variant}.local_token_count"]
        if group and (len(group) == _ROWS_A_GROUP or tokens + count > _TOKENS_A_GROUP):
            yield group
            group, tokens = [], 0
        group.append(line)
        tokens += count
    if group:
        yield group
