"""Find a dataset on disk or on the Hub, and read its token columns, memory-mapped and without its text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow.parquet as pq

from seta_dag.dataset.schema import FEATURES
from seta_dag.dataset.shards.layout import SHARD_GLOB, shard_paths
from seta_dag.errors import ConfigError, DatasetError
from seta_dag.store.parquet import opened

if TYPE_CHECKING:
    from datasets import Dataset

TOKEN_COLUMNS = ("task_id", "input_ids", "loss_mask")
"""All that training and splitting need; the text columns are several times as large."""


def load_tokens(path: str) -> Dataset:
    """Load `TOKEN_COLUMNS` of all rows, in order.

    `path` is a dataset's folder, a parquet or jsonl file, or a Hub id, whose card and shards are downloaded
    to the cache of `huggingface_hub`. Only these columns are read, one row group at a time. They are kept in
    the cache of `datasets`.

    Raises:
        ConfigError: `path` is neither here nor on the Hub.
        DatasetError: the source cannot be read or lacks a column.
    """
    source = Path(path)
    if source.suffix == ".jsonl" and source.is_file():
        return _from_jsonl(source)
    if source.suffix == ".parquet" and source.is_file():
        return _from_parquet([source])
    return _from_parquet(shards_in(dataset_folder(path)))


def dataset_folder(path: str) -> Path:
    """Return the folder `path`, or download the Hub id `path` and return its folder in the cache.

    Only the card and the shards are downloaded. HF_TOKEN and HF_ENDPOINT are respected.

    Raises:
        ConfigError: there is neither such a folder nor a readable dataset of this id on the Hub.
    """
    return Path(path) if Path(path).is_dir() else _download(path)


def shards_in(folder: Path) -> list[Path]:
    """Return the shards of the dataset in `folder`, in order.

    Raises:
        DatasetError: there are none.
    """
    shards = shard_paths(folder)
    if not shards:
        raise DatasetError(f"{folder}: no {SHARD_GLOB} in it")
    return shards


def _download(repo_id: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    files = ["README.md", SHARD_GLOB]
    try:
        return Path(snapshot_download(repo_id, repo_type="dataset", allow_patterns=files))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise ConfigError(
            f"{repo_id}: no folder here, and no dataset on the Hub that can be reached and that this token "
            "may read"
        ) from error


def require_columns(shard: Path, file: pq.ParquetFile, columns: Iterable[str]) -> None:
    """Check that the open shard has all of these columns; it may have others.

    Raises:
        DatasetError: a column is missing.
    """
    missing = set(columns) - set(file.schema_arrow.names)
    if missing:
        raise DatasetError(f"{shard}: has no column {', '.join(sorted(missing))}")


def _from_parquet(shards: list[Path]) -> Dataset:
    for shard in shards:
        with opened(shard) as file:
            require_columns(shard, file, TOKEN_COLUMNS)
    paths, columns = [str(shard) for shard in shards], list(TOKEN_COLUMNS)
    return _translate_errors(
        str(shards[0].parent), lambda: _datasets().Dataset.from_parquet(paths, columns=columns)
    )


def _from_jsonl(path: Path) -> Dataset:
    features = {name: FEATURES[name] for name in TOKEN_COLUMNS}
    # `datasets` keys its cache by these arguments, so a changed file needs other arguments.
    arguments = {"path": str(path.resolve()), "modified_ns": path.stat().st_mtime_ns}
    module = _datasets()
    return _translate_errors(
        str(path),
        lambda: module.Dataset.from_generator(
            _jsonl_rows, features=module.Features.from_dict(features), gen_kwargs=arguments
        ),
    )


def _datasets() -> Any:
    """Import `datasets` on first use: that takes 3 seconds."""
    import datasets

    return datasets


def _translate_errors(path: str, load: Callable[[], Dataset]) -> Dataset:
    """Call `load` and raise what `datasets` wraps in an error of its own as a DatasetError."""
    generation_error = _datasets().exceptions.DatasetGenerationError
    try:
        return load()
    except generation_error as error:
        cause = error.__cause__
        if isinstance(cause, DatasetError):  # raised by `_jsonl_rows`, with the line of the file
            raise cause from None
        raise DatasetError(
            f"{path}: cannot be read ({cause or error}); export or download it again"
        ) from error


def _jsonl_rows(path: str, modified_ns: int) -> Iterator[dict[str, Any]]:
    """Yield the token columns of each line; `modified_ns` is only there for the cache key."""
    with Path(path).open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                row = orjson.loads(line)
                yield {name: row.get(name) for name in TOKEN_COLUMNS}
            except (ValueError, AttributeError) as error:
                raise DatasetError(f"{path}:{number}: not a JSON object; export it again") from error
