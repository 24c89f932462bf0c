"""Find secrets in everything that a publish would send, so that none is published by accident."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

from seta_dag.dataset.shards.layout import SHARD_GLOB, shard_paths
from seta_dag.errors import ConfigError, DatasetError
from seta_dag.rollouts import json_reader
from seta_dag.secret_scan.fingerprints import fingerprint, former_fingerprints
from seta_dag.secret_scan.places import credentials
from seta_dag.secret_scan.scanner import Secret, find_secrets
from seta_dag.store.atomic import write_bytes

TEXT_COLUMNS = ("chat_template_str", "raw_conv_json")
NAME_COLUMNS = ("task_id", "trial_uid", "model", "conv_json_path")
CARD = "README.md"
_BATCH_ROWS = 64  # a row can have megabytes of text
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """The place and kind of a secret, without the secret itself.

    Attributes:
        trial_uid: the row; empty for the card.
        column: one of `TEXT_COLUMNS` or `NAME_COLUMNS`, or `CARD`.
        offset: position of the secret in the column's text, in characters.
        line: line of the column's text, counted from 1.
        kind: kind of secret, as the rule names it.
        fingerprint: 16 hex digits that identify the secret without revealing it.
    """

    trial_uid: str
    column: str
    offset: int
    line: int
    kind: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings of a scan, sorted.

    Attributes:
        blocking: findings that stop a publish.
        allowed: findings whose fingerprints the caller allows.
        n_rows: number of rows that were scanned.
        outdated: allowed fingerprints that no secret has, sorted.
    """

    blocking: tuple[Finding, ...]
    allowed: tuple[Finding, ...]
    n_rows: int
    outdated: tuple[str, ...] = ()

    def kinds(self) -> dict[str, int]:
        """Count the different blocking secrets by kind, most frequent first."""
        secrets = {(one.kind, one.fingerprint) for one in self.blocking}
        counts = {kind: sum(one == kind for one, _ in secrets) for kind, _ in sorted(secrets)}
        return dict(sorted(counts.items(), key=lambda item: -item[1]))


def scan(folder: Path, allowed: Iterable[str] = ()) -> Findings:
    """Scan names, paths and text of all rows of the dataset in `folder`, and its card.

    Findings whose fingerprint is in `allowed` do not block; those of version 0.1 count, too.

    Raises:
        DatasetError: if there are no shards.
    """
    shards = shard_paths(folder)
    if not shards:
        raise DatasetError(f"{folder}: no {SHARD_GLOB} in it; build the dataset first")
    known, n_rows = frozenset(allowed), 0
    blocking: set[Finding] = set()
    tolerated: set[Finding] = set()
    used: set[str] = set()
    for shard in shards:
        n_rows += pq.read_metadata(shard).num_rows
    for finding, value in _findings(folder, shards):
        matching = known & {finding.fingerprint, *former_fingerprints(value)}
        used |= matching
        (tolerated if matching else blocking).add(finding)
    outdated = tuple(sorted(known - used))
    return Findings(tuple(sorted(blocking)), tuple(sorted(tolerated)), n_rows, outdated)


def _findings(folder: Path, shards: Iterable[Path]) -> Iterator[tuple[Finding, str]]:
    """Yield each finding with the secret itself."""
    if (folder / CARD).is_file():
        yield from _in_text("", CARD, (folder / CARD).read_text("utf-8", "replace"))
    columns = [*NAME_COLUMNS, *TEXT_COLUMNS]
    for shard in shards:
        for batch in pq.ParquetFile(shard).iter_batches(_BATCH_ROWS, columns=columns):
            for number in range(batch.num_rows):
                yield from _in_row({name: batch[name][number].as_py() for name in columns})


def _in_row(row: Mapping[str, str | None]) -> Iterator[tuple[Finding, str]]:
    uid = _without_secrets(row["trial_uid"] or "")
    # At once, since the names are short and the scanner is called for each text.
    if find_secrets("\n".join(row[name] or "" for name in NAME_COLUMNS).encode()):
        for name in NAME_COLUMNS:
            yield from _in_text(uid, name, row[name] or "")
    log = row["raw_conv_json"] or ""
    named = list(credentials(_document(log)))
    yield from _in_text(uid, "chat_template_str", row["chat_template_str"] or "", named)
    yield from _in_text(uid, "raw_conv_json", log, named)


def _without_secrets(name: str) -> str:
    """Return a name as the report may show it."""
    data = name.encode("utf-8", "surrogatepass")
    for secret in reversed(find_secrets(data)):
        data = data[: secret.start] + f"[REDACTED:{secret.kind}]".encode() + data[secret.end :]
    return data.decode("utf-8", "replace")


def _document(log: str) -> Any:
    try:
        return json_reader.parse(log.encode())
    except json_reader.UnreadableError:
        return None


def _in_text(uid: str, column: str, text: str, named: Sequence[str] = ()) -> Iterator[tuple[Finding, str]]:
    data = text.encode("utf-8", "surrogatepass")
    for secret in find_secrets(data, named):
        yield _finding(uid, column, data, secret), secret.value


def _finding(uid: str, column: str, data: bytes, secret: Secret) -> Finding:
    before = data[: secret.start]
    offset = len(before.decode("utf-8", "surrogatepass"))
    return Finding(uid, column, offset, before.count(b"\n") + 1, secret.kind, fingerprint(secret.value))


def write_report(path: Path, findings: Findings) -> None:
    """Write the findings to `path` as indented JSON, which does not contain the secrets themselves."""
    write_bytes(path, orjson.dumps(asdict(findings), option=orjson.OPT_INDENT_2) + b"\n")


def read_allowed(path: Path) -> frozenset[str]:
    """Read the allowed fingerprints from a text file with one per line and comments after `#`.

    Raises:
        ConfigError: if the file cannot be read, or a line is not a fingerprint.
    """
    try:
        lines = [line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as a list of allowed fingerprints ({error})") from error
    wrong = [str(n) for n, line in enumerate(lines, 1) if line and not _FINGERPRINT.fullmatch(line)]
    if wrong:
        raise ConfigError(f"{path}: line {', '.join(wrong)}: not a fingerprint of 16 hex digits")
    return frozenset(filter(None, lines))
