"""Where reasoning came from and where flags arose, in the terminal and on the page."""

from __future__ import annotations

import io
import re
from html import unescape
from pathlib import Path

import pytest
from rich.console import Console

from seta_dag.reports.row.inspection import Inspection, inspect_trial
from seta_dag.reports.row.origins import explained_flags, reasoning_sources
from seta_dag.reports.row.page import as_html
from seta_dag.reports.row.terminal import as_renderable
from seta_dag.rollouts.conversation import Conversation, Note, Turn
from seta_dag.rollouts.reasons import Flag
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.student.student import Student
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag.tokens.variants import Variant
from seta_dag_tests.support.inspected import HOSTILE
from seta_dag_tests.support.small_dataset import SmallTrial, write_dataset

TURNS = (
    Turn("system", "You have a shell."),
    Turn("user", "List."),
    Turn("assistant", "I look.", "First."),
    Turn("tool", "a"),
    Turn("tool", "b"),
    Turn("assistant", "And now?"),
    Turn("user", "Go on."),
    Turn("assistant", "Two.", "Last."),
    Turn("assistant", "Bye."),
)


NOTES = [
    Note(Flag.REASONING_FROM_OTHER_LOG, 3, "conv_1.json"),
    *(Note(Flag.UNREAD_FIELD, number, "citations") for number in (2, 4, 5)),
    Note(Flag.UNREAD_FIELD, 8, HOSTILE),
    Note(Flag.HISTORY_REWRITTEN, None, "conv_7.json"),
    Note(Flag.UNANSWERED_CALL, 3),
]
FLAGS = ["history_rewritten", "literal_markup", "reasoning_from_other_log", "unanswered_call", "unread_field"]
SOURCES = {3: "conv_1.json", 5: "none", 7: "the chosen log", 8: "none"}
"""By number of the rendered turn: two tool messages are one turn."""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, tokenizer: StudentTokenizer) -> OutputLayout:
    out = OutputLayout(tmp_path_factory.mktemp("origins"))
    talk = Conversation(TURNS, (), len(TURNS))
    ledger = (("flags", FLAGS), ("notes", NOTES))
    many = [Note(Flag.UNREAD_FIELD, number, f"key {number}") for number in range(1, 31)]
    often = [Note(Flag.BAD_CONTENT, number) for number in range(1, 31)]
    crowded = (("flags", ["bad_content", "unread_field"]), ("notes", many + often))
    trials = [SmallTrial("one", "one", talk, ledger=ledger), SmallTrial("two", "two", talk, ledger=crowded)]
    write_dataset(out, trials, tokenizer)
    return out


def inspected(
    out: OutputLayout, student: Student, name: str = "one", variant: Variant = "thinking"
) -> Inspection:
    return inspect_trial(out, name, variant, student)


def printed(inspection: Inspection, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(as_renderable(inspection))
    return capture.get()


def test_each_assistant_turn_has_the_log_of_its_reasoning(out: OutputLayout, student: Student) -> None:
    assert reasoning_sources(inspected(out, student)) == SOURCES
    assert reasoning_sources(inspected(out, student, variant="nothink")) == {}


def test_each_flag_has_its_sentence_and_its_places(out: OutputLayout, student: Student) -> None:
    found = explained_flags(inspected(out, student))
    assert [(one.name, one.meaning) for one in found] == [
        (flag.value, flag.meaning) for flag in Flag if flag.value in FLAGS
    ]
    assert [one.places for one in found] == [
        ("conv_7.json",),
        (),
        ("message 3: conv_1.json",),
        ("message 3",),
        ("messages 2, 4, 5: citations", f"message 8: {HOSTILE}"),
    ]


def test_the_places_of_a_flag_are_bounded(out: OutputLayout, student: Student) -> None:
    often, many = explained_flags(inspected(out, student, "two"))
    assert often.places == ("messages 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, …",)
    assert many.places == (*(f"message {number}: key {number}" for number in range(1, 9)), "and 22 more")


@pytest.mark.parametrize("width", [60, 200])
def test_the_terminal_shows_flags_and_sources(width: int, out: OutputLayout, student: Student) -> None:
    text = printed(inspected(out, student), width)
    assert all(char.isprintable() or char == "\n" for char in text)
    words = " ".join(text.split())
    for flag in Flag:
        assert (f"{flag.value} {flag.meaning}" in words) == (flag.value in FLAGS)
    assert "messages 2, 4, 5: citations" in words and "message 3: conv_1.json" in words
    if width == 200:
        assert "3 assistant" in words and re.search(r"3 assistant .*? conv_1\.json 151644", words)
        assert re.search(r"5 assistant [\d to]+ none 151644", words)
        assert re.search(r"7 assistant [\d to]+ the chosen log 151644", words)
        assert re.search(r"2 user [\d to]+ not 151644", words)


def test_nothink_rows_have_no_column_of_sources(out: OutputLayout, student: Student) -> None:
    assert "reasoning from" not in printed(inspected(out, student, variant="nothink"), 200)
    assert "reasoning from" in printed(inspected(out, student), 200)


def test_the_page_shows_flags_and_sources(out: OutputLayout, student: Student) -> None:
    page = as_html(inspected(out, student))
    (flags,) = re.findall(r'<ul class="flags">(.*?)</ul>', page, re.DOTALL)
    shown = re.findall(r"<li><b>(\w+)</b> (.*?)(?:<small>|</li>)", flags)
    assert [(name, unescape(meaning)) for name, meaning in shown] == [
        (flag.value, flag.meaning) for flag in Flag if flag.value in FLAGS
    ]
    assert "<small>messages 2, 4, 5: citations</small>" in flags and "<script" not in flags
    sections = dict(re.findall(r'id="turn-(\d+)">\n<h3>(.*?)</h3>', page))
    assert "<span>reasoning from conv_1.json</span>" in sections["3"]
    assert "<span>no reasoning</span>" in sections["5"]
    assert "<span>reasoning from the chosen log</span>" in sections["7"]
    assert not any("reasoning" in sections[number] for number in ("1", "2", "4", "6"))


def test_a_page_without_flags_has_no_list_of_them(
    tmp_path: Path, student: Student, tokenizer: StudentTokenizer
) -> None:
    trial = SmallTrial("plain", "plain", Conversation(TURNS, (), len(TURNS)), ledger=(("flags", ()),))
    write_dataset(OutputLayout(tmp_path), [trial], tokenizer)
    assert '<ul class="flags">' not in as_html(
        inspect_trial(OutputLayout(tmp_path), "plain", "nothink", student)
    )
