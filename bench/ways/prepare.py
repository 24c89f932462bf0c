"""What floor.py works on, out of a build; not measured.

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
    """The shards of a variant, in order."""
    return sorted((built / variant / "data").glob("*.parquet"))


def prepare(built: Path, prepared: Path, variant: str) -> None:
    """Writes the rows of each shard as one batch."""
    with pa.ipc.new_file(str(prepared / f"{variant}.arrow"), ROW_SCHEMA) as writer:
        for path in shards(built, variant):
            (batch,) = pq.read_table(path).cast(ROW_SCHEMA).combine_chunks().to_batches()
            writer.write_batch(batch)


def require_same_bytes(built: Path, prepared: Path, variant: str) -> None:
    """The floor writes what the build wrote, or it would be the floor of something else.

    Where a page ends depends on the chunks that the rows come in: of the long columns one row in each.
    """
    rows, written = next(prepared_shards(prepared, variant)), shards(built, variant)[0].read_bytes()
    apart = pa.concat_tables(rows.slice(at, 1) for at in range(len(rows)))
    chunked = pa.table({name: (apart if name in LONG else rows)[name] for name in rows.schema.names})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shard"
        write_shard(chunked.cast(ROW_SCHEMA), path)
        if path.read_bytes() != written:
            raise RuntimeError("floor.py writes a shard otherwise than seta_dag/dataset/shards.py")


def main() -> None:
    """Writes the chosen logs' paths, the tokenizer and the rows."""
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
