"""Prepare the input of floor.py from a build; not measured.

python bench/ways/prepare.py BUILT PREPARED
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from floor import VARIANTS, prepared_shards, write_shard

from seta_dag.dataset.schema import LONG, ROW_SCHEMA
from seta_dag.tokens.student.student import qwen3_tokenizer_path


def shards(built: Path, variant: str) -> list[Path]:
    """Return the shards of a variant, in order."""
    return sorted((built / variant / "data").glob("*.parquet"))


def prepare(built: Path, prepared: Path, variant: str) -> None:
    """Write the rows of each shard as one record batch of an Arrow file."""
    with pa.ipc.new_file(str(prepared / f"{variant}.arrow"), ROW_SCHEMA) as writer:
        for path in shards(built, variant):
            (batch,) = pq.read_table(path).cast(ROW_SCHEMA).combine_chunks().to_batches()
            writer.write_batch(batch)


def require_same_bytes(built: Path, prepared: Path, variant: str) -> None:
    """Check that floor.py writes the first shard exactly as the build did.

    Otherwise it would be the floor of something else.

    Raises:
        RuntimeError: if the bytes differ.
    """
    rows, written = next(prepared_shards(prepared, variant)), shards(built, variant)[0].read_bytes()
    # Chunks of a column decide where its pages end. The build writes long columns one row per chunk.
    one_per_chunk = pa.concat_tables(rows.slice(at, 1) for at in range(len(rows)))
    chunked = pa.table({name: (one_per_chunk if name in LONG else rows)[name] for name in rows.schema.names})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shard"
        write_shard(chunked.cast(ROW_SCHEMA), path)
        if path.read_bytes() != written:
            raise RuntimeError(
                "floor.py and seta_dag/dataset/shards write different shards; adapt write_shard in floor.py"
            )


def main() -> None:
    """Write the paths of the chosen logs, the tokenizer and the rows."""
    built, prepared = Path(sys.argv[1]), Path(sys.argv[2])
    prepared.mkdir(parents=True)
    shutil.copy(qwen3_tokenizer_path(), prepared / "tokenizer.json")
    table = pa.concat_tables(
        pq.read_table(path, columns=["conv_json_path"]) for path in shards(built, "thinking")
    )
    (prepared / "logs.json").write_text(json.dumps(table["conv_json_path"].to_pylist()))
    for variant in VARIANTS:
        prepare(built, prepared, variant)
        require_same_bytes(built, prepared, variant)


if __name__ == "__main__":
    main()
