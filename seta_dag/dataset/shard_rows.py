"""Which rows go into a shard, out of the tasks' stage files: only rows that are as they were proved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from seta_dag.dataset.ledger import Line
from seta_dag.dataset.outcomes import read_outcomes
from seta_dag.dataset.pieces import Piece, RowKey
from seta_dag.dataset.row import ROW_SCHEMA
from seta_dag.dataset.task_table import read_task, variant_rows
from seta_dag.errors import NotBuiltError
from seta_dag.out import Out, task_file_name
from seta_dag.tokens.render import Variant
from seta_dag.whole import remove_damaged


def contents_of(
    out: Out, variant: Variant, fingerprints: Mapping[str, str], rows: Iterable[Line]
) -> dict[RowKey, str]:
    """What identifies the content of each row: both digests of its line in the stage file.

    Raises `NotBuiltError` where one of `rows`, lines of the ledger, is in no stage file that is whole.
    """
    made = (line for of_task in read_outcomes(out, fingerprints).values() for line in of_task)
    contents = {_key(line): f"{line['content']} {line[f'{variant}.proof']}" for line in made}
    _refuse(out, [line["task_id"] for line in rows if _key(line) not in contents])
    return contents


def _key(line: Line) -> RowKey:
    return line["task_id"], line["run"], line["trial_uid"]


def require_intact(out: Out, pieces: Iterable[Piece], fingerprints: Mapping[str, str]) -> None:
    """Reads each stage file that goes into these pieces, whatever its size and time say.

    One that is damaged is removed, so that the next build makes it anew. Raises `NotBuiltError`.
    """
    tasks = dict.fromkeys(task for piece in pieces for task, *_ in piece.rows)
    names = {task_file_name("tokens", task, fingerprints[task]): task for task in tasks}
    _refuse(out, [names[name] for name in remove_damaged(out, "tokens", list(names))])


def _refuse(out: Out, tasks: Sequence[str]) -> None:
    if tasks:
        more = f", and {len(tasks) - 1} more" if tasks[1:] else ""
        raise NotBuiltError(
            f"{out.stage('tokens')}: the stage file of {tasks[0]} is missing or damaged{more}; "
            "run: seta-dag build"
        )


def rows_of(out: Out, variant: Variant, piece: Piece, fingerprints: Mapping[str, str]) -> pa.Table:
    """The piece's rows in order: its tasks are in order, so each task's own rows are all there is to sort."""
    wanted: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for task, run, uid in piece.rows:
        wanted[task].add((run, uid))
    if not wanted:
        return ROW_SCHEMA.empty_table()
    files = {task: out.task_file("tokens", task, fingerprints[task]) for task in wanted}
    tables = [_chosen(read_task(files[task]), trials) for task, trials in wanted.items()]
    return variant_rows(pa.concat_tables(tables), variant)


def _chosen(table: pa.Table, trials: set[tuple[str, str]]) -> pa.Table:
    """The lines of those (run, uid), by uid and then by log."""
    identity = table.select(["trial_uid", "conv_json_path", "run"]).to_pylist()
    keys = [(line["trial_uid"], line["conv_json_path"], at) for at, line in enumerate(identity)
            if (line["run"], line["trial_uid"]) in trials]  # fmt: skip
    order = [at for *_, at in sorted(keys)]
    return table if order == list(range(len(table))) else table.take(pa.array(order, pa.int64()))
