"""Reasoning at the head of the content: five marks, each closed, unclosed, unopened, twice and blank."""

from __future__ import annotations

import pytest

from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.inline import MARKS, split_inline
from seta_dag.rollouts.sources.notes import Notes


def split(content: str, beside: str = "") -> tuple[str, str, set[str]]:
    """Return (reasoning, content, flags)."""
    notes = Notes()
    found = split_inline(beside, content, notes)
    return found.reasoning, found.content, {str(note.flag) for note in notes.done()}


ANY_MARK = pytest.mark.parametrize(("opening", "closing"), MARKS, ids=[opening for opening, _ in MARKS])


@ANY_MARK
@pytest.mark.parametrize(
    ("content", "reasoning", "answer", "flags"),
    [
        ("{o}\nWhy.\n{c}\n\nDone.", "Why.", "Done.", set()),
        ("{o}Why.{c}Done.", "Why.", "Done.", set()),
        ("{o}\r\nWhy.\r\n{c}\r\n\r\nDone.", "Why.", "Done.", set()),
        (" \n\ufeff\u200b {o}Why.{c} Done.", "Why.", " Done.", set()),
        ("{o}\n\n{c}\n\nDone.", "", "Done.", set()),
        ("{o}Why.{c}", "Why.", "", set()),
        ("{o}\nWhy.", "Why.", "", {"unclosed_thinking"}),
        ("{o}", "", "", {"unclosed_thinking"}),
        ("{o}Why.{c}\n{o}More.{c}\nDone.", "Why.\nMore.", "Done.", {"thinking_twice"}),
        ("{o}Why.{c}\n{o} Why. {c}\nDone.", "Why.", "Done.", set()),
        ("{o}Why.{c}\n{o} {c}\nDone.", "Why.", "Done.", set()),
        ("{o}{c}{o}Why.{c}Done.", "Why.", "Done.", set()),
        ("{o}Why.{c}Use {o}x{c}.", "Why.", "Use {o}x{c}.", {"thinking_in_content"}),
        ("Done. {o}x{c}", "", "Done. {o}x{c}", {"thinking_in_content"}),
        ("Done. {c}", "", "Done. {c}", {"thinking_in_content"}),
        ("Done. {o}", "", "Done. {o}", set()),
    ],
)
def test_each_mark_is_read_alike(
    content: str, reasoning: str, answer: str, flags: set[str], opening: str, closing: str
) -> None:
    marks = {"o": opening, "c": closing}
    assert split(content.format(**marks)) == (reasoning.format(**marks), answer.format(**marks), flags)


@ANY_MARK
@pytest.mark.parametrize(
    ("content", "reasoning", "flags"),
    [
        ("{o}Why.{c}Done.", "Why.", set()),
        ("{o} \n{c}Done.", "Why.", set()),
        ("{o}More.{c}Done.", "Why.\nMore.", {"thinking_twice"}),
        ("{o}More.", "Why.\nMore.", {"thinking_twice", "unclosed_thinking"}),
    ],
)
def test_block_beside_logged_reasoning_counts_once(
    content: str, reasoning: str, flags: set[str], opening: str, closing: str
) -> None:
    found = split(content.format(o=opening, c=closing), beside="Why.")
    assert found == (reasoning, "" if "{c}" not in content else "Done.", flags)


@pytest.mark.parametrize(
    ("content", "reasoning", "answer", "flags"),
    [
        ("Why.\n</think>\n\nDone.", "Why.", "Done.", {"unopened_thinking"}),
        ("Why.\r\n</think>\r\nDone.", "Why.", "Done.", {"unopened_thinking"}),
        ("\n</think> \nDone.", "", "Done.", {"unopened_thinking"}),
        ("</think>\nDone.", "", "Done.", {"unopened_thinking"}),
        ("Why.\n</think>", "Why.", "", {"unopened_thinking"}),
        (
            "Why.\n</think>\nA\n</think>\nB",
            "Why.",
            "A\n</think>\nB",
            {"unopened_thinking", "thinking_in_content"},
        ),
        ("Why.</think>\nDone.", "", "Why.</think>\nDone.", {"thinking_in_content"}),
        ("Why.\n</think> x\nDone.", "", "Why.\n</think> x\nDone.", {"thinking_in_content"}),
        ("A <think>b\n</think>\nDone.", "", "A <think>b\n</think>\nDone.", {"thinking_in_content"}),
        ("Why.\n</thinking>\nDone.", "", "Why.\n</thinking>\nDone.", {"thinking_in_content"}),
    ],
)
def test_only_think_on_a_line_of_its_own_ends_what_was_never_opened(
    content: str, reasoning: str, answer: str, flags: set[str]
) -> None:
    assert split(content) == (reasoning, answer, flags)


@ANY_MARK
def test_other_marks_that_were_never_opened_are_only_flagged(opening: str, closing: str) -> None:
    content = f"Why.\n{closing}\nDone."
    if opening == "<think>":
        assert split(content) == ("Why.", "Done.", {"unopened_thinking"})
    else:
        assert split(content) == ("", content, {"thinking_in_content"})


def test_nothing_is_unopened_beside_logged_reasoning() -> None:
    content = "Why.\n</think>\nDone."
    assert split(content, beside="Because.") == ("Because.", content, {"thinking_in_content"})


@pytest.mark.parametrize(
    ("content", "is_flagged"),
    [
        ("<THINK>Why.</THINK> Done.", True),
        ("  <think budget='1'>", True),
        ("<|channel|>analysis", True),
        ("<thinker", False),
        ("Think <|channel|>", False),
        ("<b>think</b>", False),
        ("", False),
    ],
)
def test_what_begins_like_a_mark_is_flagged(content: str, is_flagged: bool) -> None:
    assert split(content) == ("", content, {"thinking_in_content"} if is_flagged else set())


def test_blank_reasoning_is_none() -> None:
    assert split("Done.", beside=" \n ") == ("", "Done.", set())
    assert Flag.THINKING_TWICE not in split("<think>Why.</think>Done.", beside=" ")[2]
