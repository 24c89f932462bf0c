"""The columns of a row that do not depend on the variant."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from xxhash import xxh3_128

from seta_dag.rollouts.ctrf import Report
from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.sources.snapshot import Snapshot
from seta_dag.rollouts.sources.usage import TokenCounts, provider_token_counts

SHORT = (
    "task_id", "trial_uid", "reward", "model", "conv_json_path", "provider_token_counts", "n_messages",
)  # fmt: skip
"""The columns that do not depend on the variant, apart from the log."""


@dataclass(frozen=True, slots=True)
class LogColumns:
    """Columns of a row (rule R10) that are the same in both variants, except task id, trial uid and log.

    Attributes:
        reward: passed / total tests.
        model: the teacher, as the log names it.
        conv_json_path: path of the log, relative to the rollouts root.
        provider_token_counts: what the provider counted.
        n_messages: messages of the conversation, counting the final turn.
        content: hex digest of these columns, the raw log, the task id and the trial uid.
    """

    reward: float | None
    model: str | None
    conv_json_path: str
    provider_token_counts: TokenCounts
    n_messages: int
    content: str = ""

    def with_content(self, log: bytes, task_id: str | None, trial_uid: str) -> LogColumns:
        """Return a copy with the digest; `log` is `raw_conv_json` in UTF-8."""
        short = [task_id, trial_uid, *(getattr(self, name) for name in SHORT[2:])]
        return replace(self, content=content_digest(xxh3_128(log), short))


def raw_log(chosen: Snapshot) -> bytes:
    """Return `raw_conv_json`: the log in UTF-8, without a byte order mark."""
    return chosen.data.removeprefix(codecs.BOM_UTF8)


def log_columns(
    root: Path, trial: Trial, report: Report, chosen: Snapshot, log: bytes, n_messages: int
) -> LogColumns:
    """Return the columns of a trial.

    `root` is the rollouts root, `log` is `raw_conv_json` in UTF-8.
    """
    model = chosen.log.get("model")
    reward, name = report.reward, clean(model) if isinstance(model, str) else None
    path = clean(chosen.path.relative_to(root).as_posix())
    counts = provider_token_counts(chosen.log)
    columns = LogColumns(reward, name, path, counts, n_messages)
    return columns.with_content(log, trial.task_id, trial.uid)


def content_digest(log: xxh3_128, short: Sequence[Any]) -> str:
    """Return the digest of the columns of a row that do not depend on the variant.

    It is made when the log is read, and compared with what is in the shards later.

    Args:
        log: the hash of `raw_conv_json` in UTF-8. The other columns are added to it.
        short: values of the columns `SHORT`.
    """
    log.update(orjson.dumps(list(short)))
    return log.hexdigest()
