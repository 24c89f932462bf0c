"""The work that no implementation can avoid: parse logs, encode texts, write arrays as Parquet.

    python bench/ways/floor.py ROLLOUTS OUT PREPARED

PREPARED was written by prepare.py from a build: the paths of the chosen logs, and the rows of each shard as
Arrow, which is read through a memory map.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from fastokens._native import Tokenizer

VARIANTS = ("thinking", "nothink")
SHORT = [
    "task_id", "trial_uid", "reward", "model", "conv_json_path", "local_token_count", "n_assistant_tokens",
    "n_messages",
]  # fmt: skip


def prepared_shards(prepared: Path, variant: str) -> Iterator[pa.Table]:
    """Yield the rows of each shard, memory-mapped."""
    with pa.ipc.open_file(pa.memory_map(str(prepared / f"{variant}.arrow"))) as file:
        for at in range(file.num_record_batches):
            yield pa.Table.from_batches([file.get_batch(at)])


def parse_logs(rollouts: Path, prepared: Path) -> None:
    """Read and parse the chosen log of each row."""
    for path in json.loads((prepared / "logs.json").read_bytes()):
        orjson.loads((rollouts / path).read_bytes())


def encode(tokenizer: Tokenizer, prepared: Path) -> int:
    """Encode the texts of both variants as they are; return the number of tokens."""
    tokens = 0
    for variant in VARIANTS:
        for shard in prepared_shards(prepared, variant):
            ids, _ = tokenizer.encode_batch_flat(shard["chat_template_str"].to_pylist())
            tokens += len(ids) // 4  # `ids` are the bytes of 32-bit integers
    return tokens


def write_shard(rows: pa.Table, path: Path) -> None:
    """Write a shard with the settings of seta_dag/dataset/shards; prepare.py compares one with a build."""
    pq.write_table(
        rows,
        path,
        row_group_size=128,
        compression="zstd",
        compression_level=3,
        use_dictionary=["loss_mask.list.element"],
        write_page_index=True,
        write_statistics=SHORT,
        use_content_defined_chunking=True,
    )


def write_shards(prepared: Path, out: Path) -> None:
    """Write both datasets, several shards at once."""
    with ThreadPoolExecutor() as pool:
        for variant in VARIANTS:
            (out / variant).mkdir(parents=True)
            paths = (out / variant / f"{at:05d}.parquet" for at in range(10**5))
            list(pool.map(write_shard, prepared_shards(prepared, variant), paths))


def main() -> None:
    """Do all three, and print the number of tokens and the CPU seconds of each part."""
    rollouts, out, prepared = map(Path, sys.argv[1:])
    ends = {"start": time.process_time()}
    parse_logs(rollouts, prepared)
    ends["JSON"] = time.process_time()
    tokenizer = Tokenizer.from_json_str((prepared / "tokenizer.json").read_text("utf-8"))
    ends["tokenizer"] = time.process_time()
    tokens = encode(tokenizer, prepared)
    ends["encoding"] = time.process_time()
    write_shards(prepared, out)
    ends["Parquet"] = time.process_time()
    begins = [0.0, *ends.values()]
    parts = {name: end - begin for (name, end), begin in zip(ends.items(), begins, strict=False)}
    print(json.dumps({"tokens": tokens, "parts": parts}))


if __name__ == "__main__":
    main()
