"""A repository: immutable commits, and the names that point at them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

MAIN = "main"


class Refusal(Exception):
    """Makes the Hub answer with an error. `code` is the value of the header `X-Error-Code`."""

    def __init__(self, status: int, error: str, code: str | None = None) -> None:
        super().__init__(error)
        self.status, self.error, self.code = status, error, code


def git_sha1(data: bytes) -> str:
    """Return the oid that git gives to a blob with this content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass(frozen=True)
class Entry:
    """One file of a tree: its content if it is stored in git, or the `sha256` of its LFS blob."""

    size: int
    oid: str
    content: bytes | None = None
    sha256: str | None = None

    @classmethod
    def regular(cls, data: bytes) -> Entry:
        return cls(len(data), git_sha1(data), data)

    @classmethod
    def lfs(cls, sha256: str, size: int) -> Entry:
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
        return cls(size, git_sha1(pointer.encode()), sha256=sha256)

    def node(self, path: str) -> dict[str, Any]:
        """Return the entry as the API lists it."""
        lfs = {"lfs": {"oid": self.sha256, "size": self.size, "pointerSize": 134}} if self.sha256 else {}
        return {"type": "file", "oid": self.oid, "size": self.size, "path": path, **lfs}


Tree = dict[str, Entry]


@dataclass(frozen=True)
class Commit:
    """A commit: its parent and the complete tree."""

    oid: str
    parent: str | None
    message: str
    tree: Tree


@dataclass
class Repository:
    """`refs` holds branches by name and pull requests as `refs/pr/N`."""

    private: bool = False
    refs: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @classmethod
    def new(cls, private: bool) -> Repository:
        """Create a repository as the Hub does, with a first commit of `.gitattributes`."""
        repository = cls(private)
        attributes = Entry.regular(b"*.parquet filter=lfs diff=lfs merge=lfs -text\n")
        repository.refs[MAIN] = repository.commit(None, {".gitattributes": attributes}, "initial commit").oid
        return repository

    def commit(self, parent: str | None, tree: Tree, message: str) -> Commit:
        """Add a commit that no branch or tag points at yet."""
        seed = json.dumps([parent, message, sorted((path, entry.oid) for path, entry in tree.items())])
        commit = Commit(hashlib.sha1(seed.encode()).hexdigest(), parent, message, dict(tree))
        self.commits[commit.oid] = commit
        return commit

    def at(self, revision: str) -> Commit:
        """Return the commit that a branch, tag, pull request or oid names."""
        oid = self.refs.get(revision) or self.tags.get(revision) or revision
        if oid not in self.commits:
            raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return self.commits[oid]

    @property
    def head(self) -> Commit:
        return self.at(MAIN)

    def history(self) -> list[str]:
        """Return the messages of the main branch, newest first."""
        messages, commit = [], self.commits.get(self.refs[MAIN])
        while commit is not None:
            messages.append(commit.message)
            commit = self.commits.get(commit.parent or "")
        return messages

    def add_file(self, path: str, data: bytes, message: str = "someone else was here") -> None:
        """Commit a file to the main branch, as another person would."""
        self.refs[MAIN] = self.commit(
            self.head.oid, {**self.head.tree, path: Entry.regular(data)}, message
        ).oid
