"""What is known of a written shard without its long columns."""

from __future__ import annotations

from dataclasses import dataclass

from seta_dag.rollouts.sources.usage import TokenCounts


@dataclass(frozen=True, slots=True)
class RowFacts:
    """What was read back of one row. The columns are as written, and null only if a shard is damaged.

    Attributes:
        ids: length of `input_ids`.
        mask: length of `loss_mask`.
        ones: number of 1s in the mask.
        others: number of mask entries other than 0 and 1.
        digest: hex xxh3 of text, ids and mask, which identifies the row that was proved.
        content: digest of all other columns that the variants share, as `LogColumns.content`.
    """

    task_id: str
    trial_uid: str
    conv_json_path: str | None
    reward: float | None
    model: str | None
    provider_token_counts: TokenCounts | None
    n_messages: int | None
    local_token_count: int | None
    n_assistant_tokens: int | None
    ids: int
    mask: int
    ones: int
    others: int
    digest: str
    content: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that `datasets` reads from a shard: number of rows, and bytes as Arrow."""

    rows: int
    size: int


@dataclass(frozen=True, slots=True)
class Shard:
    """Content of one shard, without its long columns.

    Attributes:
        name: file name.
        size: of the file, in bytes.
        rows: in order.
        batches: that `datasets` reads from the file.
    """

    name: str
    size: int
    rows: tuple[RowFacts, ...]
    batches: tuple[Batch, ...]
