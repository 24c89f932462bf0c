"""The YAML front matter is what `datasets` itself writes and can load."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from seta_dag.dataset.schema import FEATURES
from seta_dag.dataset.stats import read_stats
from seta_dag.hub.card.front_matter import front_matter, size_category
from seta_dag.hub.card.prose import Prose
from seta_dag.hub.card.render import render_card
from seta_dag_tests.hub.card.test_render import FACTS
from seta_dag_tests.support.sample_dataset import sample_ledger, sample_rows, write_dataset

ORDER = ["license", "language", "task_categories", "tags", "size_categories", "dataset_info", "configs"]
"""Order of the keys in the reference dataset's card."""


def test_yaml_is_identical_to_what_datasets_writes(tmp_path: Path) -> None:
    from datasets import DatasetInfo, Features
    from datasets.info import DatasetInfosDict
    from datasets.splits import SplitDict, SplitInfo
    from datasets.utils.metadata import MetadataConfigs
    from huggingface_hub import DatasetCardData

    stats = read_stats(write_dataset(tmp_path / "set", sample_rows()))
    splits = SplitDict()
    splits.add(SplitInfo("train", num_bytes=stats.num_bytes, num_examples=stats.rows))
    sizes = {"download_size": stats.download_size, "dataset_size": stats.num_bytes}
    info = DatasetInfo(features=Features.from_dict(FEATURES), splits=splits, **sizes)
    data = DatasetCardData(
        license="apache-2.0",
        language=["en"],
        task_categories=["text-generation"],
        tags=["sft", "agent", "terminal", "tool-use", "qwen3"],
        size_categories=["n<1K"],
    )
    DatasetInfosDict({"default": info}).to_dataset_card_data(data)
    files = {"data_files": [{"split": "train", "path": "data/train-*"}]}
    MetadataConfigs({"default": files}).to_dataset_card_data(data)
    assert front_matter(stats, "apache-2.0", "qwen3") == data.to_yaml(original_order=ORDER)


def test_keys_are_in_the_order_of_the_reference_card(tmp_path: Path) -> None:
    stats = read_stats(write_dataset(tmp_path / "set", sample_rows()))
    assert list(yaml.safe_load(front_matter(stats, "mit", None))) == ORDER


@pytest.mark.parametrize(
    ("rows", "category"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1000, "1K<n<10K"),
        (1488, "1K<n<10K"),
        (10_000, "10K<n<100K"),
        (999_999, "100K<n<1M"),
        (10**6, "1M<n<10M"),
        (10**12, "n>1T"),
    ],
)
def test_size_category_matches_the_hub(rows: int, category: str) -> None:
    assert size_category(rows) == category


@pytest.mark.parametrize("streaming", [False, True], ids=["loaded", "streamed"])
def test_dataset_with_this_card_loads_with_its_features_and_rows(tmp_path: Path, streaming: bool) -> None:
    import datasets

    dataset, rows = write_dataset(tmp_path / "thinking", sample_rows()), sample_rows()
    text = render_card(read_stats(dataset), sample_ledger(), FACTS, "thinking", Prose(), None)
    (dataset / "README.md").write_text(text, "utf-8")
    loaded = datasets.load_dataset(
        str(dataset), split="train", cache_dir=str(tmp_path / "cache"), streaming=streaming
    )
    assert loaded.features.to_dict() == FEATURES
    assert list(loaded.features) == list(FEATURES)
    expected = [  # `datasets` fills the missing struct field with None
        {**row, "provider_token_counts": {**row["provider_token_counts"], "total_tokens": None}}
        for row in rows
    ]
    assert list(loaded) == expected
