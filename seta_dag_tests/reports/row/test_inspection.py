"""Content of an inspection, and lookup of its row by trial, task or directory."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from seta_dag.dataset.shards.layout import shard_paths
from seta_dag.errors import ConfigError, DatasetError, NotBuiltError
from seta_dag.reports.printable import printable
from seta_dag.reports.row.display_token import Token
from seta_dag.reports.row.inspection import Inspection, inspect_trial
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.renderers.markup import ADDED_TOKENS, LITERAL
from seta_dag.tokens.student.student import Student
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag.tokens.variants import VARIANTS, Variant
from seta_dag_tests.support.inspected import CONVERSATIONS, Inspected
from seta_dag_tests.support.small_dataset import SmallTrial, write_dataset

EVERY_ROW = [
    pytest.param(name, variant, id=f"{name}, {variant}") for name in CONVERSATIONS for variant in VARIANTS
]
every_row = pytest.mark.parametrize(("name", "variant"), EVERY_ROW)


@every_row
def test_the_parts_of_all_turns_cover_the_row_exactly_once(
    name: str, variant: Variant, inspected: Inspected
) -> None:
    row = inspected(name, variant)
    parts = [part for turn in row.turns for part in turn.parts]
    assert [position for part in parts for position in range(part.first, part.end)] == list(
        range(len(row.ids))
    )


@every_row
def test_turns_have_the_roles_of_the_conversation(name: str, variant: Variant, inspected: Inspected) -> None:
    # The template renders consecutive tool messages as one turn.
    roles = [turn.role for turn in CONVERSATIONS[name].turns]
    merged = [
        role for last, role in zip(["", *roles], roles, strict=False) if (last, role) != ("tool", "tool")
    ]
    added = ["system"] if variant == "nothink" and roles[0] != "system" else []
    assert [turn.role for turn in inspected(name, variant).turns] == added + merged


@every_row
def test_only_assistant_turns_are_trainable(name: str, variant: Variant, inspected: Inspected) -> None:
    row = inspected(name, variant)
    for turn in row.turns:
        expected = turn.end - turn.first if turn.role == "assistant" else 0
        assert row.trainable(turn.first, turn.end) == expected


@every_row
def test_token_texts_add_up_to_the_row_text(name: str, variant: Variant, inspected: Inspected) -> None:
    row = inspected(name, variant)
    tokens = list(row.tokens(0, len(row.ids)))
    text = row.text(0, len(row.ids))
    assert row.reads_as_text
    assert [token.id for token in tokens] == row.ids.tolist()
    if not any(token.text.startswith("\\x") for token in tokens):
        assert "".join(token.text for token in tokens) == text


@every_row
def test_runs_split_the_tokens_where_the_mask_changes(
    name: str, variant: Variant, inspected: Inspected
) -> None:
    row = inspected(name, variant)
    runs = list(row.runs(0, len(row.ids)))
    assert [token for _, run in runs for token in run] == list(row.tokens(0, len(row.ids)))
    assert all(a != b for (a, _), (b, _) in itertools.pairwise(runs))


PARTS = {
    "ordinary": [
        ["text"],
        ["text"],
        ["text", "reasoning", "text", "call", "text", "call", "text"],
        ["text", "output", "text", "output", "text"],
        ["text", "reasoning", "text"],
    ],
    "literal": [
        ["text"],
        ["text", "reasoning", "text"],
        ["text", "output", "text"],
        ["text", "reasoning", "text"],
    ],
    "hostile": [
        ["text"],
        ["text"],
        ["text", "reasoning", "text", "call", "text"],
        ["text", "output", "text"],
        ["text", "reasoning", "text"],
    ],
}


@pytest.mark.parametrize("name", PARTS)
def test_parts_are_delimited_by_special_tokens_only(name: str, inspected: Inspected) -> None:
    assert [[part.kind for part in turn.parts] for turn in inspected(name).turns] == PARTS[name]


def test_literal_markup_is_distinguished_from_markup(inspected: Inspected) -> None:
    row = inspected("literal")
    tokens = list(row.tokens(0, len(row.ids)))
    kinds = {kind: list(run) for kind, run in itertools.groupby(sorted(tokens, key=_kind), key=_kind)}
    literals = "".join(token.text for token in kinds["literal"])
    assert {token.text for token in kinds["markup"]} <= set(ADDED_TOKENS)
    assert LITERAL.findall(literals) == [
        "<|im_end|>", "<|im_start|>", "<think>", "</think>", "<tool_call>", "</tool_call>",
        "<|endoftext|>", "<tool_response>",
    ]  # fmt: skip
    assert not LITERAL.search("".join(token.text for token in kinds["text"]))


def _kind(token: Token) -> str:
    return token.kind


def test_incomplete_utf8_is_shown_as_byte_escapes(inspected: Inspected) -> None:
    row = inspected("unicode")
    shown = [token.text for token in row.tokens(0, len(row.ids)) if token.is_escaped]
    assert shown[:3] == [" \\xf0\\x9f", "\\x9a", "\\x80"]
    assert shown[-1] == "\\u200b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 日本 🚀", "plain é 日本 🚀"),
        ("a\n\tb", "a\n\tb"),
        ("\x00\x1b\r", "\\x00\\x1b\\r"),
        ("\u202e\u2028\ufeff\u200d", "\\u202e\\u2028\\ufeff\\u200d"),
        (b"\xf0\x9f", "\\xf0\\x9f"),
        (b" a\xe2\x80", " a\\xe2\\x80"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_printable_escapes_control_and_format_characters(text: str | bytes, shown: str) -> None:
    assert printable(text) == shown


TWICE = CONVERSATIONS["ordinary"]
TRIALS = [
    SmallTrial("one_t0_aa", "one", TWICE),
    SmallTrial("one_t0_ab", "one", ledger=(("disposition", "superseded"),)),
    SmallTrial("two_t0_aa", "two", TWICE),
    SmallTrial("two_t1_ab", "two", CONVERSATIONS["unicode"]),
    SmallTrial("three_t0_aa", "three", TWICE, run="exp/run"),
    SmallTrial("three_t0_aa", "three", CONVERSATIONS["unicode"], run="."),
    SmallTrial(
        "four_t0_aa",
        "four",
        ledger=(("disposition", "dropped"), ("reason", "no_tests"), ("detail", "0 tests")),
    ),
    SmallTrial(None, "five", ledger=(("disposition", "dropped"), ("reason", "rollout_failed"))),
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, tokenizer: StudentTokenizer) -> OutputLayout:
    """Output directory with the dataset of `TRIALS`."""
    out = OutputLayout(tmp_path_factory.mktemp("built"))
    write_dataset(out, TRIALS, tokenizer)
    return out


@pytest.mark.parametrize(
    ("name", "trial"),
    [
        ("one_t0_aa", TRIALS[0]),
        ("one", TRIALS[0]),
        ("exp/run/trials/one_t0_aa", TRIALS[0]),
        ("two_t1_ab", TRIALS[3]),
        ("exp/run/trials/three_t0_aa", TRIALS[4]),
        ("trials/three_t0_aa", TRIALS[5]),
    ],
)
def test_a_row_is_found_by_uid_task_or_directory(
    name: str, trial: SmallTrial, built: OutputLayout, student: Student
) -> None:
    assert inspect_trial(built, name, "nothink", student).row["conv_json_path"] == trial.log


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("six", ["six: no trial, task or trial directory"]),
        ("two", ["two names 2 rows", "exp/run/trials/two_t0_aa: row", "exp/run/trials/two_t1_ab: row"]),
        ("three_t0_aa", ["names 2 rows", " trials/three_t0_aa: row", " exp/run/trials/three_t0_aa: row"]),
        ("one_t0_ab", ["has no row", "exp/run/trials/one_t0_ab: superseded"]),
        ("four", ["has no row", "exp/run/trials/four_t0_aa: dropped, no_tests, 0 tests"]),
        ("five", ["has no row", "five in exp/run: dropped, rollout_failed"]),
    ],
)
def test_a_name_without_exactly_one_row_is_a_config_error(
    name: str, parts: list[str], built: OutputLayout, student: Student
) -> None:
    with pytest.raises(ConfigError) as raised:
        inspect_trial(built, name, "thinking", student)
    assert [part for part in parts if part not in str(raised.value)] == []


def test_inspecting_before_a_build_says_to_build(tmp_path: Path, student: Student) -> None:
    with pytest.raises(NotBuiltError, match="seta-dag build"):
        inspect_trial(OutputLayout(tmp_path), "one", "thinking", student)


def test_a_row_missing_from_the_shards_says_to_build_again(
    tmp_path: Path, student: Student, tokenizer: StudentTokenizer
) -> None:
    out = OutputLayout(tmp_path)
    write_dataset(out, TRIALS[:1], tokenizer)
    for path in shard_paths(out.dataset("thinking")):
        pq.write_table(pq.read_table(path).slice(0, 0), path)
    with pytest.raises(DatasetError, match="build again"):
        inspect_trial(out, "one", "thinking", student)


def test_ids_unknown_to_the_student_are_an_error(inspected: Inspected) -> None:
    foreign: Inspection = replace(inspected("ordinary"), ids=np.array([151_669], np.int32))
    with pytest.raises(DatasetError, match="give the student"):
        _ = foreign.turns
