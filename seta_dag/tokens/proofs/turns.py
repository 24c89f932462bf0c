"""The part of the proofs that starts from the conversation: what its assistant turns must read.

R6 and R7 are written out here once more, as plain strings, and not through the renderer.
"""

from __future__ import annotations

from collections.abc import Iterator

from seta_dag.rollouts.conversation import Conversation, Turn
from seta_dag.tokens.student.vocabulary import nfc
from seta_dag.tokens.variants import Variant


def turn_texts(conversation: Conversation, variant: Variant) -> list[bytes]:
    """What each assistant turn reads, in order, in NFC."""
    return [nfc(_text(turn, last, variant)) for turn, last in _assistant_turns(conversation)]


def logged_reasoning(conversation: Conversation, variant: Variant) -> list[bytes]:
    """The reasoning of each assistant turn that has some, and of the last message, in NFC."""
    if variant == "nothink":
        return []
    turns = _assistant_turns(conversation)
    return [nfc(turn.reasoning.strip("\n")) for turn, last in turns if turn.reasoning or last]


def _assistant_turns(conversation: Conversation) -> Iterator[tuple[Turn, bool]]:
    """Each assistant turn, and whether it is the conversation's last message."""
    end = len(conversation.turns)
    return ((turn, n == end) for n, turn in enumerate(conversation.turns, 1) if turn.role == "assistant")


def _text(turn: Turn, last: bool, variant: Variant) -> str:
    reasoning = turn.reasoning if variant == "thinking" else ""
    has_block = bool(reasoning) or (last and variant == "thinking")
    inner = reasoning.strip("\n")
    block = f"<think>\n{inner}\n</think>\n\n" if has_block else ""
    content = turn.content.lstrip("\n") if turn.reasoning or last else turn.content
    calls = "\n".join(
        f'<tool_call>\n{{"name": "{call.name}", "arguments": {call.arguments}}}\n</tool_call>'
        for call in turn.calls
    )
    gap = "\n" if turn.content and turn.calls else ""
    return f"<|im_start|>assistant\n{block}{content}{gap}{calls}<|im_end|>\n"
