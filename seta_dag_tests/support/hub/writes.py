"""Endpoints that change a repository: create, preupload, LFS, commit and tag."""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from urllib.parse import unquote

import yaml
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from seta_dag_tests.support.hub.repository import Entry, Refusal, Repository, Tree
from seta_dag_tests.support.hub.state import NAMESPACES, LoopbackHub


async def create(hub: LoopbackHub, request: Request) -> Response:
    body = await request.json()
    namespace = body["organization"] or "me"
    name = f"{namespace}/{body['name']}"
    if namespace not in NAMESPACES:
        raise Refusal(
            403, f'You don\'t have the rights to create a dataset under the namespace "{namespace}"'
        )
    answer = {"url": f"{hub.base}/datasets/{name}", "name": name, "id": name}
    if name in hub.repositories:
        return JSONResponse({**answer, "error": "You already created this dataset repo"}, 409)
    private = body.get("private") or body.get("visibility") == "private"
    hub.repositories[name] = Repository.new(bool(private))
    return JSONResponse(answer)


async def validate_yaml(hub: LoopbackHub, request: Request) -> Response:
    front = re.match(r"---\n(.*?)\n---", (await request.json())["content"], re.S)
    try:
        yaml.safe_load(front[1] if front else "")
    except yaml.YAMLError as error:
        return JSONResponse({"errors": [{"message": str(error)}], "warnings": []}, 400)
    return JSONResponse({"errors": [], "warnings": []})


async def preupload(hub: LoopbackHub, request: Request, name: str, revision: str) -> Response:
    tree, files = hub.repository(name).at(unquote(revision)).tree, []
    for file in (await request.json())["files"]:
        known = tree.get(file["path"])
        mode = "lfs" if file["path"].endswith(".parquet") else "regular"
        oid = known and (known.sha256 or known.oid)
        files.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
    return JSONResponse({"files": files})


async def lfs_batch(hub: LoopbackHub, request: Request, name: str) -> Response:
    objects = (await request.json())["objects"]
    for item in objects:
        # As in git LFS, only objects that are not stored yet get an upload link.
        if not hub.blob(item["oid"]).exists():
            upload, verify = f"{hub.base}/lfs/{item['oid']}", f"{hub.base}/lfs-verify"
            item["actions"] = {"upload": {"href": upload}, "verify": {"href": verify}}
    return JSONResponse({"transfer": "basic", "objects": objects})


async def lfs_put(hub: LoopbackHub, request: Request, oid: str) -> Response:
    if hub.store(await request.body()) != oid:
        raise Refusal(400, "sha256 mismatch")
    return Response()


async def lfs_verify(hub: LoopbackHub, request: Request) -> Response:
    body = await request.json()
    blob = hub.blob(body["oid"])
    return Response(status_code=200 if blob.exists() and blob.stat().st_size == body["size"] else 404)


async def commit(hub: LoopbackHub, request: Request, name: str, revision: str) -> Response:
    repository, branch = hub.repository(name), unquote(revision)
    base = repository.at(branch)
    lines = [json.loads(line) for line in (await request.body()).splitlines()]
    header = next(line["value"] for line in lines if line["key"] == "header")
    expected, as_pull_request = header.get("parentCommit"), "create_pr" in request.query_params
    # A pull request is a branch of its own, so it can start from an older commit.
    if expected and expected != base.oid and not as_pull_request:
        raise Refusal(412, "A commit has happened since. Please refresh and try again.")
    tree = dict(base.tree)
    for line in lines:
        _apply(hub, tree, line["key"], line["value"])
    new_commit = repository.commit(base.oid, tree, header["summary"])
    url = f"{hub.base}/datasets/{name}"
    answer = {"success": True, "commitOid": new_commit.oid, "commitUrl": f"{url}/commit/{new_commit.oid}"}
    if as_pull_request:
        number = 1 + sum(ref.startswith("refs/pr/") for ref in repository.refs)
        branch = f"refs/pr/{number}"
        answer["pullRequestUrl"] = f"{url}/discussions/{number}"
    repository.refs[branch] = new_commit.oid
    return JSONResponse(answer)


def _apply(hub: LoopbackHub, tree: Tree, key: str, value: dict[str, Any]) -> None:
    if key == "file":
        tree[value["path"]] = Entry.regular(base64.b64decode(value["content"]))
    elif key == "lfsFile":
        if not hub.blob(value["oid"]).exists():
            raise Refusal(400, f"LFS object {value['oid']} was never uploaded")
        tree[value["path"]] = Entry.lfs(value["oid"], hub.blob(value["oid"]).stat().st_size)
    elif key == "deletedFile" and tree.pop(value["path"], None) is None:
        raise Refusal(404, "A file with this name doesn't exist", "EntryNotFound")


async def tag(hub: LoopbackHub, request: Request, name: str, revision: str) -> Response:
    repository, tag_name = hub.repository(name), (await request.json())["tag"]
    if tag_name in repository.tags:
        raise Refusal(409, "Tag reference exists already")
    repository.tags[tag_name] = repository.at(unquote(revision)).oid
    return Response(status_code=201)
