"""One trial's row, turn by turn and token by token, as values that a page or a terminal can show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seta_dag.dataset.ledger.ledger import LedgerLine
from seta_dag.errors import DatasetError
from seta_dag.reports.printable import printable
from seta_dag.reports.row.find_row import find_line, read_row
from seta_dag.reports.row.turn_spans import TurnSpan, turn_spans
from seta_dag.store.arrow import to_numpy
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.renderers.markup import LITERAL
from seta_dag.tokens.student.engines import Ids
from seta_dag.tokens.student.student import Student
from seta_dag.tokens.student.vocabulary import Decoded, Vocabulary, nfc
from seta_dag.tokens.variants import Variant

TokenKind = Literal["text", "markup", "literal"]
_LITERAL = re.compile(LITERAL.pattern.encode())


class Token(NamedTuple):
    """`text` is what can be shown of the token, see `printable`; `is_escaped` where that is not itself.

    `kind` is `markup` for a special token, `literal` for an ordinary one that helps to spell one.
    """

    place: int
    id: int
    text: str
    is_escaped: bool
    kind: TokenKind
    is_trainable: bool


@dataclass(frozen=True)
class Inspection:
    """A row, its line in the ledger, and its ids as the student's vocabulary reads them.

    `row` holds the columns of R10 but for ids and mask, which are arrays of one length.
    """

    line: LedgerLine
    row: dict[str, Any]
    variant: Variant
    student: Student
    ids: Ids
    mask: npt.NDArray[np.int64]
    vocabulary: Vocabulary

    @cached_property
    def decoded(self) -> Decoded:
        """The bytes of the ids. Raises `DatasetError` where they are another student's."""
        try:
            return self.vocabulary.decode(self.ids)
        except IndexError as error:
            raise DatasetError(
                f"{self.row['trial_uid']}: {self.student.name} has not all of its token ids; "
                "give the student that the dataset was built for"
            ) from error

    @cached_property
    def turns(self) -> list[TurnSpan]:
        """Every turn, in order; together they are the whole row."""
        return turn_spans(self.ids, self.decoded, self.student.markup_ids)

    @property
    def n_trainable(self) -> int:
        """How many tokens the student learns."""
        return self.trainable(0, len(self.ids))

    @property
    def reads_as_text(self) -> bool:
        """Whether the ids read exactly as `chat_template_str` in its NFC form."""
        return self.decoded.data == nfc(self.row["chat_template_str"])

    def trainable(self, first: int, end: int) -> int:
        """How many of these tokens the student learns."""
        return int(np.count_nonzero(self.mask[first:end]))

    def text(self, first: int, end: int) -> str:
        """What these tokens read together, as it can be shown."""
        return printable(self.decoded.texts([(first, end)])[0])

    def tokens(self, first: int, end: int) -> Iterator[Token]:
        """These tokens; places outside the row are left out."""
        first, end = max(first, 0), min(end, len(self.ids))
        for place, token in enumerate(self.ids[first:end].tolist(), first):
            is_added, is_literal = self.vocabulary.is_added[token], self._is_literal[place]
            kind: TokenKind = "markup" if is_added else "literal" if is_literal else "text"
            yield Token(place, token, *self._shown(token), kind, bool(self.mask[place] == 1))

    def runs(self, first: int, end: int) -> Iterator[tuple[bool, list[Token]]]:
        """These tokens in runs that are trainable or not."""
        for is_trainable, run in groupby(self.tokens(first, end), lambda token: token.is_trainable):
            yield is_trainable, list(run)

    def _shown(self, token: int) -> tuple[str, bool]:
        if token not in self._seen:
            data = self.vocabulary.tokens[token].as_py()
            text = printable(data)
            self._seen[token] = text, text.encode() != data
        return self._seen[token]

    @cached_property
    def _seen(self) -> dict[int, tuple[str, bool]]:
        return {}

    @cached_property
    def _is_literal(self) -> npt.NDArray[np.bool_]:
        """Which tokens spell literal markup, or a part of it."""
        found = np.zeros(len(self.ids), np.bool_)
        for match in _LITERAL.finditer(self.decoded.data):
            first = int(np.searchsorted(self.decoded.offsets, match.start(), "right")) - 1
            found[first : int(np.searchsorted(self.decoded.offsets, match.end(), "left"))] = True
        return found & ~self.vocabulary.is_added[self.ids]


def inspect_trial(out: OutputLayout, name: str, variant: Variant, student: Student) -> Inspection:
    """The row that `name` names: a trial uid, a task with one row, or a trial directory.

    `student` is the one that the dataset was built for. Raises `ConfigError` where there is no such row,
    with what the ledger says of it, and `NotBuiltError` where nothing is built.
    """
    line = find_line(out, name)
    table = read_row(out, variant, line)
    columns = [column for column in table.column_names if column not in ("input_ids", "loss_mask")]
    ids, mask = _list(table, "input_ids", np.int32), _list(table, "loss_mask", np.int64)
    row = table.select(columns).to_pylist()[0]
    return Inspection(line, row, variant, student, ids, mask, Vocabulary.load(student))


def _list(table: pa.Table, column: str, dtype: type[np.generic]) -> npt.NDArray[Any]:
    values, offsets = to_numpy(table[column].combine_chunks(), dtype)
    return values[offsets[0] : offsets[1]]
