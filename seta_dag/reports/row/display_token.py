"""A token of a row as a page or a terminal shows it."""

from __future__ import annotations

from typing import Literal, NamedTuple

TokenKind = Literal["text", "markup", "literal"]


class Token(NamedTuple):
    """One token of a row.

    Attributes:
        position: index in the row.
        id: token id.
        text: the token's text made `printable`.
        is_escaped: `text` contains escapes, so it differs from the token's bytes.
        kind: `markup` for a special token, `literal` for an ordinary token that is part of literal markup,
            else `text`.
        is_trainable: the loss mask is 1.
    """

    position: int
    id: int
    text: str
    is_escaped: bool
    kind: TokenKind
    is_trainable: bool
