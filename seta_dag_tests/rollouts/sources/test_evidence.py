"""Comparing the bytes of logs is only a faster way to the same result (R4)."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seta_dag.rollouts.sources.cumulative import Cumulative
from seta_dag.rollouts.sources.snapshot import choose
from seta_dag_tests.support.conversations import (
    Log,
    Message,
    assistant,
    call,
    log,
    logged,
    schema,
    system,
    tool,
    user,
    write_log,
)

LS = call("ls", "{}")
MESSAGES: list[Message] = [
    system("You work."),
    user("Go."),
    assistant("I look.", None, LS),
    tool("a\n        ]\n    }"),  # the text that ends the messages of a log, if it were not escaped
    assistant("<think>Why.</think>Again.", None, LS),
    tool("b"),
    assistant("Done."),
    user("More."),
    assistant("Done."),
]
TOOLS = [None, [schema("ls")], [schema("ls", "Lists.")]]
ANSWERS: list[Any] = [
    None,
    "error",
    {"choices": []},
    {"content": "Done.", "streaming": True, "finish_reason": "stop"},
    {"choices": [{"message": {"content": "I look.", "tool_calls": [LS], "reasoning_content": "First."}}]},
    {"choices": [{"message": {"content": "Done.", "reasoning": "Because."}}]},
]


def changed(length: int, at: int, tools: Any, answer: Any) -> Log:
    """Return a log of the first `length` messages, in which message `at`, if any, says something else."""
    messages = MESSAGES[:length]
    if at < length:
        messages[at] = {**messages[at], "content": "Something else."}
    return {**log(*messages, tools=tools), "response": answer}


LOGS = st.builds(
    changed,
    st.integers(1, len(MESSAGES)),
    st.sampled_from([99, 99, 99, 0, 1, 3, 6]),
    st.sampled_from(TOOLS),
    st.sampled_from(ANSWERS),
)
FOLDERS = st.sampled_from(["agent", "agent", "helper"])


def summary(logs: dict[int, tuple[str, Log]], indent: int) -> Any:
    """Return what is chosen from logs that are written with this indent, and what the others add to it."""
    with TemporaryDirectory() as folder:
        for number, (agent, document) in logs.items():
            write_log(Path(folder), logged(document, indent), f"{agent}/conv_{number}.json")
        chosen = choose(Path(folder))
        assert chosen is not None
        path = chosen.path.relative_to(folder)
        return path, chosen.log, chosen.log_skipped, chosen.borrowed, chosen.notes


@given(logs=st.dictionaries(st.integers(10, 99), st.tuples(FOLDERS, LOGS), min_size=1, max_size=6))
def test_logs_that_can_be_compared_by_their_bytes_give_the_same_as_others(
    logs: dict[int, tuple[str, Log]],
) -> None:
    assert summary(logs, indent=4) == summary(logs, indent=1)


CHOSEN = changed(8, 99, TOOLS[1], None)


@pytest.mark.parametrize(
    ("other", "n_messages"),
    [
        (logged(changed(5, 99, TOOLS[1], ANSWERS[4])), 5),
        (logged(changed(8, 99, TOOLS[1], None)), 8),
        (logged(changed(5, 99, TOOLS[2], ANSWERS[4])), 5),  # other settings are parsed
        (logged(changed(5, 3, TOOLS[1], ANSWERS[4])), None),
        (logged(changed(9, 99, TOOLS[1], ANSWERS[4])), None),  # longer
        (logged(changed(5, 99, TOOLS[1], ANSWERS[4]), indent=2), None),
        (logged(changed(5, 99, TOOLS[1], ANSWERS[4]))[:-2], None),  # truncated
        (logged(changed(5, 99, TOOLS[1], ANSWERS[4])).replace(b'"ls"', b'"ls', 1), None),
        (logged(changed(5, 99, TOOLS[1], ANSWERS[4])).replace(b'"request": {', b'"asked": {', 1), None),
        (b"", None),
    ],
)
def test_log_is_shared_if_its_messages_are_the_first_ones(other: bytes, n_messages: int | None) -> None:
    found = Cumulative(logged(CHOSEN), CHOSEN).shared(other)
    assert (found and found.n_messages) == n_messages
    assert found is None or (found.final is None) == (n_messages == 8)


@pytest.mark.parametrize("indent", [None, 1, 2])
def test_nothing_is_shared_with_a_log_that_is_spaced_in_another_way(indent: int | None) -> None:
    one = Cumulative(logged(CHOSEN, indent), CHOSEN)
    assert not one.is_comparable
    assert one.shared(logged(CHOSEN, indent)) is None
