"""One row, turn by turn and token by token, as values that a page or a terminal can show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from seta_dag.dataset.ledger.line import LedgerLine
from seta_dag.errors import DatasetError
from seta_dag.reports.printable import printable
from seta_dag.reports.row.display_token import Token, TokenKind
from seta_dag.reports.row.find_row import find_line, read_row
from seta_dag.reports.row.turn_spans import TurnSpan, turn_spans
from seta_dag.store.arrow import to_numpy
from seta_dag.store.layout import OutputLayout
from seta_dag.tokens.renderers.markup import LITERAL
from seta_dag.tokens.student.engines import Ids
from seta_dag.tokens.student.student import Student
from seta_dag.tokens.student.vocabulary import Decoded, Vocabulary, nfc
from seta_dag.tokens.variants import Variant

_LITERAL = re.compile(LITERAL.pattern.encode())


@dataclass(frozen=True)
class Inspection:
    """A row, its ledger line, and its ids decoded with the student's vocabulary.

    Methods with `first` and `end` take the tokens `[first, end)` of the row.

    Attributes:
        line: the trial's line in the ledger.
        row: all columns of R10 (docs/rules.md) except `input_ids` and `loss_mask`.
        variant: the variant that the row is from.
        student: the student whose vocabulary decodes the ids.
        ids: int32 token ids.
        mask: int64 loss mask, same length as `ids`; 1 = trained.
        vocabulary: the vocabulary of `student`.
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
        """The ids as bytes.

        Raises:
            DatasetError: an id is not in the student's vocabulary.
        """
        try:
            return self.vocabulary.decode(self.ids)
        except IndexError as error:
            raise DatasetError(
                f"{self.row['trial_uid']}: {self.student.name} does not have all of its token ids; "
                "give the student that the dataset was built for"
            ) from error

    @cached_property
    def turns(self) -> list[TurnSpan]:
        """All turns, in order and without gaps."""
        return turn_spans(self.ids, self.decoded, self.student.markup_ids)

    @property
    def n_trainable(self) -> int:
        """Number of trainable tokens in the row."""
        return self.trainable(0, len(self.ids))

    @property
    def reads_as_text(self) -> bool:
        """True if the ids decode exactly to the NFC form of `chat_template_str`."""
        return self.decoded.data == nfc(self.row["chat_template_str"])

    def trainable(self, first: int, end: int) -> int:
        """Count the trainable tokens."""
        return int(np.count_nonzero(self.mask[first:end]))

    def text(self, first: int, end: int) -> str:
        """Return the text of the tokens, made printable as one string."""
        return printable(self.decoded.texts([(first, end)])[0])

    def tokens(self, first: int, end: int) -> Iterator[Token]:
        """Yield the tokens; positions outside the row are ignored."""
        first, end = max(first, 0), min(end, len(self.ids))
        for position, token in enumerate(self.ids[first:end].tolist(), first):
            is_added, is_literal = self.vocabulary.is_added[token], self._is_literal[position]
            kind: TokenKind = "markup" if is_added else "literal" if is_literal else "text"
            yield Token(position, token, *self._show(token), kind, bool(self.mask[position] == 1))

    def runs(self, first: int, end: int) -> Iterator[tuple[bool, list[Token]]]:
        """Yield runs of tokens with the same mask, as (is trainable, tokens)."""
        for is_trainable, run in groupby(self.tokens(first, end), lambda token: token.is_trainable):
            yield is_trainable, list(run)

    def _show(self, token: int) -> tuple[str, bool]:
        # Cached per id: a row of 90,000 tokens has only a few thousand different ones.
        if token not in self._shown:
            data = self.vocabulary.tokens[token].as_py()
            text = printable(data)
            self._shown[token] = text, text.encode() != data
        return self._shown[token]

    @cached_property
    def _shown(self) -> dict[int, tuple[str, bool]]:
        return {}

    @cached_property
    def _is_literal(self) -> npt.NDArray[np.bool_]:
        """True for each ordinary token that is part of literal markup."""
        found = np.zeros(len(self.ids), np.bool_)
        # Matches are byte ranges; binary search in the offsets gives the tokens that overlap them.
        for match in _LITERAL.finditer(self.decoded.data):
            first = int(np.searchsorted(self.decoded.offsets, match.start(), "right")) - 1
            found[first : int(np.searchsorted(self.decoded.offsets, match.end(), "left"))] = True
        # The special tokens themselves match too.
        return found & ~self.vocabulary.is_added[self.ids]


def inspect_trial(out: OutputLayout, name: str, variant: Variant, student: Student) -> Inspection:
    """Load the row of a trial.

    `name` is a trial uid, a task with only one row, or a trial directory relative to the rollouts root.
    `student` must be the one that the dataset was built for.

    Raises:
        ConfigError: there is no such row, or more than one; the message quotes the ledger.
        DatasetError: the shards lack the row or are unreadable.
        NotBuiltError: nothing is built.
    """
    line = find_line(out, name)
    table = read_row(out, variant, line)
    # Ids and mask are read as arrays below; as Python lists they would take far more memory.
    columns = [column for column in table.column_names if column not in ("input_ids", "loss_mask")]
    ids, mask = _first_list(table, "input_ids", np.int32), _first_list(table, "loss_mask", np.int64)
    row = table.select(columns).to_pylist()[0]
    return Inspection(line, row, variant, student, ids, mask, Vocabulary.load(student))


def _first_list(table: pa.Table, column: str, dtype: type[np.generic]) -> npt.NDArray[Any]:
    values, offsets = to_numpy(table[column].combine_chunks(), dtype)
    return values[offsets[0] : offsets[1]]
