"""Dataset statistics are counted from the shards, independent of shard and row group boundaries."""

from __future__ import annotations

import itertools
import statistics
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seta_dag.dataset.schema import ROW_SCHEMA
from seta_dag.dataset.stats import one_line, read_stats
from seta_dag.errors import DatasetError, NotBuiltError
from seta_dag_tests.support.sample_dataset import sample_row, sample_rows, write_dataset

EXPECTED = {
    "rows": 7,
    "tasks": 4,
    "tokens": 46,
    "trainable_tokens": 17,
    "trainable_share": 17 / 46,
    "tokens_mean": 46 / 7,
    "tokens_median": 4.0,
    "tokens_max": 24,
    "solved": 3,
    "solved_share": 3 / 7,
    "mean_reward": (1.0 + 0.0 + 0.5 + 1.0 + 2 / 3 + 1.0 + 0.25) / 7,
    "models": {"kimi-k2.5": 6, "unknown": 1},
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("stats") / "thinking", sample_rows())


@pytest.mark.parametrize(("name", "value"), EXPECTED.items(), ids=EXPECTED)
def test_each_statistic_matches_the_hand_count(dataset: Path, name: str, value: Any) -> None:
    assert getattr(read_stats(dataset), name) == pytest.approx(value)


def test_files_lists_the_shards_with_their_sizes(dataset: Path) -> None:
    stats = read_stats(dataset)
    on_disk = {path.name: path.stat().st_size for path in (dataset / "data").iterdir()}
    assert dict(stats.files) == on_disk
    assert stats.download_size == sum(on_disk.values())


row_values = st.tuples(
    st.lists(st.integers(0, 1), max_size=12),
    st.sampled_from([0.0, 1 / 3, 0.1, 1.0]),
    st.sampled_from([None, "", "a", "b"]),
)


@settings(max_examples=40, deadline=None)
@given(values=st.lists(row_values, max_size=9), shards=st.integers(1, 3), group=st.integers(1, 4))
def test_statistics_do_not_depend_on_shards_and_row_groups(
    values: list[tuple[list[int], float, str | None]], shards: int, group: int
) -> None:
    rows = [sample_row(n, mask, reward, model) for n, (mask, reward, model) in enumerate(values)]
    with TemporaryDirectory() as folder:
        stats = read_stats(write_dataset(Path(folder) / "set", rows, shards, group))
    lengths = [len(mask) for mask, _, _ in values]
    assert (stats.rows, stats.tokens, stats.tokens_max) == (
        len(values),
        sum(lengths),
        max(lengths, default=0),
    )
    assert stats.trainable_tokens == sum(itertools.chain.from_iterable(mask for mask, _, _ in values))
    assert stats.tokens_median == (statistics.median(lengths) if lengths else 0)
    assert stats.solved == [reward for _, reward, _ in values].count(1.0)
    assert stats.models == Counter(model or "unknown" for _, _, model in values)


def test_models_with_the_same_printed_name_are_counted_together(tmp_path: Path) -> None:
    names = ["a b", "a\n b", " a  b ", "\x07", "\x08", "", " ", None]
    rows = [sample_row(n, [0, 1], 1.0, name) for n, name in enumerate(names)]
    models = read_stats(write_dataset(tmp_path / "set", rows)).models
    assert models == {"a b": 3, "unknown": 3, "\ufffd": 2}


def test_a_long_name_is_cut_and_two_of_them_stay_two() -> None:
    first, second = (one_line(f"{'m' * 100_000}{end}") for end in "ab")
    assert first != second and one_line(first) == first
    assert len(first) <= 160 and "(100001 characters, " in first
    assert one_line("m" * 160) == "m" * 160


@pytest.mark.parametrize(("rows", "shards", "group"), [(7, 2, 2), (7, 1, 128), (3, 3, 1), (7, 1, 3)])
def test_sizes_match_those_the_datasets_library_would_publish(
    tmp_path: Path, rows: int, shards: int, group: int
) -> None:
    import datasets

    folder = write_dataset(tmp_path / "set", sample_rows()[:rows], shards, group)
    loaded = datasets.load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    stats = read_stats(folder)
    assert stats.num_bytes == loaded.data.nbytes  # what `push_to_hub` writes into the card
    assert stats.download_size == loaded.download_size


def _without_shards(folder: Path) -> None:
    for path in (folder / "data").iterdir():
        path.unlink()


def _truncated(folder: Path) -> None:
    path = next((folder / "data").iterdir())
    path.write_bytes(path.read_bytes()[:-100])


def _missing_column(folder: Path) -> None:
    path = next((folder / "data").iterdir())
    pq.write_table(pq.read_table(path).drop_columns(["reward"]), path)


def _null_reward(folder: Path) -> None:
    path = next((folder / "data").iterdir())
    rows = [{**sample_rows()[0], "reward": None}]
    pq.write_table(pa.Table.from_pylist(rows, schema=ROW_SCHEMA), path)


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (_without_shards, NotBuiltError, "materialize"),
        (_truncated, DatasetError, "cannot be read"),
        (_missing_column, DatasetError, "columns"),
        (_null_reward, DatasetError, "null in reward"),
    ],
    ids=["no shard", "truncated shard", "missing column", "null reward"],
)
def test_incomplete_or_unreadable_shards_are_an_error(
    tmp_path: Path, damage: Callable[[Path], None], error: type[Exception], message: str
) -> None:
    folder = write_dataset(tmp_path / "set", sample_rows())
    damage(folder)
    with pytest.raises(error, match=message):
        read_stats(folder)
