"""The expected text of each assistant turn, for the proofs.

Rules R6 and R7 (docs/rules.md) are implemented a second time here, with plain strings instead of the
renderer, so that a fault of the renderer is noticed.
"""

from __future__ import annotations

from collections.abc import Iterator

from seta_dag.rollouts.conversation import Conversation, Turn
from seta_dag.tokens.student.vocabulary import nfc
from seta_dag.tokens.variants import Variant


def turn_texts(conversation: Conversation, variant: Variant) -> list[bytes]:
    """Return the expected text of each assistant turn, in order, as NFC in UTF-8."""
    return [nfc(_text(turn, last, variant)) for turn, last in _assistant_turns(conversation)]


def logged_reasoning(conversation: Conversation, variant: Variant) -> list[bytes]:
    """Return the expected content of each think block, in order, as NFC in UTF-8.

    An assistant turn has a block if it has reasoning or is the last message, where it may be empty. The
    nothink variant has no blocks.
    """
    if variant == "nothink":
        return []
    turns = _assistant_turns(conversation)
    return [nfc(turn.reasoning.strip("\n")) for turn, last in turns if turn.reasoning or last]


def _assistant_turns(conversation: Conversation) -> Iterator[tuple[Turn, bool]]:
    """Yield (turn, is the last message) for each assistant turn."""
    end = len(conversation.turns)
    return ((turn, n == end) for n, turn in enumerate(conversation.turns, 1) if turn.role == "assistant")


def _text(turn: Turn, last: bool, variant: Variant) -> str:
    reasoning = turn.reasoning if variant == "thinking" else ""
    has_block = bool(reasoning) or (last and variant == "thinking")
    inner = reasoning.strip("\n")
    block = f"<think>\n{inner}\n</think>\n\n" if has_block else ""
    # A turn that loses its reasoning loses these newlines from its content for good (rule R7). The template
    # removes them too, but goes by the content before that when it puts a gap before the first call.
    logged = turn.content.lstrip("\n") if turn.reasoning and not reasoning else turn.content
    content = logged.lstrip("\n") if has_block or last else logged
    gap = "\n" if logged and turn.calls else ""
    calls = "\n".join(
        f'<tool_call>\n{{"name": "{call.name}", "arguments": {call.arguments}}}\n</tool_call>'
        for call in turn.calls
    )
    return f"<|im_start|>assistant\n{block}{content}{gap}{calls}<|im_end|>\n"
