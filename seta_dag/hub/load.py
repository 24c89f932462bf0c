"""The token columns of a dataset, wherever it lies, memory-mapped and without its text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow.parquet as pq

from seta_dag.dataset.row import FEATURES
from seta_dag.errors import ConfigError, DatasetError

if TYPE_CHECKING:
    from datasets import Dataset

TOKEN_COLUMNS = ("task_id", "input_ids", "loss_mask")


def load_tokens(path: str) -> Dataset:
    """`TOKEN_COLUMNS` of all rows in their order.

    `path` is a dataset's folder, a parquet or jsonl file, or a Hub id whose shards are then downloaded
    to the client's cache. Only these columns are read from shards, one row group at a time, and kept in
    the cache of `datasets`. Raises `ConfigError` where there is nothing, `DatasetError` where it is no
    such dataset.
    """
    source = Path(path)
    if source.suffix == ".jsonl" and source.is_file():
        return _from_jsonl(source)
    if source.suffix == ".parquet" and source.is_file():
        return _from_parquet([source])
    shards = sorted(dataset_folder(path).glob("data/train-*.parquet"))
    if not shards:
        raise DatasetError(f"{path}: no data/train-*.parquet in it")
    return _from_parquet(shards)


def dataset_folder(path: str) -> Path:
    """The folder at `path`, or that of the Hub id `path` in the client's cache: its card and shards.

    HF_TOKEN and HF_ENDPOINT are respected. Raises `ConfigError` where there is neither.
    """
    return Path(path) if Path(path).is_dir() else _download(path)


def _download(repo_id: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    files = ["README.md", "data/train-*.parquet"]
    try:
        return Path(snapshot_download(repo_id, repo_type="dataset", allow_patterns=files))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise ConfigError(
            f"{repo_id}: neither a folder, a parquet or jsonl file, nor a dataset on the Hub "
            f"that this token may read ({type(error).__name__})"
        ) from error


def _from_parquet(shards: list[Path]) -> Dataset:
    from datasets import Dataset

    for shard in shards:
        missing = set(TOKEN_COLUMNS) - set(pq.read_schema(shard).names)
        if missing:
            raise DatasetError(f"{shard}: has no column {', '.join(sorted(missing))}")
    dataset: Dataset = Dataset.from_parquet([str(shard) for shard in shards], columns=list(TOKEN_COLUMNS))
    return dataset


def _from_jsonl(path: Path) -> Dataset:
    from datasets import Dataset, Features

    features = Features.from_dict({name: FEATURES[name] for name in TOKEN_COLUMNS})
    # The cache is keyed by the arguments, so the file's time is one of them.
    arguments = {"path": str(path.resolve()), "changed": path.stat().st_mtime_ns}
    dataset: Dataset = Dataset.from_generator(_jsonl_rows, features=features, gen_kwargs=arguments)
    return dataset


def _jsonl_rows(path: str, changed: int) -> Iterator[dict[str, Any]]:
    with Path(path).open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
                yield {name: row.get(name) for name in TOKEN_COLUMNS}
            except (ValueError, AttributeError) as error:
                raise DatasetError(f"{path}:{number}: not a row in JSON; export it again") from error
