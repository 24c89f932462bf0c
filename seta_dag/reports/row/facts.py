"""One-line facts about a row, the same in the terminal and on the page."""

from __future__ import annotations

from collections import Counter
from typing import Any

from seta_dag.reports.row.inspection import Inspection
from seta_dag.rollouts.sources.usage import TOKEN_COUNTS

LOG = "Log"
"""Name of the fact that is a path, which a terminal must not break."""


def facts(inspection: Inspection) -> list[tuple[str, str]]:
    """Return (name, value) of each fact, in display order."""
    row, line, tokens = inspection.row, inspection.line, len(inspection.ids)
    fraction = inspection.n_trainable / max(tokens, 1)
    return [
        ("Tokens", f"{tokens:,}"),
        ("Trainable", f"{inspection.n_trainable:,} ({fraction:.1%})"),
        ("Turns", _turns(inspection)),
        ("Logged messages", f"{row['n_messages']}"),
        ("Reward", f"{row['reward']:.3f} ({line.passed} of {line.total} tests passed)"),
        ("Model", row["model"] or "not logged"),
        ("Flags", ", ".join(line.flags or ()) or "none"),
        ("Ids decode to the rendered text", "yes, exactly" if inspection.reads_as_text else "no"),
        ("Tokens counted by the provider", _provider(row["provider_token_counts"])),
        (LOG, row["conv_json_path"]),
    ]


def _turns(inspection: Inspection) -> str:
    roles = Counter(turn.role for turn in inspection.turns)
    return ", ".join(f"{count} {role}" for role, count in roles.items())


def _provider(counts: dict[str, Any]) -> str:
    named = [(name.removesuffix("_tokens"), counts[name]) for name in TOKEN_COUNTS]
    return ", ".join(f"{count:,} {name}" for name, count in named if count is not None) or "not logged"
