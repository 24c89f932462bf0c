"""Each export contains exactly what the rows of the shards say, in a form that `datasets` loads."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from seta_dag.dataset.schema import FIELDS
from seta_dag.errors import ConfigError, DatasetError
from seta_dag.loaders.exports import EXPORTERS, export_dataset
from seta_dag.rollouts.conversation import Call, Conversation, Turn
from seta_dag.rollouts.sources.calls import to_json
from seta_dag.tokens.renderers.qwen3 import render
from seta_dag.tokens.variants import VARIANTS, Variant
from seta_dag_tests.support.builds import SAMPLE, Place, built_plainly
from seta_dag_tests.support.hub.dataset import row, sample, write_dataset


def test_each_line_is_one_row_with_its_columns_in_order(tmp_path: Path) -> None:
    special = 'Grüße 語 \u2028 "quoted" \\ \x00 \U0001f600\n'
    rows = [
        row(1, chat_template_str=special, model=None, reward=2 / 3),
        row(2, raw_conv_json=json.dumps({"a": special})),
    ]
    folder = write_dataset(tmp_path / "d", [rows, [row(3)]])
    assert export_dataset(folder, tmp_path / "out/rows.jsonl", "jsonl") == 3
    lines = (tmp_path / "out/rows.jsonl").read_bytes().decode().removesuffix("\n").split("\n")
    parsed = [json.loads(line) for line in lines]
    assert parsed == [
        one for shard in sorted(folder.glob("data/*")) for one in pq.read_table(shard).to_pylist()
    ]
    assert [list(one) for one in parsed] == [list(FIELDS)] * 3
    assert "Grüße 語" in lines[0]


def test_a_failed_export_keeps_the_existing_file(tmp_path: Path) -> None:
    folder = sample(tmp_path / "d")
    target = tmp_path / "rows.jsonl"
    target.write_text("before")
    (folder / "data/train-00001-of-00002.parquet").write_bytes(b"not parquet")
    with pytest.raises(DatasetError, match="cannot be read"):
        export_dataset(folder, target, "jsonl")
    assert target.read_text() == "before"
    assert {path.name for path in tmp_path.iterdir()} == {"d", "rows.jsonl"}


def test_exporting_a_folder_without_shards_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="build the dataset first"):
        export_dataset(tmp_path, tmp_path / "rows.jsonl", "jsonl")


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"rows\.csv: give a name that ends in \.jsonl or \.parquet"):
        export_dataset(sample(tmp_path / "d"), tmp_path / "rows.csv", "labels")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Rows of several kinds: with calls, without a system message, with reasoning of another log."""
    place = Place(tmp_path_factory.mktemp("built"))
    shutil.copytree(SAMPLE, place.rollouts)
    return built_plainly(place, tmp_path_factory.mktemp("plain"))


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return [one for shard in sorted(folder.glob("data/*")) for one in pq.read_table(shard).to_pylist()]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
@pytest.mark.parametrize("form", EXPORTERS)
def test_datasets_loads_every_format(
    form: str, ending: str, variant: str, built: Place, tmp_path: Path
) -> None:
    import datasets

    folder, target = built.out.dataset(variant), tmp_path / f"rows.{ending}"
    count = export_dataset(folder, target, form)
    kind = "json" if ending == "jsonl" else "parquet"
    cache = str(tmp_path / "cache")
    loaded = datasets.load_dataset(kind, data_files=str(target), split="train", cache_dir=cache)
    rows = rows_of(folder)
    assert len(loaded) == count == len(rows) > 50
    for found, source in zip(loaded, rows, strict=True):
        CHECKS[form](found, source)


def _is_the_row(found: dict[str, Any], row: dict[str, Any]) -> None:
    assert found == row


def _labels_are_the_mask(found: dict[str, Any], row: dict[str, Any]) -> None:
    assert found["input_ids"] == row["input_ids"]
    assert found["attention_mask"] == [1] * len(row["input_ids"])
    assert [label != -100 for label in found["labels"]] == [one == 1 for one in row["loss_mask"]]
    assert [one for one in found["labels"] if one != -100] == [
        token for token, one in zip(row["input_ids"], row["loss_mask"], strict=True) if one
    ]


def _messages_render_to_the_text(found: dict[str, Any], row: dict[str, Any]) -> None:
    """The messages, rendered by our rules, give the text of the row."""
    turns = tuple(
        Turn(
            one["role"],
            one["content"],
            one.get("reasoning_content") or "",
            tuple(
                Call(call["function"]["name"], call["function"]["arguments"])
                for call in one.get("tool_calls") or ()
            ),
        )
        for one in found["messages"]
    )
    tools = tuple(to_json(tool) for tool in json.loads(found.get("tools") or "[]"))
    variant: Variant = (
        "nothink" if "/no_think" in row["chat_template_str"].partition("<|im_end|>")[0] else "thinking"
    )
    assert render(Conversation(turns, tools, len(turns)), variant).text == row["chat_template_str"]
    if variant == "nothink":
        assert not any(one.get("reasoning_content") for one in found["messages"])
    # `datasets` reads the numbers of JSON lines with ten digits.
    assert (found["trial_uid"], found["reward"]) == (row["trial_uid"], pytest.approx(row["reward"]))


CHECKS: dict[str, Callable[[dict[str, Any], dict[str, Any]], None]] = {
    "jsonl": _is_the_row, "labels": _labels_are_the_mask, "messages": _messages_render_to_the_text,
}  # fmt: skip


def test_every_format_is_checked() -> None:
    assert CHECKS.keys() == EXPORTERS.keys()
