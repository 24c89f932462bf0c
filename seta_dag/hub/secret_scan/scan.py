"""Find secrets in the text of all rows, so that none is published by accident.

The text is searched twice: Arrow searches whole columns with RE2 for rows that may contain a secret, and
Python's `re` then finds the secrets in those few rows.
"""

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

from seta_dag.dataset.shards.layout import SHARD_GLOB, shard_paths
from seta_dag.errors import ConfigError, DatasetError
from seta_dag.hub.secret_scan.rules import Rule, rules
from seta_dag.store.atomic import write_bytes

TEXT_COLUMNS = ("chat_template_str", "raw_conv_json")
"""Columns with text of the conversation. The other string columns are names and paths."""
_BATCH_ROWS = 64  # a row can have megabytes of text
# A secret can be wrapped, in JSON with `\n`. Neither white space nor backslashes belong to it.
_WRAPPING = re.compile(r"[\s\\]+")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_ESCAPES = {r"\n": " \n", r"\r": " \r", r"\t": " \t", r"\"": ' "'}
"""JSON escapes and replacements of the same length, so that offsets stay valid.

Without them, the `n` of an escaped newline looks like the first letter of the token that follows it.
"""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """The place and kind of a secret, without the secret itself.

    Attributes:
        trial_uid: the row.
        column: one of `TEXT_COLUMNS`.
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
    """

    blocking: tuple[Finding, ...]
    allowed: tuple[Finding, ...]
    n_rows: int


def scan(folder: Path, allowed: Iterable[str] = ()) -> Findings:
    """Scan the text of all rows of the dataset in `folder`, in batches of a few rows.

    Findings whose fingerprint is in `allowed` do not block.

    Raises:
        DatasetError: if there are no shards.
    """
    shards = shard_paths(folder)
    if not shards:
        raise DatasetError(f"{folder}: no {SHARD_GLOB} in it; build the dataset first")
    # Several rules can match the same secret, hence a set.
    known, all_rules, found, n_rows = frozenset(allowed), rules(), set[Finding](), 0
    for shard in shards:
        for batch in pq.ParquetFile(shard).iter_batches(_BATCH_ROWS, columns=["trial_uid", *TEXT_COLUMNS]):
            found.update(_scan_batch(batch, all_rules))
            n_rows += batch.num_rows
    ordered = sorted(found)
    blocking = tuple(finding for finding in ordered if finding.fingerprint not in known)
    return Findings(blocking, tuple(f for f in ordered if f.fingerprint in known), n_rows)


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


def fingerprint(kind: str, secret: str) -> str:
    """Return the first 16 hex digits of the sha256 of kind and secret.

    It does not depend on quotes around the secret or on line breaks in it.
    """
    bare = _WRAPPING.sub("", secret).strip("\"'=:")
    return hashlib.sha256(f"{kind}\0{bare}".encode()).hexdigest()[:16]


def _scan_batch(batch: pa.RecordBatch, all_rules: Sequence[Rule]) -> Iterator[Finding]:
    # One alternation of all prefilters: each column is searched once, not once per rule.
    any_rule = "|".join(f"(?:{rule.prefilter})" for rule in all_rules)
    for column in TEXT_COLUMNS:
        texts = batch.column(column)
        for escape, plain in _ESCAPES.items():
            texts = pc.replace_substring(texts, escape, plain)
        for row in np.flatnonzero(pc.match_substring_regex(texts, any_rule).fill_null(False)):
            uid, stored = batch.column("trial_uid")[row].as_py(), batch.column(column)[row].as_py()
            for rule in all_rules:
                yield from _find(rule, uid, column, texts[row].as_py(), stored)


def _find(rule: Rule, uid: str, column: str, text: str, as_stored: str) -> Iterator[Finding]:
    # `text` has the escapes replaced, so its newlines are not those of the column; its offsets are.
    for offset, secret in rule.find(text):
        line = as_stored.count("\n", 0, offset) + 1
        yield Finding(uid, column, offset, line, rule.kind, fingerprint(rule.kind, secret))
