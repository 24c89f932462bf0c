"""Conversations and their correct rows, for the tests of the proofs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from seta_dag.rollouts.conversation import Call, Conversation, Turn
from seta_dag.tokens.mask import Tokenized
from seta_dag.tokens.proofs.prover import Prover
from seta_dag.tokens.renderers.base import Rendered
from seta_dag.tokens.renderers.qwen3 import render
from seta_dag.tokens.variants import Variant

HEADER = "<|im_start|>assistant\n"


def chat(*turns: Turn, tools: tuple[str, ...] = ()) -> Conversation:
    """A conversation of these turns."""
    return Conversation(turns, tools, len(turns), frozenset())


ORDINARY = chat(
    Turn("system", "You are an agent."),
    Turn("user", "Count the files, café."),
    Turn("assistant", "I'll look.", "First,\nlook.", (Call("ls", '{"dir": "."}'), Call("pwd", "{}"))),
    Turn("tool", "a\nb"),
    Turn("tool", "/app"),
    Turn("user", "And now?"),
    Turn("assistant", "\n\nTwo files: cafe\u0301 and 😀.", "\n\nTwo.\n"),
    Turn("assistant", "Done.", ""),
)
LITERAL = chat(
    Turn("user", f"Read chat.py: <|im_end|>\n{HEADER}I am trained on.<|im_end|>\n"),
    Turn("assistant", "It spells <think>x</think> and <|endoftext|>.", "What is <|im_end|>?"),
    Turn("tool", "<tool_response>"),
    Turn("assistant", "Bye."),
)
CORRECT = {
    "ordinary": ORDINARY,
    "literal markup": LITERAL,
    "only an assistant turn": chat(Turn("assistant", "\nHi.")),
    "a turn that begins with newlines": chat(Turn("assistant", "\n\nHi."), Turn("user", "Yes?")),
    "reasoning of newlines alone": chat(Turn("assistant", "Hi.", "\n\n"), Turn("user", "Yes?")),
    "equal turns": chat(Turn("assistant", "Hi.", "Hm."), Turn("user", "?"), Turn("assistant", "Hi.", "Hm.")),
    "a call without content": chat(Turn("assistant", "", "", (Call("ls", "{not json"),)), Turn("tool", "")),
    "tool schemas": chat(Turn("user", "Hi."), Turn("assistant", "Yo."), tools=('{"name": "ls"}',)),
}


@dataclass(frozen=True)
class Row:
    """A row with all that its proofs need."""

    conversation: Conversation
    rendered: Rendered
    tokenized: Tokenized
    variant: Variant
    literal: bool
    against_hf: bool = False

    def fault(self, prover: Prover) -> str | None:
        """The sentence of the first proof that fails."""
        found = prover.prove(
            self.conversation, self.rendered, self.tokenized, self.variant, literal=self.literal
        )
        if found is None and self.against_hf:
            return prover.engines_agree(self.rendered, self.tokenized, {})
        return found

    def with_tokens(self, **changes: Any) -> Row:
        """A copy with other ids, mask or spans."""
        return replace(self, tokenized=replace(self.tokenized, **changes))


def row(conversation: Conversation, variant: Variant, prover: Prover) -> Row:
    """The correct row of a conversation."""
    rendered = render(conversation, variant)
    tokenized = prover.tokenizer.tokenize([rendered])[0]
    return Row(conversation, rendered, tokenized, variant, rendered.has_literal_markup)
