"""A Hub on the loopback: what `huggingface_hub` asks of the real one to create a repository, push to it and load it.

Repositories are held in memory, a commit for each push. Files that Git LFS would hold are uploaded apart, as there.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from huggingface_hub import ModelCard


LFS_ENDINGS = (".safetensors", ".parquet", ".png", ".bin")
PREFIX = r"/(?:(?P<kind>datasets|spaces)/)?(?P<repo>[\w.-]+/[\w.-]+)"
API = r"/api/(?P<kind>models|datasets|spaces)/(?P<repo>[\w.-]+/[\w.-]+)"


@dataclass
class Hub:
    """`repos` are {(kind, name): {commit: {path: bytes}}}, the last commit being the head."""

    repos: dict[tuple[str, str], dict[str, dict[str, bytes]]] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    url: str = ""

    def files(self, name: str, kind: str = "models") -> dict[str, bytes]:
        """The files of a repository's head."""
        return list(self.repos[kind, name].values())[-1]

    def commit(self, kind: str, name: str, files: dict[str, bytes]) -> str:
        digest = hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()
        self.repos.setdefault((kind, name), {})[digest] = files
        return digest


class Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments) -> None:
        """Nothing is printed."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_HEAD(self) -> None:
        self._answer("HEAD")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def _answer(self, method: str) -> None:
        path = unquote(urlsplit(self.path).path)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        for methods, pattern, answer in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and method in methods:
                return answer(self, **match.groupdict())
        return self.send(404, {"error": f"no such endpoint: {method} {path}"})

    def send(self, status: int, content: bytes | dict | list, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def create_repo(self) -> None:
        asked = json.loads(self.body)
        kind, name = f"{asked.get('type') or 'model'}s", f"{asked['organization']}/{asked['name']}"
        if (kind, name) not in self.hub.repos:
            self.hub.commit(kind, name, {})
        self.send(200, {"url": f"{self.hub.url}/{name}", "id": name})

    def validate_yaml(self) -> None:
        try:
            ModelCard(json.loads(self.body)["content"])
        except ValueError as error:
            return self.send(400, {"errors": [{"message": str(error)}]})
        return self.send(200, {"warnings": [], "errors": []})

    def preupload(self, kind: str, repo: str, revision: str) -> None:
        files = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith(LFS_ENDINGS) else "regular",
                "shouldIgnore": False,
            }
            for file in json.loads(self.body)["files"]
        ]
        self.send(200, {"files": files})

    def lfs_batch(self, repo: str, kind: str | None) -> None:
        objects = [
            {**item, "actions": {"upload": {"href": f"{self.hub.url}/upload/{item['oid']}"}}}
            for item in json.loads(self.body)["objects"]
        ]
        self.send(200, {"transfer": "basic", "objects": objects})

    def upload(self, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            return self.send(400, {"error": "the content is not what its name says"})
        self.hub.uploads[oid] = self.body
        return self.send(200, {})

    def make_commit(self, kind: str, repo: str, revision: str) -> None:
        files = dict(self.hub.files(repo, kind))
        for line in map(json.loads, self.body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.uploads[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        commit = self.hub.commit(kind, repo, files)
        self.send(200, {"commitUrl": f"{self.hub.url}/{repo}/commit/{commit}", "commitOid": commit})

    def describe(self, kind: str, repo: str, revision: str | None = None) -> None:
        if (found := self._find(kind, repo, revision)) is None:
            return None
        files, commit = found
        siblings = [{"rfilename": path} for path in sorted(files)]
        return self.send(200, {"id": repo, "sha": commit, "private": False, "tags": [], "siblings": siblings})

    def list_tree(self, kind: str, repo: str, revision: str, path: str | None = None) -> None:
        if (found := self._find(kind, repo, revision)) is None:
            return None
        files, _ = found
        rows = [
            {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
            for name, content in sorted(files.items())
            if not path or name.startswith(f"{path}/")
        ]
        return self.send(200, rows) if rows or not path else self._missing("Entry")

    def resolve(self, repo: str, revision: str, path: str, kind: str | None) -> None:
        kind = kind or "models"
        if (found := self._find(kind, repo, revision)) is None:
            return None
        files, commit = found
        if path not in files:
            return self._missing("Entry", X_Repo_Commit=commit)
        etag = hashlib.sha256(files[path]).hexdigest()
        return self.send(200, files[path], X_Repo_Commit=commit, ETag=f'"{etag}"')

    def _missing(self, what: str, **headers: str) -> None:
        self.send(404, {"error": f"{what} not found"}, X_Error_Code=f"{what}NotFound", **headers)

    def _find(self, kind: str, repo: str, revision: str | None) -> tuple[dict[str, bytes], str] | None:
        """The files of a revision and its commit; None, the answer being sent, where there is no such thing."""
        if (kind, repo) not in self.hub.repos:
            return self._missing("Repo")
        commits = self.hub.repos[kind, repo]
        commit = list(commits)[-1] if revision in (None, "main") else revision
        return (commits[commit], commit) if commit in commits else self._missing("Revision")


ROUTES = (
    (("POST",), "/api/repos/create", Handler.create_repo),
    (("POST",), "/api/validate-yaml", Handler.validate_yaml),
    (("POST",), f"{API}/preupload/(?P<revision>[^/]+)", Handler.preupload),
    (("POST",), rf"{PREFIX}\.git/info/lfs/objects/batch", Handler.lfs_batch),
    (("PUT",), "/upload/(?P<oid>[0-9a-f]+)", Handler.upload),
    (("POST",), f"{API}/commit/(?P<revision>[^/]+)", Handler.make_commit),
    (("GET",), f"{API}/tree/(?P<revision>[^/]+)(?:/(?P<path>.+))?", Handler.list_tree),
    (("GET",), f"{API}(?:/revision/(?P<revision>[^/]+))?", Handler.describe),
    (("GET", "HEAD"), f"{PREFIX}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", Handler.resolve),
)


@contextmanager
def serve_hub() -> Iterator[Hub]:
    """A running Hub; its address is `url`, for `HF_ENDPOINT`."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
