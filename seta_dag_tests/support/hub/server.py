"""The routes of the loopback Hub, and the server that runs it."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from seta_dag_tests.support.hub import reads, writes
from seta_dag_tests.support.hub.repository import Refusal
from seta_dag_tests.support.hub.state import Call, Fault, LoopbackHub

Handler = Callable[..., Awaitable[Response]]

_API = r"/api/datasets/(?P<name>[^/]+/[^/]+)"
_FILES = r"/datasets/(?P<name>[^/]+/[^/]+)"
_REVISION = r"(?P<revision>[^/]+)"
_ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", r"/api/whoami-v2", reads.whoami),
    ("GET", _API, reads.info),
    ("GET", rf"{_API}/revision/{_REVISION}", reads.info),
    ("GET", rf"{_API}/tree/{_REVISION}(?:/(?P<path>.+))?", reads.tree),
    ("POST", rf"{_API}/paths-info/{_REVISION}", reads.paths_info),
    ("GET|HEAD", rf"{_FILES}/resolve/{_REVISION}/(?P<path>.+)", reads.resolve),
    ("GET", rf"{_API}/refs", reads.refs),
    ("GET", rf"{_API}/discussions", reads.discussions),
    ("POST", r"/api/repos/create", writes.create),
    ("POST", r"/api/validate-yaml", writes.validate_yaml),
    ("POST", rf"{_API}/preupload/{_REVISION}", writes.preupload),
    ("POST", rf"{_FILES}\.git/info/lfs/objects/batch", writes.lfs_batch),
    ("PUT", r"/lfs/(?P<oid>\w+)", writes.lfs_put),
    ("POST", r"/lfs-verify", writes.lfs_verify),
    ("POST", rf"{_API}/commit/{_REVISION}", writes.commit),
    ("POST", rf"{_API}/tag/{_REVISION}", writes.tag),
]


async def answer(hub: LoopbackHub, request: Request) -> Response:
    """Answer a request and record it.

    Routing uses the raw path, because revisions arrive quoted (`refs%2Fpr%2F1`).
    """
    path = request.scope["raw_path"].decode().partition("?")[0]
    sent = len(await request.body())
    try:
        response = await _faulty(hub, request, path, hub.next_fault(f"{request.method} {path}"))
    except Refusal as refusal:
        headers = {"X-Error-Message": refusal.error}
        headers |= {"X-Error-Code": refusal.code} if refusal.code else {}
        response = JSONResponse({"error": refusal.error}, refusal.status, headers)
    authorization = request.headers.get("authorization")
    hub.calls.append(Call(request.method, path, response.status_code, sent, authorization))
    return response


async def _faulty(hub: LoopbackHub, request: Request, path: str, fault: Fault | None) -> Response:
    if fault and fault.first:
        fault.first()
    if fault and fault.status and not fault.late:
        raise Refusal(fault.status, "injected fault")
    response = await _route(hub, request, path)
    if fault and fault.status:
        raise Refusal(fault.status, "injected fault: the answer is lost")
    return response


async def _route(hub: LoopbackHub, request: Request, path: str) -> Response:
    for methods, pattern, handler in _ROUTES:
        match = re.fullmatch(pattern, path)
        if match and request.method in methods.split("|"):
            given = {name: value for name, value in match.groupdict().items() if value is not None}
            # As at the Hub, links to upload a blob need no token.
            if not path.startswith("/lfs"):
                hub.authorize(request, given.get("name"))
            return await handler(hub, request, **given)
    raise Refusal(404, f"this Hub has no such endpoint: {request.method} {path}")


class _Server(uvicorn.Server):
    """A server that stops within 10 ms instead of 100 ms: every test has a Hub of its own."""

    async def main_loop(self) -> None:
        while not self.should_exit:
            await asyncio.sleep(0.01)


@contextmanager
def serve(hub: LoopbackHub) -> Iterator[LoopbackHub]:
    """Run the Hub in a thread, on a free loopback port, until the block ends."""
    with socket.socket() as listener:
        # The socket is bound here and not by uvicorn, so that the port is known and nobody can take it.
        listener.bind(("127.0.0.1", 0))
        hub.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        route = Route("/{rest:path}", partial(answer, hub), methods=["GET", "HEAD", "POST", "PUT"])
        config = uvicorn.Config(Starlette(routes=[route]), log_level="warning", lifespan="off")
        server = _Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield hub
        finally:
            server.should_exit = server.force_exit = True
            thread.join(5)
