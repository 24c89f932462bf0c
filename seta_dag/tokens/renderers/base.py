"""What every renderer returns: the text of a conversation, with markup and assistant turns kept apart.

A renderer for another chat template goes beside `qwen3.py` and returns the same `Rendered`.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property

from seta_dag.tokens.renderers.markup import Markup, spells_markup


@dataclass(frozen=True)
class Rendered:
    """A rendered conversation as UTF-8, held once, and the pieces that it is made of.

    ShardPlan i ends at byte `ends[i]`; `marks[i]` is its markup, a special token, None for ordinary text.
    `spans` are the assistant turns, one each and in order, as (first, end) indexes of pieces.
    No two ordinary pieces stand side by side, so each is a whole gap between special tokens.
    """

    utf8: bytes
    marks: tuple[Markup | None, ...]
    ends: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]

    @property
    def text(self) -> str:
        """`chat_template_str`."""
        return self.utf8.decode()

    @property
    def gaps(self) -> list[bytes]:
        """The ordinary pieces."""
        places = zip(self.marks, (0, *self.ends), self.ends, strict=False)
        return [self.utf8[start:end] for mark, start, end in places if mark is None]

    @property
    def pieces(self) -> tuple[str, ...]:
        """All pieces: `Markup`, or a plain `str` that is ordinary text."""
        texts = iter(self.gaps)
        return tuple(next(texts).decode() if mark is None else mark for mark in self.marks)

    @cached_property
    def has_literal_markup(self) -> bool:
        """Whether ordinary text spells an added token somewhere."""
        return spells_markup(self.gaps)


class PieceBuilder:
    """Collects pieces; ordinary text that follows ordinary text is of one piece with it."""

    def __init__(self) -> None:
        self._utf8 = io.BytesIO()
        self._marks: list[Markup | None] = []
        self._ends: list[int] = []
        self.spans: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._marks)

    def add(self, *pieces: str) -> None:
        for piece in pieces:
            mark = piece if type(piece) is Markup else None
            if not piece:
                continue
            self._utf8.write(piece.encode())
            if mark is None and self._marks and self._marks[-1] is None:
                self._ends[-1] = self._utf8.tell()
            else:
                self._marks.append(mark)
                self._ends.append(self._utf8.tell())

    def done(self) -> Rendered:
        return Rendered(self._utf8.getvalue(), tuple(self._marks), tuple(self._ends), tuple(self.spans))
