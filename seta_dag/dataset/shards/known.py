"""Read all shards of a dataset, those that have not changed from a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from seta_dag.dataset.shards.facts import Shard
from seta_dag.dataset.shards.layout import shard_paths
from seta_dag.dataset.shards.reader import read_shard
from seta_dag.executor.memory import give_back
from seta_dag.store.atomic import mark
from seta_dag.store.table import Table


@dataclass(frozen=True, slots=True)
class _KnownShard:
    """A shard that was read. The key changes with the file, but not with its name."""

    key: str
    shard: Shard


_TABLE: Table[_KnownShard] = Table(_KnownShard)


def read_shards(dataset: Path, memo: Path | None = None) -> list[Shard]:
    """Read all shards of a dataset, in order; empty if there are none.

    `memo` is a table: shards whose size and time have not changed are taken from it. None reads all.

    Raises:
        DatasetError: if a shard cannot be read or has another schema than `ROW_SCHEMA`.
        OutputError: if the table cannot be written.
    """
    known = _known(memo)
    paths = shard_paths(dataset)
    shards = {_key(path): _named(known.get(_key(path)), path) or read_shard(path) for path in paths}
    if shards.keys() != known.keys():
        give_back()  # free memory that the C library would keep after the large columns
        _write(memo, shards)
    return list(shards.values())


def remember(dataset: Path, memo: Path, shards: Iterable[Shard]) -> None:
    """Add what was read back from these shards of `dataset`, before they came there, to the table."""
    of_name = {shard.name: shard for shard in shards}
    paths = (path for path in shard_paths(dataset) if path.name in of_name)
    _write(memo, _known(memo) | {_key(path): of_name[path.name] for path in paths})


def _known(memo: Path | None) -> dict[str, Shard]:
    return {one.key: one.shard for one in (memo and _TABLE.read(memo)) or ()}


def _write(memo: Path | None, shards: Mapping[str, Shard]) -> None:
    if memo is not None:
        _TABLE.write(memo, [_KnownShard(key, shard) for key, shard in shards.items()])


def _key(path: Path) -> str:
    # Unchanged shards are hard-linked under a new name whenever the number of shards changes.
    return f"{path.stat().st_ino} {mark(path)}"


def _named(shard: Shard | None, path: Path) -> Shard | None:
    return shard and replace(shard, name=path.name)
