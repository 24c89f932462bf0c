"""The ledger for programs: a JSON object per line, or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import fields

from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.reports.printable import json_line

_COLUMNS = [field.name for field in fields(LedgerLine) if field.name != "notes"]


def as_json_lines(lines: Iterable[LedgerLine]) -> str:
    """Return one JSON object per line, with every column and its own type."""
    return "\n".join(map(json_line, lines))


def as_csv(lines: Iterable[LedgerLine]) -> str:
    """Return CSV with a heading: every column but the notes, flags separated by spaces, nothing for null."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(_COLUMNS)
    for line in lines:
        values = [getattr(line, name) for name in _COLUMNS]
        rows.writerow([" ".join(one) if isinstance(one, tuple) else one for one in values])
    return text.getvalue().rstrip("\n")
