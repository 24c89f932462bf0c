"""The hub's state: repositories, blobs, the log of requests, and the faults to come."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request

from seta_dag_tests.support.hub.repository import Refusal, Repository

TOKEN = "hf_loopback"
NAMESPACES = ("me", "org")


@dataclass(frozen=True)
class Call:
    """One request as it was answered; `sent` is the size of its body in bytes."""

    method: str
    path: str
    status: int
    sent: int
    authorization: str | None


@dataclass
class Fault:
    """What happens to the next `times` requests whose "METHOD path" holds `pattern` (a regex).

    `first` runs before the request is handled. With a `status` the request is refused; with `late` it
    is handled first and only its answer is lost.
    """

    pattern: str
    times: int = 1
    status: int | None = None
    late: bool = False
    first: Callable[[], None] | None = None


@dataclass
class LoopbackHub:
    """`base` is its address once it is served."""

    blobs: Path
    base: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def repository(self, name: str) -> Repository:
        if name not in self.repositories:
            raise Refusal(404, "Repository not found", "RepoNotFound")
        return self.repositories[name]

    def next_fault(self, request: str) -> Fault | None:
        """Takes the first fault that is meant for this request."""
        for fault in self.faults:
            if fault.times and re.search(fault.pattern, request):
                fault.times -= 1
                return fault
        return None

    def authorize(self, request: Request, name: str | None) -> None:
        """Anyone reads a public repository; all else needs the one token."""
        given = request.headers.get("authorization")
        if given is not None and given != f"Bearer {TOKEN}":
            raise Refusal(401, "Invalid credentials in Authorization header")
        reading = request.method in ("GET", "HEAD") or request.url.path.endswith("/paths-info")
        private = name in self.repositories and self.repositories[name].private
        if given is None and (private or not reading):
            raise Refusal(401, "Repository not found", "RepoNotFound")

    def blob(self, sha256: str) -> Path:
        return self.blobs / sha256

    def store(self, data: bytes) -> str:
        """Keeps an LFS blob; its name is its sha256."""
        sha256 = hashlib.sha256(data).hexdigest()
        self.blob(sha256).write_bytes(data)
        return sha256

    def sent(self, pattern: str) -> int:
        """Bytes received in requests whose "METHOD path" holds `pattern`."""
        return sum(c.sent for c in self.calls if re.search(pattern, f"{c.method} {c.path}"))

    def count(self, pattern: str) -> int:
        """How many requests' "METHOD path" holds `pattern`."""
        return sum(bool(re.search(pattern, f"{c.method} {c.path}")) for c in self.calls)
