"""Damaged trials become proved rows in both variants, or are dropped with a reason (R4, R5)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from seta_dag.rollouts.ctrf import REPORT
from seta_dag.rollouts.listing.trials import Trial
from seta_dag.rollouts.sources.snapshot import choose
from seta_dag.tokens.example import RowMaker
from seta_dag_tests.support.conversations import (
    Log,
    assistant,
    call,
    log,
    logged,
    response,
    tool,
    user,
    write_log,
)
from seta_dag_tests.support.written import Written, write_row

UID = "task_t0_ab12cd"
DEEP = 100_000
_LS = call("shell_exec", '{"id": "main", "command": "ls"}')
MESSAGES = (user("List."), assistant("Looking.", "Look.", _LS), tool("a.txt"))
COMPLETE = log(*MESSAGES, answer=assistant("Done.", "Good."))
LATER = log(*MESSAGES, assistant("More.", "Go on."), user("On."), answer=assistant("All done.", "Good."))
FIRST, SECOND, HELPER = "agent/conv_1.json", "agent/conv_2.json", "helper/conv_9.json"


@dataclass(frozen=True)
class Case:
    """The logs of a trial, and the row that they must give.

    Attributes:
        files: contents of the logs by path below CAMEL_LOG_DIR.
        flags: flags of the row.
        n_messages: number of logged messages.
        n_turns: number of assistant turns.
        ends: end of the text in the thinking variant.
    """

    files: dict[str, bytes]
    flags: frozenset[str] = frozenset()
    n_messages: int = 4
    n_turns: int = 2
    ends: str = "\n</think>\n\nDone.<|im_end|>\n"


def with_response(value: Any) -> Log:
    """Return the log with any value as its response."""
    return {**log(*MESSAGES), "response": value}


def nested(depth: int) -> bytes:
    """Return a log whose only call has arguments that are a list nested `depth` levels deep."""
    text = logged(log(assistant("", "", call("f", "DEEP"))))
    return text.replace(b'"DEEP"', b"[" * depth + b"]" * depth)


SKIPPED = frozenset({"log_skipped"})
NO_ANSWER: dict[str, Any] = {"n_messages": 3, "n_turns": 1, "ends": "a.txt\n</tool_response><|im_end|>\n"}
NO_TURN: dict[str, Any] = {**NO_ANSWER, "flags": frozenset({"no_final_turn"})}
DEEP_ARGUMENTS = log(
    user("x"), assistant("", "", call("f", "[" * DEEP + "]" * DEEP)), answer=assistant("Done.", "Good.")
)
WRONG_TYPES = {"role": "assistant", "content": 7, "reasoning_content": [], "tool_calls": "f"}
ROWS: dict[str, Case] = {
    "undamaged": Case({FIRST: logged(COMPLETE)}),
    "latest log is truncated": Case({FIRST: logged(COMPLETE), SECOND: logged(LATER)[:-300]}, SKIPPED),
    "latest log is empty": Case({FIRST: logged(COMPLETE), SECOND: b""}, SKIPPED),
    "latest log is all zero bytes": Case({FIRST: logged(COMPLETE), SECOND: bytes(5_000)}, SKIPPED),
    "logs of two agents": Case(
        {FIRST: logged(COMPLETE), HELPER: logged(log(user("x" * 9_000), answer=assistant("y")))},
        frozenset({"other_conversation"}),
    ),
    "larger log that is a list": Case({FIRST: logged(COMPLETE), HELPER: logged(["x" * 9_000])}, SKIPPED),
    "larger file with another name": Case({FIRST: logged(COMPLETE), "agent/trace.json": logged(LATER)}),
    "no response": Case({FIRST: logged(log(*MESSAGES))}, **NO_ANSWER),
    "response is null": Case({FIRST: logged(with_response(None))}, **NO_ANSWER),
    "response is a string": Case({FIRST: logged(with_response("Done."))}, **NO_TURN),
    "streamed response": Case(
        {FIRST: logged(with_response({"content": "Done.", "streaming": True, "finish_reason": "stop"}))}
    ),
    "streamed response that was aborted": Case(
        {FIRST: logged(with_response({"content": "Done.", "streaming": True}))}, **NO_TURN
    ),
    "no choices": Case({FIRST: logged(with_response({"choices": []}))}, **NO_TURN),
    "message of the response is null": Case({FIRST: logged(with_response(response(None)))}, **NO_TURN),
    "failed call after the final turn": Case(
        {FIRST: logged(COMPLETE), SECOND: logged(log(*MESSAGES, assistant("Done.")))}
    ),
    "lone surrogates": Case(
        {FIRST: logged(log(*MESSAGES, tool("\ud83d"), answer=assistant("Done.", "\udc00"))), SECOND: b"\xff"},
        SKIPPED | {"stray_result"},
        n_messages=5,
        ends="\n<think>\n\ufffd\n</think>\n\nDone.<|im_end|>\n",
    ),
    "NaN and a huge integer": Case({FIRST: logged({**COMPLETE, "cost": float("nan"), "n": 2**70})}),
    "byte order mark": Case({FIRST: b"\xef\xbb\xbf" + logged(COMPLETE)}),
    "another log is nested too deep": Case(
        {FIRST: logged(COMPLETE), SECOND: b"[" * DEEP + b"]" * DEEP}, SKIPPED
    ),
    "arguments are a string nested too deep": Case(
        {FIRST: logged(DEEP_ARGUMENTS)}, frozenset({"bad_arguments", "unanswered_call"}), n_messages=3
    ),
    "unknown roles": Case(
        {FIRST: logged(log({"role": "critic"}, *MESSAGES, {"role": ""}, answer=assistant("Done.")))},
        frozenset({"unknown_role"}),
        n_messages=6,
    ),
    "wrong types of content, reasoning and calls": Case(
        {FIRST: logged(log(WRONG_TYPES, *MESSAGES, answer=assistant("Done.", "Good.")))},
        frozenset({"bad_content", "bad_tool_call", "empty_turn"}),
        n_messages=5,
        n_turns=3,
    ),
}
# Logs of a trial, and the reason why it is dropped.
DROPS: dict[str, tuple[dict[str, bytes], str]] = {
    "no log": ({}, "no_conversation"),
    "only a truncated log": ({FIRST: logged(COMPLETE)[:-2]}, "no_conversation"),
    "only logs nested too deep": ({FIRST: b"[" * DEEP, SECOND: b'{"a":' * DEEP}, "no_conversation"),
    "arguments are a list nested too deep": ({FIRST: nested(2_000)}, "no_conversation"),
    "no messages": ({FIRST: logged(log())}, "no_conversation"),
    "no assistant turn": ({FIRST: logged(log(user("x")))}, "no_assistant_turn"),
    "only unknown roles": ({FIRST: logged(log({"role": "critic"}))}, "no_assistant_turn"),
}


def build(root: Path, files: dict[str, bytes], maker: RowMaker) -> Written:
    """Build the row of a verified trial that has these logs."""
    trial = Trial("run", "run", UID, "task", 0)
    folder = root / trial.path
    (folder / REPORT).parent.mkdir(parents=True)
    (folder / REPORT).write_text('{"results": {"tests": [], "summary": {"tests": 2, "passed": 1}}}')
    for name, data in files.items():
        write_log(folder, data, name)
    return write_row(root, trial, maker, root / "task.arrow")


@pytest.mark.parametrize("name", ROWS)
def test_damaged_trial_becomes_a_row_with_its_log_verbatim(
    name: str, tmp_path: Path, maker: RowMaker
) -> None:
    case = ROWS[name]
    written = build(tmp_path, case.files, maker)
    row = written.row
    assert (row.reason, row.detail) == (None, None)
    assert row.flags == case.flags
    assert (row.columns and row.columns.n_messages, row.n_assistant_turns) == (case.n_messages, case.n_turns)
    assert len(written.spans("thinking")) == case.n_turns
    assert written.text("thinking").endswith(case.ends)
    assert row.columns is not None
    chosen = (tmp_path / row.columns.conv_json_path).read_bytes()
    assert written.raw == chosen.decode("utf-8-sig")


@pytest.mark.parametrize("name", DROPS)
def test_trial_without_a_usable_conversation_is_dropped(name: str, tmp_path: Path, maker: RowMaker) -> None:
    files, reason = DROPS[name]
    row = build(tmp_path, files, maker).row
    assert row.reason == reason and row.detail
    assert not row.counts


def test_depth_near_the_limit_of_json_never_raises(tmp_path: Path, maker: RowMaker) -> None:
    """The limit depends on the Python version and on the depth of the call stack."""
    reasons = {
        build(tmp_path / f"{depth}", {FIRST: nested(depth)}, maker).row.reason
        for depth in range(900, 1030, 8)
    }
    assert reasons <= {None, "no_conversation"}


def test_large_log_is_chosen_next_to_a_truncated_one(tmp_path: Path) -> None:
    """Both have 30 MB, most of it in one tool message."""
    large = logged(log(*MESSAGES, tool("0123456789 abcdef\n" * 1_700_000), answer=assistant("Done.")))
    path = write_log(tmp_path, large, FIRST)
    write_log(tmp_path, large[:-1_000], SECOND)
    chosen = choose(tmp_path)
    assert chosen is not None
    assert (chosen.path, chosen.log_skipped, len(chosen.data)) == (path, True, len(large))
