"""A student's tokenizer, loaded into an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seta_dag.tokens.mask import Tokenized, tokenize
from seta_dag.tokens.renderers.base import Rendered
from seta_dag.tokens.student.engines import Engine, EngineName
from seta_dag.tokens.student.student import Student


@dataclass(frozen=True, slots=True)
class StudentTokenizer:
    """Turns rendered conversations into token ids and loss masks."""

    engine: Engine
    """The engine with the student's vocabulary."""
    markup_ids: dict[str, int]
    """The token id of each of the eight markup tokens."""

    @classmethod
    def load(cls, student: Student, engine: EngineName = "fastokens") -> StudentTokenizer:
        """Load the student's tokenizer into an engine. Takes seconds, so keep the result."""
        return cls(student.engine(engine), student.markup_ids)

    def tokenize(self, rendered: Sequence[Rendered]) -> list[Tokenized]:
        """Return token ids and loss mask of each conversation, in order."""
        return tokenize(rendered, self.engine, self.markup_ids)
