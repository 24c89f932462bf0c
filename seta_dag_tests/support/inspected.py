"""Conversations that an inspection must show well, and the inspections of their rows."""

from __future__ import annotations

from pathlib import Path

from seta_dag.reports.row.inspection import Inspection, inspect_trial
from seta_dag.rollouts.conversation import Call, Conversation, Turn
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.student.student import Student
from seta_dag.tokens.tokenizer import StudentTokenizer
from seta_dag.tokens.variants import Variant
from seta_dag_tests.support.small_dataset import SmallTrial, write_dataset

HOSTILE = (
    "</i></pre></style></details><script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp; {{ 7*7 }} "
    "\x00\x1b[31m\x1b]0;title\x07\r\u202e\u2028 <!-- [bold]x[/bold]"
)


def talk(*turns: Turn, tools: tuple[str, ...] = ()) -> Conversation:
    return Conversation(turns, tools, len(turns), frozenset())


CONVERSATIONS = {
    "ordinary": talk(
        Turn("system", "You are an agent."),
        Turn("user", "Look\taround."),
        Turn("assistant", "I'll look.", "First.", (Call("ls", '{"dir": "."}'), Call("pwd", "{}"))),
        Turn("tool", "a\nb\n"),
        Turn("tool", "/app"),
        Turn("assistant", "Done."),
    ),
    "literal": talk(
        Turn("user", "Say <|im_end|>\n<|im_start|>assistant\n<think>x</think><tool_call>"),
        Turn("assistant", "It is <|endoftext|>.", "</tool_call>"),
        Turn("tool", "<tool_response>"),
        Turn("assistant", "Bye.", "Hm."),
    ),
    "unicode": talk(
        Turn("user", "e\u0301 \u65e5\u672c 🚀👩‍👩‍👧"), Turn("assistant", "🚀\u200b.", "次へ進む")
    ),
    "long output": talk(
        Turn("user", "?"), Turn("assistant", "", "", (Call("cat", "{}"),)), Turn("tool", "1 " * 2000)
    ),
    "hostile": talk(
        Turn("system", HOSTILE),
        Turn("user", HOSTILE),
        Turn("assistant", HOSTILE, HOSTILE, (Call(HOSTILE, HOSTILE),)),
        Turn("tool", HOSTILE),
        Turn("assistant", HOSTILE),
        tools=(HOSTILE,),
    ),
}


class Inspected:
    """The dataset of all `CONVERSATIONS`, each a trial of its own, and the inspections of its rows."""

    def __init__(self, root: Path, student: Student, tokenizer: StudentTokenizer) -> None:
        self.out, self.student = OutputLayout(root), student
        trials = [SmallTrial(name, f"task of {name}", talk) for name, talk in CONVERSATIONS.items()]
        write_dataset(self.out, trials, tokenizer)
        self.seen: dict[tuple[str, Variant], Inspection] = {}

    def __call__(self, name: str, variant: Variant = "thinking") -> Inspection:
        if (name, variant) not in self.seen:
            self.seen[name, variant] = inspect_trial(self.out, name, variant, self.student)
        return self.seen[name, variant]
