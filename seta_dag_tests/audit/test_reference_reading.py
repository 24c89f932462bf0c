"""Rows of logs in dialects that the reference does not read, and rows that rule R4 completed.

The reference renders the logged messages as they are, so the official template gives its rows here too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seta_dag.audit.reference_reading import READING
from seta_dag.rollouts.sources.dialects import Borrowed, conversation
from seta_dag.tokens.renderers.qwen3 import render
from seta_dag.tokens.variants import VARIANTS, Variant
from seta_dag_tests.audit.test_verify import (
    CALL,
    DONE,
    SYSTEM,
    TASK,
    TOOL,
    complete_row,
    log,
    prover,
    reference_row,
    verdicts,
)
from seta_dag_tests.support.hub.dataset import Row

ANSWER = {"role": "assistant", "content": "Three."}
OTHER_CALL = {**CALL, "reasoning_content": None, "reasoning_details": [{"text": "wc will do."}]}
VLLM_CALL = {**CALL, "reasoning_content": None, "reasoning": "wc will do."}
INLINE = {"role": "assistant", "content": "[THINK]That is it.[/THINK]Three."}
IN_PARTS = {"role": "assistant", "content": [{"type": "text", "text": "Three."}]}
REFUSED = {"role": "assistant", "content": None, "refusal": "I will not count."}
LEGACY = {"role": "assistant", "content": "I look.", "function_call": {"name": "shell", "arguments": "{}"}}
STREAMED = {"streaming": True, "content": "Three.", "finish_reason": "stop"}
ANTHROPIC_CALL = {
    "role": "assistant",
    "content": [
        {"type": "thinking", "thinking": "wc will do."},
        {"type": "tool_use", "id": "a", "name": "shell", "input": {"command": "wc -l x"}},
    ],
}
ANTHROPIC_RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "3"}]}

DIALECTS: dict[str, tuple[list[dict[str, Any]], tuple[str, ...]]] = {
    "reasoning under another name": ([SYSTEM, TASK, OTHER_CALL, TOOL, DONE], ("reasoning_fields",)),
    "marks of another teacher": ([SYSTEM, TASK, INLINE], ("inline_reasoning",)),
    "content in parts": ([SYSTEM, TASK, IN_PARTS], ("content_parts",)),
    "a developer message": ([{**SYSTEM, "role": "developer"}, TASK, DONE], ("other_roles",)),
    "a legacy call": ([SYSTEM, TASK, LEGACY, TOOL, DONE], ("legacy_calls",)),
    "a refusal": ([SYSTEM, TASK, REFUSED], ("refusals",)),
    "a refusal after reasoning elsewhere": (
        [SYSTEM, TASK, OTHER_CALL, TOOL, REFUSED],
        ("reasoning_fields", "refusals"),
    ),
    # The template engine of the reference may know this field.
    "a refusal after reasoning of vLLM": ([SYSTEM, TASK, VLLM_CALL, TOOL, REFUSED], ("refusals",)),
    "a call in parts": ([SYSTEM, TASK, ANTHROPIC_CALL, ANTHROPIC_RESULT, DONE], ("content_parts",)),
}


def with_log(row: Row, logged: dict[str, Any], n_messages: int) -> Row:
    return {**row, "raw_conv_json": json.dumps(logged), "n_messages": n_messages}


@pytest.mark.parametrize("case", DIALECTS)
def test_a_row_of_a_dialect_is_explained_by_what_the_reference_does_not_read(
    tmp_path: Path, case: str
) -> None:
    messages, names = DIALECTS[case]
    (found,) = verdicts(tmp_path, reference_row(messages, "thinking", []))
    assert (found.verdict, found.differences, found.detail) == ("explained", names, None)


def test_a_streamed_answer_and_a_system_prompt_of_its_own_are_explained(tmp_path: Path) -> None:
    streamed = log([SYSTEM, TASK, CALL, TOOL, DONE]) | {"response": STREAMED}
    apart = log([TASK, CALL, TOOL, DONE])
    apart["request"]["model_config_dict"]["system"] = SYSTEM["content"]
    found = verdicts(
        tmp_path,
        with_log(reference_row([SYSTEM, TASK, CALL, TOOL], "thinking", []), streamed, 4),
        with_log(reference_row([TASK, CALL, TOOL, DONE], "thinking", []), apart, 4),
    )
    assert [one.differences for one in found] == [("streamed_answer",), ("system_apart",)]


def test_every_difference_of_reading_has_a_case() -> None:
    named = {name for _, names in DIALECTS.values() for name in names}
    assert named | {"streamed_answer", "system_apart"} == set(READING)


def test_a_wrong_message_count_is_unexplained_with_and_without_a_stream(tmp_path: Path) -> None:
    streamed = log([SYSTEM, TASK, CALL, TOOL, DONE]) | {"response": STREAMED}
    row = reference_row([SYSTEM, TASK, CALL, TOOL], "thinking", [])
    whole = reference_row([SYSTEM, TASK, CALL, TOOL, DONE], "thinking", [])
    found = verdicts(tmp_path, with_log(row, streamed, 3), {**whole, "n_messages": 4})
    assert [one.detail for one in found] == [
        f"n_messages: the row has {n}, its log and tokens give 5" for n in (3, 4)
    ]


def test_a_row_with_a_streamed_answer_that_does_not_count_it_is_unexplained(tmp_path: Path) -> None:
    streamed = log([SYSTEM, TASK, CALL, TOOL, ANSWER]) | {"response": STREAMED}
    row = reference_row([SYSTEM, TASK, CALL, TOOL, ANSWER], "thinking", [])
    found = verdicts(tmp_path, with_log(row, streamed, 5), with_log(row, streamed, 4))
    assert [one.verdict for one in found] == ["equal", "unexplained"]


BARE_CALL = {key: CALL[key] for key in ("role", "tool_calls")} | {"content": "\n\nI look."}
COMPLETED = [SYSTEM, TASK, BARE_CALL, TOOL, BARE_CALL, TOOL, ANSWER]


def completed_row(variant: Variant) -> Row:
    """Return the row of a log whose first and last turn have their reasoning in other logs."""
    borrowed = {2: Borrowed("wc\n\nwill do.", "conv_1.json"), 6: Borrowed("That is it.", "conv_3.json")}
    one = render(conversation(log(COMPLETED), borrowed), variant)
    (tokens,) = prover().tokenizer.tokenize([one])
    return complete_row(COMPLETED, [], one.text, tokens.ids.tolist(), tokens.mask.tolist())


@pytest.mark.parametrize("variant", VARIANTS)
def test_reasoning_from_another_log_is_explained(tmp_path: Path, variant: Variant) -> None:
    (found,) = verdicts(tmp_path, completed_row(variant))
    assert (found.verdict, found.differences) == ("explained", ("reasoning_from_other_log",))


@pytest.mark.parametrize(
    ("old", "new"),
    [("Three.", "Four."), ("wc -l x", "wc -l y"), ("3 lines", "4 lines"), ("\n</think>\n\n", "\n</think>\n")],
)
def test_other_changes_of_a_completed_row_are_unexplained(tmp_path: Path, old: str, new: str) -> None:
    row = completed_row("thinking")
    assert old in row["chat_template_str"]
    changed = {**row, "chat_template_str": row["chat_template_str"].replace(old, new)}
    assert verdicts(tmp_path, changed)[0].verdict == "unexplained"


def test_reasoning_that_is_not_the_log_s_own_is_unexplained(tmp_path: Path) -> None:
    one = render(
        conversation(log([SYSTEM, TASK, CALL, TOOL, {**DONE, "reasoning_content": "No."}])), "thinking"
    )
    (tokens,) = prover().tokenizer.tokenize([one])
    row = complete_row(
        [SYSTEM, TASK, CALL, TOOL, DONE], [], one.text, tokens.ids.tolist(), tokens.mask.tolist()
    )
    assert verdicts(tmp_path, row)[0].verdict == "unexplained"
