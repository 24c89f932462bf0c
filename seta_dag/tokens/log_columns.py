"""What a row has of its log as it stands, and what identifies it: the same in both variants."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Any

import orjson
from xxhash import xxh3_128

from seta_dag.rollouts.ctrf import Report
from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.sources.snapshot import Snapshot
from seta_dag.rollouts.sources.usage import provider_token_counts

SHORT_COLUMNS = ("reward", "model", "conv_json_path", "provider_token_counts", "n_messages")
"""Columns of a row (rule R10) that are the same in both variants, apart from its ids and its log."""


def raw_log(chosen: Snapshot) -> bytes:
    """`raw_conv_json`: what was parsed as UTF-8, less a mark of its byte order."""
    return chosen.data.removeprefix(codecs.BOM_UTF8)


def short_values(
    root: Path, trial: Trial, report: Report, chosen: Snapshot, n_messages: int
) -> dict[str, Any]:
    """The short columns that a row's variants have in common, and `content`: what identifies all of those."""
    model = chosen.log.get("model")
    short = {
        "reward": report.reward,
        "model": clean(model) if isinstance(model, str) else None,
        "conv_json_path": clean(chosen.path.relative_to(root).as_posix()),
        "provider_token_counts": provider_token_counts(chosen.log),
        "n_messages": n_messages,
    }
    content = xxh3_128(raw_log(chosen))
    content.update(orjson.dumps([trial.task_id, trial.uid, *short.values()]))
    return {**short, "content": content.hexdigest()}
