"""Whether a log holds reasoning at all, whatever becomes of it."""

from __future__ import annotations

from typing import Any

from seta_dag.rollouts.reasons import Flag
from seta_dag.rollouts.sources.fields import ROLES
from seta_dag.rollouts.sources.inline import split_inline
from seta_dag.rollouts.sources.notes import Notes
from seta_dag.rollouts.sources.parts import read_content
from seta_dag.rollouts.sources.reasoning import separate_reasoning


def holds_reasoning(message: dict[str, Any]) -> bool:
    """Return whether a logged message is an assistant's with reasoning, in any form or encrypted."""
    if ROLES.get(message["role"]) != "assistant":
        return False
    notes = Notes()
    content = read_content(message.get("content"), "assistant", notes)
    reasoning, _ = split_inline(separate_reasoning(message, content.reasoning, notes), content.text, notes)
    encrypted = any(note.flag == Flag.REASONING_UNREADABLE for note in notes.done())
    return encrypted or bool(reasoning)
