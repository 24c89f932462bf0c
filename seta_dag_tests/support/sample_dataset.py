"""A small dataset written by hand: two shards of several row groups, and the ledger that tells of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.dataset.schema import ROW_SCHEMA
from seta_dag.tokens.variants import VARIANTS

RUNS = ("demo/kimi", "demo/kimi_resume")
MASKS = [[0, 0, 1, 1, 1], [0, 1, 1], [0] * 20 + [1] * 4, [0, 1], [0, 0, 1], [1, 1, 1, 0], [0, 1, 0, 1, 1]]
REWARDS = [1.0, 0.0, 0.5, 1.0, 2 / 3, 1.0, 0.25]
"""One a row: 46 tokens, 17 of them trainable; 3 of 7 rows with reward 1.0."""


def sample_row(
    number: int, mask: Sequence[int], reward: float, model: str | None = "kimi-k2.5"
) -> dict[str, Any]:
    """A row of that mask. Its count columns are wrong on purpose: statistics may not rely on them."""
    text = f"Zeile {number} ✓"
    return {
        "task_id": f"task_{number // 2}",
        "trial_uid": f"task_{number // 2}_t{number % 2}_{number:06x}",
        "reward": reward,
        "model": model,
        "conv_json_path": f"{RUNS[number % 2]}/trials/{number}/conv_1.json",
        "provider_token_counts": {"cached_tokens": None, "completion_tokens": 1, "prompt_tokens": 2},
        "local_token_count": 999,
        "n_assistant_tokens": 998,
        "n_messages": 3,
        "raw_conv_json": "{}" + " " * number,
        "chat_template_str": text,
        "input_ids": list(range(len(mask))),
        "loss_mask": list(mask),
    }


def sample_rows() -> list[dict[str, Any]]:
    """Seven rows of four tasks; one has no model."""
    numbered = enumerate(zip(MASKS, REWARDS, strict=True))
    return [sample_row(n, mask, reward, None if n == 3 else "kimi-k2.5") for n, (mask, reward) in numbered]


def write_dataset(folder: Path, rows: Sequence[Mapping[str, Any]], shards: int = 2, group: int = 2) -> Path:
    """Writes the rows as that many shards, in row groups of `group` rows; gives `folder` back."""
    (folder / "data").mkdir(parents=True)
    size = -(-len(rows) // shards)
    for i in range(shards):
        table = pa.Table.from_pylist(
            [dict(row) for row in rows[i * size : (i + 1) * size]], schema=ROW_SCHEMA
        )
        path = folder / "data" / f"train-{i:05d}-of-{shards:05d}.parquet"
        pq.write_table(table, path, compression="zstd", row_group_size=group)
    return folder


def ledger_line(
    run: str, disposition: str, reason: str | None = None, flags: Sequence[str] = ()
) -> LedgerLine:
    """A line of the ledger with every column; a row has 2 assistant turns, one with reasoning."""
    turns = {"n_assistant_turns": 2, "n_reasoning_turns": 1} if disposition == "row" else {}
    line = LedgerLine(RUNS[0], run, None, None, None, disposition, reason, flags=tuple(flags))
    return replace(line, **turns)


def sample_ledger() -> list[LedgerLine]:
    """The rows of `sample_rows`, and two superseded and three dropped trials."""
    lines = []
    for n, mask in enumerate(MASKS):
        flags = ["literal_markup", "log_skipped"] if n == 0 else ["log_skipped"] if n == 1 else []
        counts = {f"{variant}_tokens": len(mask) for variant in VARIANTS}
        counts |= {f"{variant}_trainable_tokens": sum(mask) for variant in VARIANTS}
        lines.append(replace(ledger_line(RUNS[n % 2], "row", flags=flags), **counts))
    lines += [ledger_line(RUNS[0], "superseded", flags=["log_skipped"]), ledger_line(RUNS[0], "superseded")]
    lines += [ledger_line(RUNS[0], "dropped", "no_tests"), ledger_line(RUNS[1], "dropped", "bad_name")]
    return [*lines, ledger_line(RUNS[1], "dropped", "no_tests")]
