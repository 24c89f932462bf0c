"""Damaged trials (R4, R5): each becomes a row, proved in both variants, or a drop with a reason."""

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
TALK = (user("List."), assistant("Looking.", "Look.", _LS), tool("a.txt"))
WHOLE = log(*TALK, answer=assistant("Done.", "Good."))
LATER = log(*TALK, assistant("More.", "Go on."), user("On."), answer=assistant("All done.", "Good."))
FIRST, SECOND, HELPER = "agent/conv_1.json", "agent/conv_2.json", "helper/conv_9.json"


@dataclass(frozen=True)
class Case:
    """The files of a trial, and what it must become."""

    files: dict[str, bytes]
    flags: frozenset[str] = frozenset()
    n_messages: int = 4
    n_turns: int = 2
    ends: str = "\n</think>\n\nDone.<|im_end|>\n"


def without_answer(given: Any) -> Log:
    """The conversation, with something else where the response should be."""
    return {**log(*TALK), "response": given}


def nested(depth: int) -> bytes:
    """A log whose only call has a list of that depth for arguments."""
    made = logged(log(assistant("", "", call("f", "DEEP"))))
    return made.replace(b'"DEEP"', b"[" * depth + b"]" * depth)


SKIPPED = frozenset({"log_skipped"})
NO_ANSWER: dict[str, Any] = {"n_messages": 3, "n_turns": 1, "ends": "a.txt\n</tool_response><|im_end|>\n"}
DEEP_ARGUMENTS = log(
    user("x"), assistant("", "", call("f", "[" * DEEP + "]" * DEEP)), answer=assistant("Done.", "Good.")
)
NONSENSE = {"role": "assistant", "content": 7, "reasoning_content": [], "tool_calls": "f"}
ROWS: dict[str, Case] = {
    "undamaged": Case({FIRST: logged(WHOLE)}),
    "the newest log is cut": Case({FIRST: logged(WHOLE), SECOND: logged(LATER)[:-300]}, SKIPPED),
    "the newest log is empty": Case({FIRST: logged(WHOLE), SECOND: b""}, SKIPPED),
    "the newest log is all zero bytes": Case({FIRST: logged(WHOLE), SECOND: bytes(5_000)}, SKIPPED),
    "two agents": Case({FIRST: logged(WHOLE), HELPER: logged(log(user("x" * 9_000), answer=assistant("y")))}),
    "a larger stray JSON": Case({FIRST: logged(WHOLE), HELPER: logged(["x" * 9_000])}, SKIPPED),
    "a larger JSON of another name": Case({FIRST: logged(WHOLE), "agent/trace.json": logged(LATER)}),
    "no response": Case({FIRST: logged(log(*TALK))}, **NO_ANSWER),
    "a response that is null": Case({FIRST: logged(without_answer(None))}, **NO_ANSWER),
    "a response that is a string": Case({FIRST: logged(without_answer("Done."))}, **NO_ANSWER),
    "a streamed response": Case(
        {FIRST: logged(without_answer({"content": "Done.", "streaming": True}))}, **NO_ANSWER
    ),
    "no choices": Case({FIRST: logged(without_answer({"choices": []}))}, **NO_ANSWER),
    "a message that is null": Case({FIRST: logged(without_answer(response(None)))}, **NO_ANSWER),
    "a failed call after the last answer": Case(
        {FIRST: logged(WHOLE), SECOND: logged(log(*TALK, assistant("Done.")))}
    ),
    "lone surrogates": Case(
        {FIRST: logged(log(*TALK, tool("\ud83d"), answer=assistant("Done.", "\udc00"))), SECOND: b"\xff"},
        SKIPPED,
        n_messages=5,
        ends="\n<think>\n\ufffd\n</think>\n\nDone.<|im_end|>\n",
    ),
    "NaN": Case({FIRST: logged({**WHOLE, "cost": float("nan"), "n": 2**70})}),
    "a byte order mark": Case({FIRST: b"\xef\xbb\xbf" + logged(WHOLE)}),
    "one log 100,000 brackets deep": Case({FIRST: logged(WHOLE), SECOND: b"[" * DEEP + b"]" * DEEP}, SKIPPED),
    "arguments 100,000 brackets deep": Case(
        {FIRST: logged(DEEP_ARGUMENTS)}, frozenset({"bad_arguments"}), n_messages=3
    ),
    "unknown roles": Case(
        {FIRST: logged(log({"role": "critic"}, *TALK, {"role": ""}, answer=assistant("Done.")))},
        frozenset({"unknown_role"}),
        n_messages=6,
    ),
    "content, reasoning and calls of no sense": Case(
        {FIRST: logged(log(NONSENSE, *TALK, answer=assistant("Done.", "Good.")))},
        frozenset({"bad_content", "bad_tool_call"}),
        n_messages=5,
        n_turns=3,
    ),
}
DROPS: dict[str, tuple[dict[str, bytes], str]] = {
    "no log": ({}, "no_conversation"),
    "only a cut log": ({FIRST: logged(WHOLE)[:-2]}, "no_conversation"),
    "only logs 100,000 brackets deep": ({FIRST: b"[" * DEEP, SECOND: b'{"a":' * DEEP}, "no_conversation"),
    "arguments 2,000 brackets deep, not as a string": ({FIRST: nested(2_000)}, "no_conversation"),
    "no messages": ({FIRST: logged(log())}, "no_conversation"),
    "no assistant turn": ({FIRST: logged(log(user("x")))}, "no_assistant_turn"),
    "only unknown roles": ({FIRST: logged(log({"role": "critic"}))}, "no_assistant_turn"),
}


def row_of(root: Path, files: dict[str, bytes], maker: RowMaker) -> Written:
    """What becomes of a verified trial that has these logs."""
    trial = Trial("run", "run", UID, "task", 0)
    folder = root / trial.path
    (folder / REPORT).parent.mkdir(parents=True)
    (folder / REPORT).write_text('{"results": {"tests": [], "summary": {"tests": 2, "passed": 1}}}')
    for name, data in files.items():
        write_log(folder, data, name)
    return write_row(root, trial, maker, root / "task.arrow")


@pytest.mark.parametrize("name", ROWS)
def test_a_damaged_trial_becomes_a_row(name: str, tmp_path: Path, maker: RowMaker) -> None:
    case = ROWS[name]
    written = row_of(tmp_path, case.files, maker)
    row = written.row
    assert (row.reason, row.detail) == (None, None)
    assert row.flags == case.flags
    assert (row.short_columns["n_messages"], row.n_assistant_turns) == (case.n_messages, case.n_turns)
    assert len(written.spans("thinking")) == case.n_turns
    assert written.text("thinking").endswith(case.ends)


@pytest.mark.parametrize("name", ROWS)
def test_the_raw_log_is_the_file(name: str, tmp_path: Path, maker: RowMaker) -> None:
    written = row_of(tmp_path, ROWS[name].files, maker)
    raw = (tmp_path / written.row.short_columns["conv_json_path"]).read_bytes()
    assert written.raw == raw.decode("utf-8-sig")


@pytest.mark.parametrize("name", DROPS)
def test_a_trial_damaged_beyond_use_is_dropped(name: str, tmp_path: Path, maker: RowMaker) -> None:
    files, reason = DROPS[name]
    row = row_of(tmp_path, files, maker).row
    assert row.reason == reason and row.detail
    assert not any("proof" in name for name in row.short_columns)


def test_depth_at_the_reach_of_json_never_raises(tmp_path: Path, maker: RowMaker) -> None:
    """How deep `json` goes depends on the Python, and how deep it stands on the stack."""
    reasons = {
        row_of(tmp_path / f"{depth}", {FIRST: nested(depth)}, maker).row.reason
        for depth in range(900, 1030, 8)
    }
    assert reasons <= {None, "no_conversation"}


def test_a_big_log_is_a_log(tmp_path: Path) -> None:
    """30 MB in one tool message, beside the cut log of a later call of the same size."""
    big = logged(log(*TALK, tool("0123456789 abcdef\n" * 1_700_000), answer=assistant("Done.")))
    path = write_log(tmp_path, big, FIRST)
    write_log(tmp_path, big[:-1_000], SECOND)
    chosen = choose(tmp_path)
    assert chosen is not None
    assert (chosen.path, chosen.log_skipped, len(chosen.data)) == (path, True, len(big))
