"""The AReaL loader compared with `load_dataset` and the reference loader, from disk and from the Hub."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seta_dag.dataset.schema import FEATURES, ROW_SCHEMA
from seta_dag.errors import ConfigError, DatasetError
from seta_dag.hub.client import Target
from seta_dag.hub.publish import publish
from seta_dag.loaders.areal import get_seta_sft_dataset
from seta_dag.loaders.columns import dataset_folder
from seta_dag.loaders.exports import export_dataset
from seta_dag_tests.support.hub import LoopbackHub
from seta_dag_tests.support.hub.dataset import Row, row, sample, write_dataset

REPO = "org/sft"
N_ROWS = 40


@pytest.fixture
def folder(hub: LoopbackHub, tmp_path: Path) -> Path:
    """Dataset of 40 rows in two shards: 20 tasks with two trials each; row 7 has no trainable token."""
    rows = [row(n, task_id=f"task_{n // 2}") for n in range(N_ROWS)]
    rows[7]["loss_mask"] = [0] * 10
    return write_dataset(tmp_path / "d", [rows[:25], rows[25:]])


def read(folder: Path) -> list[Row]:
    """Read all rows in order with pyarrow alone."""
    return [one for shard in sorted(folder.glob("data/*")) for one in pq.read_table(shard).to_pylist()]


def as_hub_id(folder: Path) -> str:
    publish(folder, Target(REPO))
    return REPO


def as_jsonl(folder: Path) -> str:
    export_dataset(folder, folder / "rows.jsonl", "jsonl")
    return str(folder / "rows.jsonl")


def as_parquet(folder: Path) -> str:
    pq.write_table(pa.Table.from_pylist(read(folder), schema=ROW_SCHEMA), folder / "all.parquet")
    return str(folder / "all.parquet")


@pytest.mark.parametrize(
    "source", [str, as_hub_id, as_jsonl, as_parquet], ids=["folder", "hub", "jsonl", "parquet"]
)
def test_every_kind_of_source_gives_the_same_areal_rows(folder: Path, source: Callable[[Path], str]) -> None:
    loaded = get_seta_sft_dataset(source(folder), "train", tokenizer=None, max_length=30, rank=0)
    expected = [
        {"input_ids": one["input_ids"], "loss_mask": one["loss_mask"]}
        for one in read(folder)
        if len(one["input_ids"]) <= 30 and sum(one["loss_mask"]) >= 1
    ]
    assert list(loaded) == expected and 0 < len(expected) < N_ROWS
    assert loaded.features.to_dict() == {name: FEATURES[name] for name in ("input_ids", "loss_mask")}


def reference_split(rows: list[Row], split: str, ratio: float) -> list[list[int]]:
    """Return the ids of the rows the reference loader puts into `split`."""
    selected = []
    for index, one in enumerate(rows):
        bucket = int(hashlib.sha1(str(index).encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
        in_train = ratio >= 1.0 or (ratio > 0.0 and bucket < ratio)
        if in_train == (split == "train") and sum(one["loss_mask"]) >= 1:
            selected.append(one["input_ids"])
    return selected


@pytest.mark.parametrize("ratio", [0.0, 0.3, 0.95, 1.0])
@pytest.mark.parametrize("split", ["train", "test"])
def test_the_split_by_row_matches_the_reference_loader(folder: Path, split: str, ratio: float) -> None:
    loaded = get_seta_sft_dataset(str(folder), split, train_ratio=ratio, split_by="row")
    assert loaded["input_ids"][:] == reference_split(read(folder), split, ratio)
    assert loaded.column_names == ["input_ids", "loss_mask"]


def tasks(folder: Path, split: str, ratio: float) -> set[str]:
    """Return the tasks of one split. Every row has its own length, so the length identifies its task."""
    by_length = {len(one["input_ids"]): one["task_id"] for one in read(folder)}
    loaded = get_seta_sft_dataset(str(folder), split, train_ratio=ratio, min_assistant_tokens=0)
    return {by_length[len(ids)] for ids in loaded["input_ids"]}


@pytest.mark.parametrize("ratio", [0.0, 0.5, 0.9, 1.0])
def test_the_split_by_task_puts_each_task_into_exactly_one_split(folder: Path, ratio: float) -> None:
    train, test = tasks(folder, "train", ratio), tasks(folder, "test", ratio)
    assert not train & test
    assert train | test == {one["task_id"] for one in read(folder)}
    assert bool(train) == (ratio > 0) and bool(test) == (ratio < 1)


def test_new_tasks_do_not_move_existing_tasks_between_splits(folder: Path) -> None:
    before = tasks(folder, "train", 0.5)
    known = {one["task_id"] for one in read(folder)}
    added = [row(n, task_id=f"new_{n}") for n in range(N_ROWS, N_ROWS + 20)]
    write_dataset(folder, [added, read(folder)])
    after = tasks(folder, "train", 0.5)
    assert after & known == before and after - known


@pytest.mark.parametrize("max_length", [3, 10, None])
def test_length_and_trainable_token_limits_are_inclusive(folder: Path, max_length: int | None) -> None:
    loaded = get_seta_sft_dataset(str(folder), "train", max_length=max_length, min_assistant_tokens=1)
    assert [len(ids) for ids in loaded["input_ids"]] == [
        n + 3 for n in range(N_ROWS) if n != 7 and (max_length is None or n + 3 <= max_length)
    ]


def test_rows_whose_ids_and_mask_do_not_match_are_dropped(hub: LoopbackHub, tmp_path: Path) -> None:
    broken = [row(1, loss_mask=[1]), row(2, input_ids=None), row(3, loss_mask=None), row(4)]
    loaded = get_seta_sft_dataset(str(write_dataset(tmp_path / "d", [broken])), "train")
    assert list(loaded) == [{"input_ids": row(4)["input_ids"], "loss_mask": row(4)["loss_mask"]}]


def test_a_rebuilt_dataset_is_not_read_from_the_cache(hub: LoopbackHub, tmp_path: Path) -> None:
    folder = sample(tmp_path / "d")
    paths = [str(folder), as_jsonl(folder)]
    before = [len(get_seta_sft_dataset(path, "train")) for path in paths]
    (folder / "data/train-00001-of-00002.parquet").unlink()
    as_jsonl(folder)
    assert before == [6, 6]
    assert [len(get_seta_sft_dataset(path, "train")) for path in paths] == [3, 3]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("{folder}", "validation"), ConfigError, "split is train or test"),
        (("{folder}/nothing.jsonl", "train"), ConfigError, "no folder here"),
        (("org/nothing", "train"), ConfigError, "no dataset on the Hub"),
        (("{folder}/data", "train"), DatasetError, r"no data/train-\*.parquet"),
        (("{folder}/ids.parquet", "train"), DatasetError, "no column loss_mask, task_id"),
    ],
)
def test_a_source_that_is_not_a_dataset_is_an_error(
    folder: Path, arguments: tuple[str, str], error: type[Exception], message: str
) -> None:
    pq.write_table(pa.table({"input_ids": [[1, 2]]}), folder / "ids.parquet")
    with pytest.raises(error, match=message):
        get_seta_sft_dataset(*(argument.format(folder=folder) for argument in arguments))


@pytest.mark.parametrize("line", [b'{"input_ids": [1', b"[1, 2]"], ids=["truncated line", "not an object"])
def test_a_bad_jsonl_line_is_reported_with_its_number(folder: Path, line: bytes) -> None:
    path = Path(as_jsonl(folder))
    path.write_bytes(path.read_bytes() + line)
    with pytest.raises(DatasetError, match=r"\.jsonl:41: not a JSON object"):
        get_seta_sft_dataset(str(path), "train")


@pytest.mark.parametrize("damaged", [slice(-10, None), slice(40, 440)], ids=["footer", "pages"])
def test_a_damaged_shard_is_an_error(folder: Path, damaged: slice) -> None:
    shard = min((folder / "data").glob("*.parquet"))
    data = bytearray(shard.read_bytes())
    data[damaged] = bytes(len(data[damaged]))
    shard.write_bytes(data)
    with pytest.raises(DatasetError, match="cannot be read"):
        get_seta_sft_dataset(str(folder), "train")


@pytest.mark.parametrize("streaming", [False, True])
def test_load_dataset_returns_the_published_rows(folder: Path, streaming: bool) -> None:
    loaded: Any = datasets.load_dataset(as_hub_id(folder), split="train", streaming=streaming)
    assert list(loaded) == read(folder)
    assert loaded.features.to_dict() == FEATURES


def test_a_private_dataset_needs_the_token(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(folder, Target(REPO, private=True))
    monkeypatch.setenv("HF_TOKEN", "")
    with pytest.raises(ConfigError, match="this token may read"):
        get_seta_sft_dataset(REPO, "train")
    monkeypatch.setenv("HF_TOKEN", "hf_loopback")
    assert len(get_seta_sft_dataset(REPO, "train")) == N_ROWS - 1


def test_a_hub_id_downloads_the_published_files_unchanged(folder: Path) -> None:
    downloaded = dataset_folder(as_hub_id(folder))
    files = [path.relative_to(folder) for path in folder.rglob("*.*")]
    assert {file: (downloaded / file).read_bytes() for file in files} == {
        file: (folder / file).read_bytes() for file in files
    }
    assert dataset_folder(str(folder)) == folder
