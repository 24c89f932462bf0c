"""Rows of the corpus maker's hazards: kept or dropped, flags, and what is trained on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.make_corpus import HAZARDS, PRINTED, UNICODE
from seta_dag.rollouts.sources.final_turn import assistant_turns
from seta_dag.tokens.example import RowMaker
from seta_dag.tokens.renderers.markup import IM_END, THINK
from seta_dag.tokens.variants import VARIANTS, Variant
from seta_dag_tests.support.corpus import Corpus
from seta_dag_tests.support.written import Written

LITERAL, SKIPPED = {"literal_markup"}, {"log_skipped"}
EXPECTED: dict[str, tuple[str | None, set[str]]] = {
    "late_user": (None, set()),
    "inject_header": (None, LITERAL),
    "inject_end": (None, LITERAL),
    "inject_in_turn": (None, LITERAL),
    "think_in_tool": (None, LITERAL),
    "tool_call_in_text": (None, LITERAL),
    "think_in_content": (None, set()),
    "no_reasoning": (None, set()),
    "double_newline_end": (None, set()),
    "surrogate_emoji": (None, set()),
    "args_object": (None, set()),
    "args_bad_json": (None, {"bad_arguments"}),
    "truncated_last": (None, SKIPPED),
    "no_response_last": (None, set()),
    "no_ctrf": ("not_verified", set()),
    "ctrf_zero_tests": ("no_tests", set()),
    "ctrf_mixed": (None, set()),
    "ctrf_bad_json": ("ctrf_invalid", set()),
    "user_last": (None, set()),
}
KEPT = [hazard for hazard, (reason, _) in EXPECTED.items() if reason is None]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """One trial per hazard."""
    return Corpus.make(tmp_path_factory.mktemp("corpus"))


Rows = dict[str, Written]


@pytest.fixture(scope="module")
def rows(corpus: Corpus, maker: RowMaker) -> Rows:
    """Each trial's row, by hazard."""
    return {hazard: corpus.row(hazard, maker) for hazard in HAZARDS}


@pytest.mark.parametrize("hazard", HAZARDS)
def test_a_hazard_has_the_expected_reason_and_flags(hazard: str, rows: Rows) -> None:
    row = rows[hazard].row
    assert (row.reason, row.flags) == EXPECTED[hazard]
    assert {variant in row.counts for variant in VARIANTS} == {hazard in KEPT}


@pytest.mark.parametrize("hazard", KEPT)
def test_each_assistant_turn_is_trained_on(hazard: str, rows: Rows, corpus: Corpus) -> None:
    log = chosen(rows[hazard], corpus)
    for variant in VARIANTS:
        assert len(rows[hazard].spans(variant)) == assistant_turns(log)


@pytest.mark.parametrize("hazard", KEPT)
def test_messages_of_users_and_tools_are_not_trained_on(hazard: str, rows: Rows, corpus: Corpus) -> None:
    messages = chosen(rows[hazard], corpus)["request"]["messages"]
    contents = [message["content"] for message in messages if message["role"] != "assistant"]
    for variant in VARIANTS:
        rest = "".join(others(rows[hazard], variant))
        assert contents and all(text.strip() in rest for text in contents)


@pytest.mark.parametrize("hazard", [hazard for hazard in KEPT if hazard not in PRINTED])
def test_all_reasoning_is_kept_in_thinking_and_none_in_nothink(
    hazard: str, rows: Rows, corpus: Corpus
) -> None:
    logged = [text for text in reasoning(chosen(rows[hazard], corpus)) if text]
    kept = [
        turn.partition("<think>\n")[2].partition("\n</think>")[0] for turn in turns(rows[hazard], "thinking")
    ]
    assert [text for text in kept if text] == logged
    assert THINK not in rows[hazard].rendered("nothink").pieces


@pytest.mark.parametrize("hazard", PRINTED)
@pytest.mark.parametrize("variant", VARIANTS)
def test_markup_that_a_tool_prints_is_ordinary_text(hazard: str, variant: Variant, rows: Rows) -> None:
    assert any(PRINTED[hazard] in piece for piece in rows[hazard].rendered(variant).pieces)
    assert not any(PRINTED[hazard] in turn for turn in turns(rows[hazard], variant))


def test_a_late_user_message_drops_no_reasoning(rows: Rows) -> None:
    before, _, after = rows["late_user"].rendered("thinking").text.partition("You stopped early.")
    assert "<think>\n" in before
    assert "<think>\n" in after


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_turn_that_spells_its_own_end_continues(variant: Variant, rows: Rows) -> None:
    spelled = [turn for turn in turns(rows["inject_in_turn"], variant) if "grep -n '<|im_end|>'" in turn]
    assert spelled
    assert all(turn.endswith(f"</tool_call>{IM_END}\n") for turn in spelled)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_tool_call_in_the_content_is_ordinary_text(variant: Variant, rows: Rows) -> None:
    pieces = rows["tool_call_in_text"].rendered(variant).pieces
    assert any("\nI would call <tool_call>\n{" in piece for piece in pieces)


def test_inline_reasoning_is_reasoning(rows: Rows) -> None:
    assert "<think>" not in rows["think_in_content"].rendered("nothink").text
    assert all("<think>\n" in turn for turn in turns(rows["think_in_content"], "thinking"))


def test_only_turns_with_reasoning_have_a_block(rows: Rows) -> None:
    found = turns(rows["no_reasoning"], "thinking")
    assert ["<think>" in turn for turn in found[:-1]] == [k % 3 != 1 for k in range(len(found) - 1)]


@pytest.mark.parametrize("variant", VARIANTS)
def test_newlines_at_the_end_of_the_content_are_kept(variant: Variant, rows: Rows) -> None:
    assert any("\n\n\n<tool_call>" in turn for turn in turns(rows["double_newline_end"], variant))


def test_unicode_is_kept_as_it_is(rows: Rows) -> None:
    found = turns(rows["surrogate_emoji"], "thinking")
    assert all(f"{UNICODE}\n</think>" in turn for turn in found)


def test_arguments_that_are_an_object_become_json(rows: Rows) -> None:
    calls = [turn for turn in turns(rows["args_object"], "nothink") if "<tool_call>" in turn]
    bodies = [turn.partition("<tool_call>\n")[2].partition("\n</tool_call>")[0] for turn in calls]
    assert bodies
    assert all(isinstance(json.loads(body)["arguments"], dict) for body in bodies)


@pytest.mark.parametrize("variant", VARIANTS)
def test_malformed_arguments_are_kept_verbatim(variant: Variant, rows: Rows) -> None:
    text = '"arguments": {"id": "main", "command": "ls}\n</tool_call>'
    assert any(text in turn for turn in turns(rows["args_bad_json"], variant))


@pytest.mark.parametrize("hazard", ["truncated_last", "no_response_last", "user_last"])
def test_the_last_log_with_a_final_turn_is_chosen(hazard: str, rows: Rows, corpus: Corpus) -> None:
    assert rows[hazard].row.snapshot == corpus.logs(hazard)[-2].name


def test_only_passed_tests_count_for_the_reward(rows: Rows) -> None:
    columns = rows["ctrf_mixed"].row.columns
    assert columns is not None and columns.reward == 1 / 5


def chosen(row: Written, corpus: Corpus) -> dict[str, Any]:
    """The log of the row, parsed."""
    assert row.row.columns is not None
    log: dict[str, Any] = json.loads((corpus.root / row.row.columns.conv_json_path).read_bytes())
    return log


def reasoning(log: dict[str, Any]) -> list[str]:
    """The logged reasoning of each assistant turn, next to the content or inline."""
    messages = [m for m in log["request"]["messages"] if m["role"] == "assistant"]
    messages += [choice["message"] for choice in log.get("response", {}).get("choices", [])]
    inline = [m["content"].partition("<think>\n")[2].partition("\n</think>")[0] for m in messages]
    return [m["reasoning_content"] or text for m, text in zip(messages, inline, strict=True)]


def turns(row: Written, variant: Variant) -> list[str]:
    """The text of each trainable span."""
    one = row.rendered(variant)
    return ["".join(one.pieces[first:end]) for first, end in one.spans]


def others(row: Written, variant: Variant) -> list[str]:
    """The text before, between and after the trainable spans."""
    one = row.rendered(variant)
    bounds = [0, *(at for span in one.spans for at in span), len(one.pieces)]
    return ["".join(one.pieces[a:b]) for a, b in zip(bounds[::2], bounds[1::2], strict=True)]
