"""Which rows of the written shards were proved: each is the very row that its proofs were made for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from seta_dag.dataset.lists import to_numpy
from seta_dag.dataset.rows import digest
from seta_dag.dataset.shards import shard_paths
from seta_dag.dataset.task_table import read_task
from seta_dag.out import Out
from seta_dag.tokens.render import Variant

PROOFS: dict[str, str] = {
    "decodes": "the ids decode to the NFC form of chat_template_str",
    "turns": "the trainable spans are the conversation's assistant turns, reasoning as logged or none",
    "whole_text": "tokenizing chat_template_str whole gives the ids, the reference's token scan the mask",
    "engines_agree": "HF tokenizers gives the same ids",
}
"""What is proved of every row, but the last two: of rows without literal markup, and of a sample."""


_SAID_BY = {
    "decodes": ("decodes",),
    "turns": ("turns", "reasoning"),
    "whole_text": ("whole_text", "token_scan", "markup"),
    "engines_agree": ("engines_agree",),
}


def refused_by(proof: str, detail: str) -> bool:
    """Whether it was this proof that dropped a trial; `detail` is `variant: what failed: where`."""
    return detail.partition(": ")[2].startswith(_SAID_BY[proof])


@dataclass(slots=True)
class Proved:
    """Of one variant's shards: rows and tokens by proof, and the rows that no proof is for.

    `refused` are the trials that a proof dropped, uid to sentence; they are in no shard.
    """

    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PROOFS, 0))
    tokens: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PROOFS, 0))
    unproved: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def read_proofs(out: Out, variant: Variant, fingerprints: Mapping[str, str]) -> Proved:
    """Reads every shard back and looks for the proof of each row in the tasks' stage files."""
    proved = Proved()
    held: dict[str, list[str]] = {}
    for line in _stage_lines(out, variant, fingerprints):
        if line["reason"] == "not_exact":
            proved.refused[line["trial_uid"]] = line["detail"]
        elif line["reason"] is None:
            held[line[f"{variant}.proof"]] = _names(line, variant)
    for shard in shard_paths(out.dataset(variant)):
        for uid, found, tokens in _rows(shard):
            if found not in held:
                proved.unproved.append(uid)
            for proof in held.get(found, ()):
                proved.rows[proof] += 1
                proved.tokens[proof] += tokens
    return proved


def _stage_lines(out: Out, variant: Variant, fingerprints: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    columns = ["trial_uid", "reason", "detail", "against_reference"]
    columns += [f"{variant}.literal_markup", f"{variant}.proof"]
    for task, fingerprint in fingerprints.items():
        path = out.task_file("tokens", task, fingerprint)
        if path.is_file():
            yield from read_task(path).select(columns).to_pylist()


def _names(line: Mapping[str, Any], variant: Variant) -> list[str]:
    """The proofs that held for a row: which ones apply to it, else it would not be one."""
    whole = [] if line[f"{variant}.literal_markup"] else ["whole_text"]
    return ["decodes", "turns", *whole, *(["engines_agree"] if line["against_reference"] else [])]


def _rows(shard: Path) -> Iterator[tuple[str, str, int]]:
    """(trial uid, digest, tokens) of each row as it was written."""
    with pq.ParquetFile(shard) as file:
        for batch in file.iter_batches(columns=["trial_uid", "chat_template_str", "input_ids", "loss_mask"]):
            ids, at = to_numpy(batch["input_ids"], np.int32)
            mask, _ = to_numpy(batch["loss_mask"], np.int64)
            texts = batch["chat_template_str"].to_pylist()
            spans = zip(at[:-1].tolist(), at[1:].tolist(), strict=True)
            for uid, text, (start, end) in zip(batch["trial_uid"].to_pylist(), texts, spans, strict=True):
                small = mask[start:end].astype(np.int8)
                yield uid, digest(text, ids[start:end].tobytes(), small.tobytes()), end - start
