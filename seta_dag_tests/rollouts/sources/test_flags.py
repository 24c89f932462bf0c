"""Every flag of rules R4 and R5: a log that raises it, and one close by that does not. Worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.dialects import conversation
from seta_dag.rollouts.sources.snapshot import choose
from seta_dag_tests.support.conversations import (
    Log,
    assistant,
    call,
    log,
    logged,
    system,
    tool,
    user,
    write_log,
)

DONE = assistant("Done.", "Why.")
LS = call("ls", "{}")


def final(content: Any, **fields: Any) -> Log:
    """A log whose final turn has that content and those fields."""
    return log(user("Go."), answer={"role": "assistant", "content": content, **fields})


def after(*messages: dict[str, Any]) -> Log:
    """A log that ends well after these messages."""
    return log(user("Go."), *messages, answer=DONE)


def ended(reason: Any, content: Any = "Done.") -> Log:
    """A log whose response has that finish_reason."""
    return log(user("Go.")) | {
        "response": {"choices": [{"finish_reason": reason, "message": {"content": content}}]}
    }


def responded(response: Any) -> Log:
    """A log with an assistant turn and this response."""
    return after(assistant("A.", "Why.")) | {"response": response}


def configured(system_prompt: Any, *messages: dict[str, Any]) -> Log:
    """A log of an Anthropic client, whose system prompt is among the settings of the request."""
    made = log(*messages, user("Go."), answer=DONE)
    made["request"]["model_config_dict"] = {"system": system_prompt}
    return made


CASES: list[tuple[Flag, Log, Log]] = [
    (
        Flag.UNKNOWN_ROLE,
        after({"role": "critic", "content": "No."}),
        after({"role": "developer", "content": "No."}),
    ),
    (Flag.BAD_CONTENT, after(user(7)), after(user(None))),
    (
        Flag.BAD_CONTENT,
        after(user([{"type": "image_url", "image_url": {}}])),
        after(user([{"type": "text", "text": "a"}])),
    ),
    (
        Flag.BAD_CONTENT,
        after(user([{"type": "thinking", "thinking": "a"}])),
        final([{"type": "thinking", "thinking": "a"}, "b"]),
    ),
    (
        Flag.BAD_CONTENT,
        after(system([{"type": "tool_result", "content": "a"}])),
        after(user([{"type": "tool_result", "content": "a"}])),
    ),
    (Flag.BAD_CONTENT, final("Done.", reasoning_content=7), final("Done.", reasoning_content={})),
    (Flag.BAD_CONTENT, final("Done.", reasoning={"level": 3}), final("Done.", reasoning={"text": "a"})),
    (
        Flag.BAD_TOOL_CALL,
        final("", tool_calls=[{"function": {"arguments": "{}"}}]),
        final("", tool_calls=[LS]),
    ),
    (Flag.BAD_TOOL_CALL, final("", tool_calls="ls"), final("", tool_calls="")),
    (
        Flag.BAD_TOOL_CALL,
        final("", function_call={"arguments": "{}"}),
        final("", function_call={"name": "ls"}),
    ),
    (
        Flag.BAD_TOOL_CALL,
        final([{"type": "tool_use", "input": {}}]),
        final([{"type": "tool_use", "name": "ls"}]),
    ),
    (
        Flag.BAD_ARGUMENTS,
        final("", tool_calls=[call("ls", "{")]),
        final("", tool_calls=[call("ls", {"a": 1})]),
    ),
    (
        Flag.REASONING_UNREADABLE,
        final("Done.", reasoning_details=[{"type": "reasoning.encrypted", "data": "x"}]),
        final("Done.", reasoning_details=[{"type": "reasoning.text", "text": "x"}]),
    ),
    (
        Flag.REASONING_UNREADABLE,
        final([{"type": "thinking", "thinking": [{"type": "redacted_thinking", "data": "x"}]}, "a"]),
        final([{"type": "thinking", "thinking": "x"}, "a"]),
    ),
    (Flag.UNCLOSED_THINKING, final("<think>a"), final("<think>a</think>")),
    (Flag.UNOPENED_THINKING, final("a\n</think>\nb"), final("a\n</thinks>\nb")),
    (
        Flag.THINKING_TWICE,
        final("<think>a</think>c", reasoning="b"),
        final("<think>a</think>c", reasoning=" a "),
    ),
    (Flag.THINKING_IN_CONTENT, final("c <think>a</think>"), final("c <think>a")),
    (Flag.EMPTY_TURN, final(" \n", reasoning="a"), final("", tool_calls=[LS])),
    (Flag.EMPTY_TURN, after(assistant(None, "a")), after(assistant("b", None))),
    (Flag.UNANSWERED_CALL, after(assistant("", None, LS)), after(assistant("", None, LS), tool("a"))),
    (
        Flag.UNANSWERED_CALL,
        after(assistant("", None, LS, LS), tool("a")),
        after(assistant("", None, LS, LS), tool("a"), tool("b")),
    ),
    (
        Flag.UNANSWERED_CALL,
        log(user("Go."), assistant("", None, LS, LS), tool("a")),
        log(user("Go."), assistant("", None, LS, LS)),
    ),
    (Flag.STRAY_RESULT, after(tool("a")), after(assistant("", None, LS), tool("a"))),
    (
        Flag.STRAY_RESULT,
        after(assistant("", None, LS), tool("a"), tool("b")),
        after(assistant("", None, LS, LS), tool("a"), tool("b")),
    ),
    (
        Flag.STRAY_RESULT,
        after(assistant("", None, LS), user("x"), tool("a")),
        after(assistant("", None, LS), tool("a"), user("x")),
    ),
    (Flag.UNREAD_FIELD, final("a", plan="words"), final("a", plan=" ")),
    (
        Flag.UNREAD_FIELD,
        final("a", plan={"deep": [{"er": "words"}]}),
        final("a", annotations=[{"url": "words"}]),
    ),
    (Flag.UNREAD_FIELD, after(user("a") | {"reasoning_content": "b"}), after(user("a") | {"name": "b"})),
    (Flag.UNREAD_FIELD, after(tool("a") | {"tool_calls": [LS]}), after(tool("a") | {"status": "ok"})),
    (Flag.UNREAD_FIELD, final("a", refusal="No."), final(None, refusal="No.")),
    (
        Flag.UNREAD_FIELD,
        final("a", tool_calls=[LS], function_call={"name": "b"}),
        final("a", function_call={"name": "b"}),
    ),
    (Flag.UNREAD_FIELD, final("a", audio={"transcript": "b"}), final("a", audio={"id": "b", "data": "c"})),
    (
        Flag.UNREAD_FIELD,
        final("a", reasoning="b", reasoning_content="c"),
        final("a", reasoning="b", reasoning_content="b\n"),
    ),
    (
        Flag.UNREAD_FIELD,
        final([{"type": "text", "text": "a", "citations": ["b"]}]),
        final([{"type": "text", "text": "a", "signature": "b"}]),
    ),
    (
        Flag.UNREAD_FIELD,
        final("", tool_calls=[{**LS, "note": "b"}]),
        final("", tool_calls=[{**LS, "index": "b"}]),
    ),
    (
        Flag.UNREAD_FIELD,
        final("a", reasoning={"thinking": "b", "text": "c"}),
        final("a", reasoning={"thinking": "b", "format": "c"}),
    ),
    (
        Flag.UNREAD_FIELD,
        configured("Be brief.", system("Be long.")),
        configured("Be brief.", system(" Be brief.")),
    ),
    (
        Flag.UNREAD_FIELD,
        configured("Be brief.", system("Be long.")),
        configured([{"type": "text", "text": "Be brief."}]),
    ),
    (Flag.NO_FINAL_TURN, responded("error"), responded(None)),
    (Flag.NO_FINAL_TURN, responded({"choices": []}), responded({"choices": [{"message": {"content": "a"}}]})),
    (
        Flag.NO_FINAL_TURN,
        responded({"streaming": True, "content": "a", "finish_reason": "tool_calls"}),
        responded({"streaming": True, "content": "a", "finish_reason": "stop"}),
    ),
    (Flag.CUT_SHORT, ended("length"), ended("stop")),
    (
        Flag.NO_FINAL_TURN,
        responded({"streaming": True, "content": "a", "finish_reason": "length"}),
        responded({"streaming": True, "content": "", "finish_reason": "stop"}),
    ),
    (Flag.CUT_SHORT, ended("content_filter"), ended("tool_calls")),
    (Flag.CUT_SHORT, ended("max_tokens"), ended(None)),
    (Flag.CUT_SHORT, ended("error"), ended(["length"])),
    (
        Flag.UNREAD_FIELD,
        after(user([{"type": "tool_result", "content": "a", "title": "b"}])),
        after(user([{"type": "tool_result", "content": "a", "tool_use_id": "b", "is_error": "c"}])),
    ),
    (
        Flag.UNREAD_FIELD,
        final("", tool_calls=[{"function": {"name": "ls", "arguments": "{}", "result": "b"}}]),
        final("", tool_calls=[{"function": {"name": "ls", "arguments": "{}", "index": "b"}}]),
    ),
]
OF_OTHER_LOGS = {
    Flag.HISTORY_REWRITTEN,
    Flag.OTHER_CONVERSATION,
    Flag.REASONING_FROM_OTHER_LOG,
    Flag.LOG_SKIPPED,
}
OF_OTHER_RULES = {Flag.CTRF_MISMATCH, Flag.LINK_NOT_FOLLOWED, Flag.LITERAL_MARKUP, Flag.REDACTED}


@pytest.mark.parametrize(
    ("flag", "raises", "close"), CASES, ids=[f"{n}-{one[0]}" for n, one in enumerate(CASES)]
)
def test_flag_is_raised_by_what_it_means_and_not_by_its_neighbour(
    flag: Flag, raises: Log, close: Log
) -> None:
    assert flag in conversation(raises).flags
    assert flag not in conversation(close).flags


@pytest.mark.parametrize(
    ("flag", "logged"),
    [
        (Flag.BAD_CONTENT, final([{"type": "image_url", "image_url": {"url": "a"}}, "b"])),
        (Flag.BAD_CONTENT, final("a", reasoning=[["", {"text": ""}]])),
        (Flag.BAD_TOOL_CALL, final("a", tool_calls={"name": "b"})),
        (Flag.BAD_TOOL_CALL, final("a", tool_calls=[{"function": {"arguments": "b", "note": "c"}}])),
        (
            Flag.REASONING_UNREADABLE,
            final("a", reasoning_details=[{"type": "reasoning.encrypted", "data": "b"}]),
        ),
        (Flag.UNKNOWN_ROLE, after({"role": "critic", "content": "a", "reasoning": "b"})),
    ],
)
def test_what_another_flag_admits_is_not_flagged_as_unread_too(flag: Flag, logged: Log) -> None:
    assert conversation(logged).flags == {flag}


def test_every_flag_of_one_log_has_a_case() -> None:
    assert {case[0] for case in CASES} == set(Flag) - OF_OTHER_LOGS - OF_OTHER_RULES


def flags(trial: Path) -> set[Flag]:
    """All flags of rules R4 and R5 that a trial gets."""
    chosen = choose(trial)
    assert chosen is not None
    found = {note.flag for note in chosen.notes} | conversation(chosen.log, chosen.borrowed).flags
    return found | ({Flag.LOG_SKIPPED} if chosen.log_skipped else set())


CALLED = assistant("I look.", None, LS)
HISTORY = [user("Go."), CALLED, tool("a")]
LAST = log(*HISTORY, assistant("Again.", None, LS), tool("b"), answer=assistant("Done."))
A, B = "conv_20261122_120001_000000.json", "conv_20261122_120009_000000.json"

OTHERS: list[tuple[Flag | None, str, Log]] = [
    (None, A, log(*HISTORY)),
    (None, A, log(*HISTORY[:1], answer=CALLED)),
    (Flag.REASONING_FROM_OTHER_LOG, A, log(*HISTORY[:1], answer=CALLED | {"reasoning_content": "Why."})),
    (
        Flag.REASONING_FROM_OTHER_LOG,
        A,
        log(*HISTORY[:1], answer=CALLED | {"content": "<think>Why.</think>I look."}),
    ),
    (None, A, log(*HISTORY[:1], answer=CALLED | {"reasoning_content": " "})),
    (Flag.HISTORY_REWRITTEN, A, log(user("Go!"), answer=CALLED)),
    (Flag.HISTORY_REWRITTEN, A, log(*HISTORY[:1], answer=assistant("I look.", None, call("ls", {"a": 1})))),
    (None, A, log(*HISTORY[:1], answer=assistant("I look.", None, call("ls", " {}")))),
    (Flag.HISTORY_REWRITTEN, A, log(*HISTORY[:2], tool("A"))),
    (None, A, log(*HISTORY, assistant("Again.", None, LS), tool("b"), assistant("Done."), user("More?"))),
    (Flag.HISTORY_REWRITTEN, f"other/{A}", log(user("Go."), answer=assistant("No."))),
    (Flag.OTHER_CONVERSATION, f"other/{A}", log(user("Something else."), answer=assistant("No."))),
    (None, f"other/{A}", log(*HISTORY[:1], answer=CALLED | {"reasoning_content": "Why."})),
]


def test_every_flag_of_other_logs_has_a_case() -> None:
    assert {flag for flag, _, _ in OTHERS if flag} == OF_OTHER_LOGS - {Flag.LOG_SKIPPED}


@pytest.mark.parametrize("indent", [4, None])
@pytest.mark.parametrize(("flag", "name", "other"), OTHERS, ids=[str(n) for n in range(len(OTHERS))])
def test_flag_of_another_log(
    flag: Flag | None, name: str, other: Log, indent: int | None, tmp_path: Path
) -> None:
    """However the logs are spaced: bytes are only compared first."""
    write_log(tmp_path, logged(LAST, indent), B)
    write_log(tmp_path, logged(other, indent), name)
    assert flags(tmp_path) & OF_OTHER_LOGS == ({flag} if flag else set())


def test_log_that_is_cut_off_is_skipped(tmp_path: Path) -> None:
    write_log(tmp_path, logged(LAST), B)
    write_log(tmp_path, logged(log(*HISTORY))[:-20], A)
    assert flags(tmp_path) & OF_OTHER_LOGS == {Flag.LOG_SKIPPED}


def test_log_with_a_damaged_head_is_not_taken_for_shared(tmp_path: Path) -> None:
    other = logged(log(*HISTORY[:1], answer=CALLED))
    write_log(tmp_path, logged(LAST), B)
    write_log(tmp_path, other.replace(b'"model": "', b'"model": "\x01', 1), A)
    assert flags(tmp_path) & OF_OTHER_LOGS == {Flag.LOG_SKIPPED}


def test_reasoning_is_taken_from_the_log_of_the_turns_own_call(tmp_path: Path) -> None:
    """Two turns say the same. Each takes what its own call gave, and a blank one takes nothing."""
    same = [user("Go."), CALLED, tool("a"), CALLED, tool("b")]
    write_log(tmp_path, logged(log(*same, answer=assistant("Done."))), B)
    write_log(tmp_path, logged(log(*same[:1], answer=CALLED | {"reasoning_content": "First."})), A)
    write_log(
        tmp_path, logged(log(*same[:3], answer=CALLED | {"reasoning_content": " "})), A.replace("01_", "02_")
    )
    chosen = choose(tmp_path)
    assert chosen is not None
    assert {index: one.reasoning for index, one in chosen.borrowed.items()} == {1: "First."}
    turns = conversation(chosen.log, chosen.borrowed).turns
    assert [(turn.reasoning, turn.reasoning_from) for turn in turns if turn.role == "assistant"] == [
        ("First.", A), ("", None), ("", None),
    ]  # fmt: skip


@pytest.mark.parametrize(("other", "found"), [("First.", {1: "First."}), ("Second.", {})])
def test_logs_of_other_calls_count_if_they_agree(other: str, found: dict[int, str], tmp_path: Path) -> None:
    write_log(tmp_path, logged(log(*HISTORY, answer=assistant("Done."))), B)
    for n, reasoning in ((1, "First."), (2, other)):  # with one more message before it than the turn has
        name = A.replace("01_", f"0{n}_")
        answer = CALLED | {"reasoning_content": reasoning}
        write_log(tmp_path, logged(log(system("x"), user("Go."), answer=answer)), name)
    chosen = choose(tmp_path)
    assert chosen is not None
    assert {index: one.reasoning for index, one in chosen.borrowed.items()} == found
