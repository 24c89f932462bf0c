"""Endpoints that read a repository: info, tree, files, refs and pull requests.

Handlers answer as the real Hub does; only keys that the client reads have meaningful values.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import yaml
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from seta_dag_tests.support.hub.repository import MAIN, Commit, Entry, Refusal, git_sha1
from seta_dag_tests.support.hub.state import LoopbackHub

_NOW = "2026-01-01T00:00:00.000Z"


async def whoami(hub: LoopbackHub, request: Request) -> Response:
    return JSONResponse({"type": "user", "name": "me", "orgs": [], "auth": {"type": "access_token"}})


async def info(hub: LoopbackHub, request: Request, name: str, revision: str = MAIN) -> Response:
    repository = hub.repository(name)
    commit = repository.at(unquote(revision))
    siblings = [
        {"rfilename": path, "blobId": entry.oid, "size": entry.size}
        for path, entry in sorted(commit.tree.items())
    ]
    return JSONResponse({
        "_id": "0", "id": name, "sha": commit.oid, "private": repository.private, "gated": False,
        "disabled": False, "tags": [], "downloads": 0, "likes": 0, "lastModified": _NOW, "createdAt": _NOW,
        "siblings": siblings, "cardData": _card(commit),
    })  # fmt: skip


def _card(commit: Commit) -> Any:
    readme = commit.tree.get("README.md")
    front = re.match(rb"---\n(.*?)\n---", readme.content or b"", re.S) if readme else None
    return yaml.safe_load(front[1]) if front else {}


async def tree(hub: LoopbackHub, request: Request, name: str, revision: str, path: str = "") -> Response:
    prefix = f"{unquote(path).strip('/')}/" if path else ""
    entries = hub.repository(name).at(unquote(revision)).tree
    files = {path: entry for path, entry in sorted(entries.items()) if path.startswith(prefix)}
    if prefix and not files:
        raise Refusal(404, f"{path} does not exist", "EntryNotFound")
    recursive = request.query_params.get("recursive", "").lower() in ("true", "1")
    nodes: dict[str, dict[str, Any]] = {}
    for file, entry in files.items():
        # Folders are not stored; each is listed once, when its first file comes.
        first, *rest = file.removeprefix(prefix).split("/")
        if rest:
            nodes[prefix + first] = _folder(prefix + first)
        if recursive or not rest:
            nodes[file] = entry.node(file)
    return JSONResponse(list(nodes.values()))


def _folder(path: str) -> dict[str, Any]:
    return {"type": "directory", "oid": git_sha1(path.encode()), "size": 0, "path": path}


async def paths_info(hub: LoopbackHub, request: Request, name: str, revision: str) -> Response:
    form = "form" in request.headers.get("content-type", "")
    paths = (await request.form()).getlist("paths") if form else (await request.json())["paths"]
    files = hub.repository(name).at(unquote(revision)).tree
    found = [files[path].node(path) for path in paths if path in files]
    folders = [p for p in paths if any(file.startswith(f"{p.rstrip('/')}/") for file in files)]
    return JSONResponse(found + [_folder(path) for path in folders])


async def resolve(hub: LoopbackHub, request: Request, name: str, revision: str, path: str) -> Response:
    commit = hub.repository(name).at(unquote(revision))
    entry = commit.tree.get(unquote(path))
    if entry is None:
        raise Refusal(404, "Entry not found", "EntryNotFound")
    etag = f'"{entry.sha256 or entry.oid}"'
    headers = {"X-Repo-Commit": commit.oid, "ETag": etag, "Accept-Ranges": "bytes"}
    if entry.sha256:
        headers |= {"X-Linked-Etag": etag, "X-Linked-Size": str(entry.size)}
    if request.method == "HEAD":
        return Response(headers={**headers, "Content-Length": str(entry.size)})
    return _content(hub, entry, request.headers.get("range", ""), headers)


def _content(hub: LoopbackHub, entry: Entry, wanted: str, headers: dict[str, str]) -> Response:
    data = hub.blob(entry.sha256).read_bytes() if entry.sha256 else entry.content or b""
    span = re.match(r"bytes=(\d+)-(\d*)", wanted)
    if span is None:
        return Response(data, headers=headers)
    first, last = int(span[1]), min(int(span[2] or entry.size - 1), entry.size - 1)
    headers["Content-Range"] = f"bytes {first}-{last}/{entry.size}"
    return Response(data[first : last + 1], 206, headers=headers)


async def refs(hub: LoopbackHub, request: Request, name: str) -> Response:
    repository = hub.repository(name)
    branches = {ref: oid for ref, oid in repository.refs.items() if not ref.startswith("refs/pr/")}
    return JSONResponse({
        "branches": _refs("heads", branches), "tags": _refs("tags", repository.tags), "converts": [],
    })  # fmt: skip


def _refs(kind: str, targets: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": oid} for name, oid in targets.items()
    ]


async def discussions(hub: LoopbackHub, request: Request, name: str) -> Response:
    numbers = [int(ref.rpartition("/")[2]) for ref in hub.repository(name).refs if ref.startswith("refs/pr/")]
    found = [
        {
            "title": "", "num": number, "author": {"name": "me"}, "createdAt": _NOW, "status": "open",
            "repo": {"name": name, "type": "dataset"}, "isPullRequest": True,
        }
        for number in numbers
    ]  # fmt: skip
    return JSONResponse({"discussions": found, "count": len(found), "start": 0})
