"""Which logs of a trial are refused, and why, in a sentence of bounded length (rule R4)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seta_dag.rollouts.conversation import Note
from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.refusals import no_usable_log
from seta_dag.rollouts.sources.snapshot import choose
from seta_dag_tests.support.conversations import assistant, log, logged, user, write_log

GOOD = logged(log(user("List."), answer=assistant("Done.", "Good.")))
REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "cut off": (GOOD[:-2], "not JSON"),
    "not UTF-8": (b'"\xff"', "not UTF-8"),
    "nested": (b"[" * 100_000, "nested too deep"),
    "a list": (b"[1]", "no list request.messages"),
    "no request": (b'{"request": null}', "no list request.messages"),
    "no messages": (logged(log()), "request.messages is empty"),
    "no role": (b'{"request": {"messages": [{"content": "a"}]}}', "a message without a role"),
    "no object": (b'{"request": {"messages": ["a"]}}', "a message without a role"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_log_is_named_with_the_reason(name: str, tmp_path: Path) -> None:
    data, why = REFUSED[name]
    write_log(tmp_path, data, "agent/conv_1.json")
    assert choose(tmp_path) is None
    assert no_usable_log(tmp_path) == f"none of 1 usable: agent/conv_1.json: {why}"


def test_every_log_that_was_tried_is_named_in_order(tmp_path: Path) -> None:
    write_log(tmp_path, b"", "b/conv_1.json")
    write_log(tmp_path, b"[]", "a/conv_2.json")
    (tmp_path / "CAMEL_LOG_DIR/a/conv_1.json").mkdir()
    expected = (
        "a/conv_1.json: not a regular file; a/conv_2.json: no list request.messages; b/conv_1.json: empty"
    )
    assert no_usable_log(tmp_path) == f"none of 3 usable: {expected}"


def test_of_many_logs_ten_are_named(tmp_path: Path) -> None:
    for number in range(2000):
        write_log(tmp_path, b"", f"a/conv_{number:04}.json")
    sentence = no_usable_log(tmp_path)
    assert sentence.startswith("none of 2,000 usable: a/conv_0000.json: empty; ")
    assert sentence.endswith("a/conv_0009.json: empty; and 1,990 more") and len(sentence) < 400


def test_a_trial_without_a_log_says_so(tmp_path: Path) -> None:
    assert no_usable_log(tmp_path) == "no log below CAMEL_LOG_DIR"
    write_log(tmp_path, GOOD, "agent/other.json")
    assert no_usable_log(tmp_path) == "no log below CAMEL_LOG_DIR"


def test_names_that_are_not_utf8_can_be_written(tmp_path: Path) -> None:
    write_log(tmp_path, b"", os.fsdecode(b"agent/conv_\xff.json"))
    no_usable_log(tmp_path).encode()


def test_a_skipped_log_is_noted_with_the_reason(tmp_path: Path) -> None:
    write_log(tmp_path, GOOD, "a/conv_1.json")
    write_log(tmp_path, GOOD[:-2], "a/conv_2.json")
    write_log(tmp_path, b"", "b/conv_3.json")
    chosen = choose(tmp_path)
    assert chosen is not None
    assert chosen.notes == (
        Note(Flag.LOG_SKIPPED, None, "conv_2.json: not JSON"),
        Note(Flag.LOG_SKIPPED, None, "conv_3.json: empty"),
    )
