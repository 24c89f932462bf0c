"""The secrets gate: what must not be published by accident, found in the text of all rows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from seta_dag.errors import ConfigError, DatasetError
from seta_dag.hub.secret_scan.rules import Rule, rules
from seta_dag.store.atomic import write_bytes

TEXT_COLUMNS = ("chat_template_str", "raw_conv_json")
_ROWS_AT_ONCE = 64
_WRAPPING = re.compile(r"[\s\\]+")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_ESCAPES = {r"\n": " \n", r"\r": " \r", r"\t": " \t", r"\"": ' "'}
"""Escapes of JSON as what they stand for, in as many characters, so that offsets stay: the `n` of an
escaped newline would else be read as the first letter of the token behind it."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Where a secret stands: `offset` in characters and `line` from 1, in that column of that trial.

    `fingerprint` tells equal secrets apart from others without telling the secret.
    """

    trial_uid: str
    column: str
    offset: int
    line: int
    kind: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings, those that the caller allows apart from those that stop a publish."""

    blocking: tuple[Finding, ...]
    allowed: tuple[Finding, ...]
    n_rows: int


def scan(folder: Path, allowed: Iterable[str] = ()) -> Findings:
    """Scans the text of all rows of the dataset in `folder`, some rows at a time.

    `allowed` are fingerprints that do not block. Raises `DatasetError` where there are no shards.
    """
    shards = sorted(folder.glob("data/train-*.parquet"))
    if not shards:
        raise DatasetError(f"{folder}: no data/train-*.parquet in it; build the dataset first")
    known, wanted, found, n_rows = frozenset(allowed), rules(), set[Finding](), 0
    for shard in shards:
        for batch in pq.ParquetFile(shard).iter_batches(_ROWS_AT_ONCE, columns=["trial_uid", *TEXT_COLUMNS]):
            found.update(_scan_batch(batch, wanted))
            n_rows += batch.num_rows
    ordered = sorted(found)
    blocking = tuple(finding for finding in ordered if finding.fingerprint not in known)
    return Findings(blocking, tuple(f for f in ordered if f.fingerprint in known), n_rows)


def write_report(path: Path, findings: Findings) -> None:
    """Writes the findings as JSON for a person to read; the secrets themselves are not in it."""
    write_bytes(path, orjson.dumps(asdict(findings), option=orjson.OPT_INDENT_2) + b"\n")


def read_allowed(path: Path) -> frozenset[str]:
    """The fingerprints in a text file, one a line; `#` begins a comment. Raises `ConfigError`."""
    try:
        lines = [line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: can't be read as a list of allowed fingerprints ({error})") from error
    wrong = [str(n) for n, line in enumerate(lines, 1) if line and not _FINGERPRINT.fullmatch(line)]
    if wrong:
        raise ConfigError(f"{path}: line {', '.join(wrong)}: not a fingerprint of 16 hex digits")
    return frozenset(filter(None, lines))


def fingerprint(kind: str, secret: str) -> str:
    """The first 16 hex digits of sha256 over the kind and the secret, however it was quoted or wrapped."""
    bare = _WRAPPING.sub("", secret).strip("\"'=:")
    return hashlib.sha256(f"{kind}\0{bare}".encode()).hexdigest()[:16]


def _scan_batch(batch: pa.RecordBatch, wanted: Sequence[Rule]) -> Iterator[Finding]:
    any_of_them = "|".join(f"(?:{rule.prefilter})" for rule in wanted)
    for column in TEXT_COLUMNS:
        texts = batch.column(column)
        for escape, plain in _ESCAPES.items():
            texts = pc.replace_substring(texts, escape, plain)
        for row in np.flatnonzero(pc.match_substring_regex(texts, any_of_them).fill_null(False)):
            uid, stored = batch.column("trial_uid")[row].as_py(), batch.column(column)[row].as_py()
            for rule in wanted:
                yield from _find(rule, uid, column, texts[row].as_py(), stored)


def _find(rule: Rule, uid: str, column: str, text: str, as_stored: str) -> Iterator[Finding]:
    for offset, secret in rule.find(text):
        line = as_stored.count("\n", 0, offset) + 1
        yield Finding(uid, column, offset, line, rule.kind, fingerprint(rule.kind, secret))
