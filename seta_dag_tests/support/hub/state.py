"""State of the loopback Hub: repositories, blobs, recorded requests and injected faults."""

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
    """A recorded request. `sent` is the size of its body in bytes, `status` that of the answer."""

    method: str
    path: str
    status: int
    sent: int
    authorization: str | None


@dataclass
class Fault:
    """A fault for the next `times` requests whose "METHOD path" matches `pattern`.

    Attributes:
        pattern: regular expression, searched for in "METHOD path".
        times: number of requests that the fault still applies to.
        status: status to answer with; None handles the request as usual.
        late: handle the request before answering with `status`, as if the answer was lost.
        first: called before the request is handled.
    """

    pattern: str
    times: int = 1
    status: int | None = None
    late: bool = False
    first: Callable[[], None] | None = None


@dataclass
class LoopbackHub:
    """The Hub. `base` is its address while it is served, `blobs` the folder of LFS blobs."""

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
        """Return the first fault that applies to this request, and count it."""
        for fault in self.faults:
            if fault.times and re.search(fault.pattern, request):
                fault.times -= 1
                return fault
        return None

    def authorize(self, request: Request, name: str | None) -> None:
        """Refuse a request without the token, unless it reads a public repository."""
        given = request.headers.get("authorization")
        if given is not None and given != f"Bearer {TOKEN}":
            raise Refusal(401, "Invalid credentials in Authorization header")
        reading = request.method in ("GET", "HEAD") or request.url.path.endswith("/paths-info")
        private = name in self.repositories and self.repositories[name].private
        if given is None and (private or not reading):
            # The Hub does not reveal whether a private repository exists.
            raise Refusal(401, "Repository not found", "RepoNotFound")

    def blob(self, sha256: str) -> Path:
        return self.blobs / sha256

    def store(self, data: bytes) -> str:
        """Store an LFS blob and return its sha256, which is its name."""
        sha256 = hashlib.sha256(data).hexdigest()
        self.blob(sha256).write_bytes(data)
        return sha256

    def sent(self, pattern: str) -> int:
        """Return the number of bytes received in requests whose "METHOD path" matches `pattern`."""
        return sum(c.sent for c in self.calls if re.search(pattern, f"{c.method} {c.path}"))

    def count(self, pattern: str) -> int:
        """Return the number of requests whose "METHOD path" matches `pattern`."""
        return sum(bool(re.search(pattern, f"{c.method} {c.path}")) for c in self.calls)
