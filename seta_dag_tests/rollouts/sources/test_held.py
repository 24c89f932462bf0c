"""Whether a usable log of a trial holds reasoning, wherever it is and whatever becomes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seta_dag.rollouts.sources.held import holds_reasoning
from seta_dag.rollouts.sources.snapshot import choose
from seta_dag_tests.support.conversations import assistant, call, log, logged, tool, user, write_log

ENCRYPTED = [{"type": "reasoning.encrypted", "data": "gAAAA"}]
HELD: list[dict[str, Any]] = [
    assistant("Done.", "Think."),
    {"role": "assistant", "content": "Done.", "reasoning": "Think."},
    {"role": "assistant", "content": [{"type": "thinking", "thinking": "Think."}]},
    {"role": "assistant", "content": "<think>Think.</think>Done."},
    {"role": "assistant", "content": "Done.", "reasoning_details": ENCRYPTED},
]
NOT_HELD: list[dict[str, Any]] = [
    assistant("Done.", " \n"),
    {"role": "assistant", "content": "Say <think> twice.", "reasoning": []},
    {"role": "user", "content": "<think>Think.</think>", "reasoning": "Think."},
    {"role": "critic", "content": "Done.", "reasoning": "Think."},
    tool("<think>Think.</think>"),
]


@pytest.mark.parametrize("message", HELD)
def test_reasoning_of_an_assistant_is_held_in_every_form(message: dict[str, Any]) -> None:
    assert holds_reasoning(message)


@pytest.mark.parametrize("message", NOT_HELD)
def test_blank_reasoning_and_that_of_others_is_not_held(message: dict[str, Any]) -> None:
    assert not holds_reasoning(message)


PLAIN = [user("List."), assistant("I look.", None, call("ls", "{}")), tool("a")]


def reasoning_of(trial: Path, other: dict[str, Any], folder: str) -> bool:
    """Choose among a log without reasoning and a shorter one in `folder`."""
    write_log(trial, logged(log(*PLAIN, answer=assistant("Done."))), "agent/conv_2.json")
    write_log(trial, logged(other), f"{folder}/conv_1.json")
    chosen = choose(trial)
    assert chosen is not None and chosen.path.name == "conv_2.json"
    return chosen.reasoning


@pytest.mark.parametrize("folder", ["agent", "other"])
@pytest.mark.parametrize("answer", [assistant("Else.", "Think."), assistant("Else.")])
def test_the_final_turn_of_another_log_counts(folder: str, answer: dict[str, Any], tmp_path: Path) -> None:
    assert reasoning_of(tmp_path, log(PLAIN[0], answer=answer), folder) == bool(answer["reasoning_content"])


def test_messages_of_a_log_that_was_rewritten_count(tmp_path: Path) -> None:
    assert reasoning_of(tmp_path, log(user("List!"), assistant("I see.", "Think.")), "agent")
