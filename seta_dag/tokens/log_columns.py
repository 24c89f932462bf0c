"""The columns of a row that do not depend on the variant."""

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
"""Columns of a row (rule R10) that are the same in both variants, except task id, trial uid and log."""


def raw_log(chosen: Snapshot) -> bytes:
    """Return `raw_conv_json`: the log in UTF-8, without a byte order mark."""
    return chosen.data.removeprefix(codecs.BOM_UTF8)


def short_values(
    root: Path, trial: Trial, report: Report, chosen: Snapshot, n_messages: int
) -> dict[str, Any]:
    """Return the short columns that do not depend on the variant.

    With them comes `content`, a digest that identifies them. `root` is the rollouts root, to which
    `conv_json_path` is relative. The digest covers `raw_conv_json`, the short columns, the task id and the
    trial uid.
    """
    model = chosen.log.get("model")
    short = {
        "reward": report.reward,
        "model": clean(model) if isinstance(model, str) else None,
        "conv_json_path": clean(chosen.path.relative_to(root).as_posix()),
        "provider_token_counts": provider_token_counts(chosen.log),
        "n_messages": n_messages,
    }
    # The long text goes in as it is; only what is short is worth serializing.
    content = xxh3_128(raw_log(chosen))
    content.update(orjson.dumps([trial.task_id, trial.uid, *short.values()]))
    return {**short, "content": content.hexdigest()}
