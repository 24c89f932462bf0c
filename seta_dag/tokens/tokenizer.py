"""A student's tokenizer, loaded: what turns rendered conversations into ids and masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seta_dag.tokens.mask import Tokenized, tokenize
from seta_dag.tokens.renderers.base import Rendered
from seta_dag.tokens.student.engines import Engine, EngineName
from seta_dag.tokens.student.student import Student


@dataclass(frozen=True, slots=True)
class StudentTokenizer:
    """An engine with the student's vocabulary; loading takes seconds, so it is kept for a run."""

    engine: Engine
    markup_ids: dict[str, int]

    @classmethod
    def load(cls, student: Student, engine: EngineName = "fastokens") -> StudentTokenizer:
        """Loads the student's tokenizer into the engine of that name."""
        return cls(student.engine(engine), student.markup_ids)

    def tokenize(self, rendered: Sequence[Rendered]) -> list[Tokenized]:
        """Ids and mask of each conversation."""
        return tokenize(rendered, self.engine, self.markup_ids)
