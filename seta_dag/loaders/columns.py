"""The token columns of a dataset, wherever it lies, memory-mapped and without its text."""

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


def load_tokens(path: str) -> Dataset:
    """`TOKEN_COLUMNS` of all rows in their order.

    `path` is a dataset's folder, a parquet or jsonl file, or a Hub id whose shards are then downloaded
    to the client's cache. Only these columns are read from shards, one row group at a time, and kept in
    the cache of `datasets`. Raises `ConfigError` where there is nothing or `datasets` is not installed,
    `DatasetError` where it is no such dataset.
    """
    _datasets()
    source = Path(path)
    if source.suffix == ".jsonl" and source.is_file():
        return _from_jsonl(source)
    if source.suffix == ".parquet" and source.is_file():
        return _from_parquet([source])
    return _from_parquet(shards_in(dataset_folder(path)))


def dataset_folder(path: str) -> Path:
    """The folder at `path`, or that of the Hub id `path` in the client's cache: its card and shards.

    HF_TOKEN and HF_ENDPOINT are respected. Raises `ConfigError` where there is neither.
    """
    return Path(path) if Path(path).is_dir() else _download(path)


def shards_in(folder: Path) -> list[Path]:
    """The shards of the dataset in `folder`, in order. Raises `DatasetError` where there is none."""
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
            f"may read ({type(error).__name__})"
        ) from error


def require_columns(shard: Path, file: pq.ParquetFile, columns: Iterable[str]) -> None:
    """Raises `DatasetError` where the open shard has not all of these columns."""
    missing = set(columns) - set(file.schema_arrow.names)
    if missing:
        raise DatasetError(f"{shard}: has no column {', '.join(sorted(missing))}")


def _from_parquet(shards: list[Path]) -> Dataset:
    for shard in shards:
        with opened(shard) as file:
            require_columns(shard, file, TOKEN_COLUMNS)
    paths, columns = [str(shard) for shard in shards], list(TOKEN_COLUMNS)
    return _generated(str(shards[0].parent), lambda: _datasets().Dataset.from_parquet(paths, columns=columns))


def _from_jsonl(path: Path) -> Dataset:
    features = {name: FEATURES[name] for name in TOKEN_COLUMNS}
    # The cache is keyed by the arguments, so the file's time is one of them.
    arguments = {"path": str(path.resolve()), "changed": path.stat().st_mtime_ns}
    module = _datasets()
    return _generated(
        str(path),
        lambda: module.Dataset.from_generator(
            _jsonl_rows, features=module.Features.from_dict(features), gen_kwargs=arguments
        ),
    )


def _datasets() -> Any:
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise ConfigError("the loaders need the library datasets: pip install 'seta-dag[loaders]'") from error
    return datasets


def _generated(path: str, load: Callable[[], Dataset]) -> Dataset:
    """What `load` gives; what `datasets` wraps in an error of its own is said by its cause."""
    error_of_generation = _datasets().exceptions.DatasetGenerationError
    try:
        return load()
    except error_of_generation as error:
        cause = error.__cause__
        if isinstance(cause, DatasetError):
            raise cause from None
        raise DatasetError(
            f"{path}: can't be read ({cause or error}); export or download it again"
        ) from error


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
