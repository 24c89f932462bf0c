"""Special tokens, and the search for text that only spells them."""

from __future__ import annotations

import re
from collections.abc import Iterable


class Markup(str):
    """A special token that the renderer wrote (rule R8).

    A plain `str` is always ordinary text, even if it is equal.
    """

    __slots__ = ()


IM_START, IM_END = Markup("<|im_start|>"), Markup("<|im_end|>")
THINK, END_THINK = Markup("<think>"), Markup("</think>")
TOOL_CALL, END_TOOL_CALL = Markup("<tool_call>"), Markup("</tool_call>")
TOOL_RESPONSE, END_TOOL_RESPONSE = Markup("<tool_response>"), Markup("</tool_response>")

MARKUP = (IM_START, IM_END, TOOL_CALL, END_TOOL_CALL, TOOL_RESPONSE, END_TOOL_RESPONSE, THINK, END_THINK)
"""The eight special tokens that the renderer writes."""

# Split as in the official tokenizer.json, where only the first group has `"special": true`.
SPECIAL_TOKENS = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>",
    "<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>",
    "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>",
)  # fmt: skip
PLAIN_TOKENS = (
    "<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>",
    "<|repo_name|>", "<|file_sep|>", "<tool_response>", "</tool_response>", "<think>", "</think>",
)  # fmt: skip
ADDED_TOKENS = SPECIAL_TOKENS + PLAIN_TOKENS
"""The 26 added tokens of the Qwen3 tokenizer, in the order of their ids."""

LITERAL = re.compile("|".join(map(re.escape, ADDED_TOKENS)))
"""Matches literal markup: text that spells an added token."""
_LITERAL_UTF8 = re.compile(LITERAL.pattern.encode())
_SEPARATOR = b"\0"  # not part of any added token, so there is no match across two texts


def spells_markup(texts: Iterable[bytes]) -> bool:
    """Return True if any of the texts, given in UTF-8, contains literal markup."""
    return _LITERAL_UTF8.search(_SEPARATOR.join(texts)) is not None
