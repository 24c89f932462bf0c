"""The columns of a row that do not depend on the variant."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

import orjson
from xxhash import xxh3_128

from seta_dag.rollouts.ctrf import Report
from seta_dag.rollouts.json_reader import clean
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.sources.snapshot import Snapshot
from seta_dag.rollouts.sources.usage import TokenCounts, provider_token_counts


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


def raw_log(chosen: Snapshot) -> bytes:
    """Return `raw_conv_json`: the log in UTF-8, without a byte order mark."""
    return chosen.data.removeprefix(codecs.BOM_UTF8)


def log_columns(root: Path, trial: Trial, report: Report, chosen: Snapshot, n_messages: int) -> LogColumns:
    """Return the columns of a trial; `root` is the rollouts root."""
    model = chosen.log.get("model")
    reward, name = report.reward, clean(model) if isinstance(model, str) else None
    path = clean(chosen.path.relative_to(root).as_posix())
    counts = provider_token_counts(chosen.log)
    # The long text goes in as it is; only what is short is worth serializing.
    content = xxh3_128(raw_log(chosen))
    content.update(orjson.dumps([trial.task_id, trial.uid, reward, name, path, counts, n_messages]))
    return LogColumns(reward, name, path, counts, n_messages, content.hexdigest())
