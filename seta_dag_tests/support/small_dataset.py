"""A dataset of a few rows, as a build leaves it on disk, from conversations given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seta_dag.dataset.filters.filters import Filters
from seta_dag.dataset.ledger.ledger import write_ledger
from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.dataset.schema import ROW_SCHEMA
from seta_dag.rollouts.conversation import Conversation
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.renderers.qwen3 import render
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag.tokens.variants import VARIANTS, Variant


@dataclass(frozen=True)
class SmallTrial:
    """A trial of the dataset; without a conversation it is a line of the ledger alone."""

    uid: str | None
    task: str
    talk: Conversation | None = None
    run: str = "exp/run"
    ledger: tuple[tuple[str, Any], ...] = ()

    @property
    def log(self) -> str:
        run = "" if self.run == "." else f"{self.run}/"
        return f"{run}trials/{self.uid}/CAMEL_LOG_DIR/agent/conv_1.json"


def write_dataset(out: OutputLayout, trials: Sequence[SmallTrial], tokenizer: StudentTokenizer) -> None:
    """The ledger of all trials, and a shard a row in both variants."""
    write_ledger(out.ledger, [_line(trial) for trial in trials], Filters())
    for variant in VARIANTS:
        data = out.dataset(variant) / "data"
        data.mkdir(parents=True)
        rows = [_row(trial, variant, tokenizer) for trial in trials if trial.talk is not None]
        for number, row in enumerate(rows):
            table = pa.Table.from_pylist([row], schema=ROW_SCHEMA)
            pq.write_table(table, data / f"train-{number:05d}-of-{len(rows):05d}.parquet")


def _line(trial: SmallTrial) -> LedgerLine:
    line = LedgerLine("exp/run", trial.run, trial.uid, trial.task, 0)
    if trial.talk is not None:
        of_row = {"disposition": "row", "reward": 0.75, "passed": 3, "total": 4}
        line = replace(line, **of_row, flags=("literal_markup",))
    return replace(line, **dict(trial.ledger))


def _row(trial: SmallTrial, variant: Variant, tokenizer: StudentTokenizer) -> dict[str, Any]:
    assert trial.talk is not None
    rendered = render(trial.talk, variant)
    (made,) = tokenizer.tokenize([rendered])
    return {
        "task_id": trial.task,
        "trial_uid": trial.uid,
        "reward": 0.75,
        "model": "kimi-k2.5",
        "conv_json_path": trial.log,
        "provider_token_counts": {"prompt_tokens": 1234},
        "local_token_count": len(made.ids),
        "n_assistant_tokens": made.n_trainable,
        "n_messages": trial.talk.n_messages,
        "raw_conv_json": json.dumps(_log(trial.talk)),
        "chat_template_str": rendered.text,
        "input_ids": made.ids.astype(np.int32),
        "loss_mask": made.mask.astype(np.int64),
    }


def _log(talk: Conversation) -> dict[str, Any]:
    """The least of a log that has these messages."""
    return {"request": {"messages": [{"role": turn.role, "content": turn.content} for turn in talk.turns]}}
