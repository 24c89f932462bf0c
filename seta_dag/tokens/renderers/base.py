"""The result of every renderer: a text with its markup and assistant turns.

A renderer for another chat template is a module next to `qwen3.py` that returns the same `Rendered`.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property

from seta_dag.tokens.renderers.markup import Markup, spells_markup


@dataclass(frozen=True)
class Rendered:
    """A rendered conversation in pieces: either markup or ordinary text.

    Two pieces of ordinary text never follow each other, so each is the complete gap between two special
    tokens. Only the text itself is stored; pieces are ranges of bytes in it.
    """

    utf8: bytes
    """The text in UTF-8."""
    marks: tuple[Markup | None, ...]
    """One per piece: the special token if the piece is markup, None if it is ordinary text."""
    ends: tuple[int, ...]
    """Same length as `marks`: byte offset in `utf8` at which each piece ends."""
    spans: tuple[tuple[int, int], ...]
    """One per assistant turn, in order: its pieces as `[first, end)`, indexes into `marks`."""

    @property
    def text(self) -> str:
        """The text as a string (`chat_template_str`)."""
        return self.utf8.decode()

    @property
    def gaps(self) -> list[bytes]:
        """The pieces of ordinary text, in UTF-8."""
        places = zip(self.marks, (0, *self.ends), self.ends, strict=False)
        return [self.utf8[start:end] for mark, start, end in places if mark is None]

    @property
    def pieces(self) -> tuple[str, ...]:
        """All pieces in order: a `Markup`, or a plain `str` for ordinary text."""
        texts = iter(self.gaps)
        return tuple(next(texts).decode() if mark is None else mark for mark in self.marks)

    @cached_property
    def has_literal_markup(self) -> bool:
        """True if ordinary text spells an added token (flag `literal_markup`)."""
        return spells_markup(self.gaps)


class PieceBuilder:
    """Builds a `Rendered` piece by piece; merges adjacent ordinary text."""

    def __init__(self) -> None:
        # One buffer for all pieces: a long conversation is in memory once, not once more as strings.
        self._utf8 = io.BytesIO()
        self._marks: list[Markup | None] = []
        self._ends: list[int] = []
        self.spans: list[tuple[int, int]] = []
        """Assistant turns so far; the renderer appends `[first, end)` after each turn."""

    def __len__(self) -> int:
        """Number of pieces so far."""
        return len(self._marks)

    def add(self, *pieces: str) -> None:
        """Append pieces; empty strings are skipped."""
        for piece in pieces:
            # By type, not by value: a plain str stays ordinary text, even if it spells a special token.
            mark = piece if type(piece) is Markup else None
            if not piece:
                continue
            self._utf8.write(piece.encode())
            if mark is None and self._marks and self._marks[-1] is None:
                self._ends[-1] = self._utf8.tell()
            else:
                self._marks.append(mark)
                self._ends.append(self._utf8.tell())

    def build(self) -> Rendered:
        """Return the conversation rendered so far."""
        return Rendered(self._utf8.getvalue(), tuple(self._marks), tuple(self._ends), tuple(self.spans))
