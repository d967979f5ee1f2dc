"""Where datasets lie in tests: a Hugging Face Hub in memory, on the loopback, that speaks the real read endpoints.

    with LocalHub() as hub:
        hub.put("ns/code", "data/python/train.parquet", data)
        HfApi(endpoint=hub.endpoint).dataset_info("ns/code").sha == hub.revision("ns/code")

Code that finds its Hub by `HF_ENDPOINT` reads it at import: give a subprocess `env=os.environ | hub.environment(home)`.
What is written arrives as on the real Hub: preupload, LFS, then one commit or none, on a branch or as a pull request. It refuses
what the real one refuses, and can fail on purpose (`break_next`).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

from .teacher import Exchange, Loopback

OWN = ("me", "club")
FILE_LIMIT = 500 * 10**9
"""Bytes, as huggingface.co/docs/hub/storage-limits has it."""
LFS_SUFFIXES = (".parquet", ".arrow", ".gz", ".zst", ".zip", ".bin", ".safetensors")
"""What the `.gitattributes` of a new repository sends to LFS, the part of it that we use."""
DATE = "2026-01-01T00:00:00.000Z"


class Refused(Exception):
    """The Hub says no, in its own words: status, `X-Error-Code`, `X-Error-Message`, further headers."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {"X-Error-Code": code, "X-Error-Message": message} | headers


@dataclass(frozen=True)
class _Blob:
    """One version of one file, with the ids that git and LFS give it."""

    path: str
    data: bytes

    @cached_property
    def oid(self) -> str:
        return hashlib.sha1(b"blob %d\0" % len(self.data) + self.data).hexdigest()

    @cached_property
    def sha256(self) -> str | None:
        """The LFS id, or None for a regular file."""
        return hashlib.sha256(self.data).hexdigest() if self.path.endswith(LFS_SUFFIXES) else None

    @property
    def lfs(self) -> dict[str, Any]:
        return {"lfs": {"oid": self.sha256, "size": len(self.data), "pointerSize": 134}} if self.sha256 else {}


@dataclass
class _Repository:
    """Commits: sha → the files of that commit. Old ones stay readable, as pinned revisions must. Refs name some of them."""

    gate: tuple[str, ...] | None = None
    asks_first: str | bool = False
    commits: dict[str, dict[str, _Blob]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    lfs: dict[str, bytes] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def commit(self, changes: Iterable[_Blob], deleted: Collection[str] = (), ref: str = "main") -> str:
        before = self.commits.get(self.refs.get(ref, ""), {})
        kept = {
            path: blob
            for path, blob in before.items()
            if not any(path == gone or path.startswith(f"{gone}/") for gone in deleted)
        }
        files = dict(sorted((kept | {blob.path: blob for blob in changes}).items()))
        sha = _sha1(f"{blob.oid} {path}" for path, blob in files.items())
        self.commits[sha] = files
        self.refs[ref] = sha
        return sha

    @property
    def head(self) -> str:
        return self.refs["main"]

    def at(self, revision: str) -> str:
        sha = self.refs.get(revision, revision)
        if sha not in self.commits:
            raise Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return sha


@dataclass(frozen=True)
class _Target:
    """What a request is about: everything that its path names."""

    repo_id: str
    repository: _Repository
    revision: str
    sha: str
    path: str
    query: dict[str, list[str]]

    @property
    def files(self) -> dict[str, _Blob]:
        return self.repository.commits[self.sha]

    def asks(self, name: str) -> bool:
        return self.query.get(name, [""])[0].lower() in ("true", "1")


class LocalHub(Loopback):
    """A Hub at `endpoint`. Repositories come into being with their first file, or when a client creates them.

    Args:
        tokens: token → `read`, `write` or `fineGrained`, which may only read here; without, everybody may write. They are of the
            user `me`, who belongs to `club` and may write to these two namespaces alone; to others, pull requests.

    Attributes:
        endpoint: what `HfApi(endpoint=…)` and `HF_ENDPOINT` are given.
        requests: `(method, path, status, bytes of body sent)` of every request, to see what really travelled.
    """

    def __init__(self, tokens: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.endpoint, self._tokens = self.url, tokens
        self._broken: list[tuple[str, str, int]] = []
        self._held: tuple[str, str] | None = None
        self.holding = threading.Event()
        self.requests: list[tuple[str, str, int, int]] = []
        self._repositories: dict[tuple[str, str], _Repository] = {}

    def put(self, repo_id: str, path: str, data: bytes, repo_type: str = "dataset") -> str:
        """Commit one file; returns the new revision."""
        return self._repositories.setdefault((repo_type, repo_id), _Repository()).commit([_Blob(path, data)])

    def put_folder(self, repo_id: str, folder: Path, repo_type: str = "dataset") -> str:
        """Commit every file of a folder at once; returns the new revision."""
        paths = [path for path in folder.rglob("*") if path.is_file()]
        blobs = [_Blob(path.relative_to(folder).as_posix(), path.read_bytes()) for path in paths]
        return self._repositories.setdefault((repo_type, repo_id), _Repository()).commit(blobs)

    def gate(self, repo_id: str, *tokens: str, repo_type: str = "dataset") -> None:
        """Close a repository's files to all but these tokens.

        As on the real Hub, info and listings stay open; contents answer 403 (huggingface_hub#2457, huggingface.js#945).
        """
        self._repositories[repo_type, repo_id].gate = tokens

    def revision(self, repo_id: str, repo_type: str = "dataset") -> str:
        """The commit that `main` stands for: 40 hex digits, a function of paths and contents."""
        return self._repositories[repo_type, repo_id].head

    def files(self, repo_id: str, revision: str = "main", repo_type: str = "dataset") -> dict[str, bytes]:
        """Path → bytes of a revision."""
        repository = self._repositories[repo_type, repo_id]
        return {path: blob.data for path, blob in repository.commits[repository.at(revision)].items()}

    def messages(self, repo_id: str, repo_type: str = "dataset") -> list[str]:
        """First lines of the commits that clients made, oldest first."""
        return self._repositories[repo_type, repo_id].messages

    def break_next(self, method: str, part: str, status: int = 503, times: int = 1) -> None:
        """The next requests of this method whose path holds `part` fail; status 0 drops the connection."""
        self._broken += [(method, part, status)] * times

    def hold_next(self, method: str, part: str) -> None:
        """The next request of this method whose path holds `part` is never answered; `holding` is set when it is there."""
        self._held = (method, part)
        self.holding.clear()

    def environment(self, home: Path) -> dict[str, str]:
        """Variables for a subprocess that shall see this Hub and no other, and keep its caches under `home`."""
        return {
            "HF_ENDPOINT": self.endpoint,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_OFFLINE": "0",
            "HF_DATASETS_OFFLINE": "0",
            "NO_PROXY": "127.0.0.1",
        }

    def respond(self, exchange: Exchange) -> None:
        """See `Loopback.respond`."""
        if self._held and exchange.command == self._held[0] and self._held[1] in exchange.path:
            self._held = None
            self.holding.set()
            self.stopping.wait()
            return exchange.drop()
        for fault in self._broken:
            if exchange.command == fault[0] and fault[1] in exchange.path:
                self._broken.remove(fault)
                self.requests.append((exchange.command, exchange.path, fault[2], 0))
                return exchange.send_error_json(fault[2], "broken on purpose") if fault[2] else exchange.drop()
        try:
            status, headers, body = self._answer(exchange)
        except Refused as no:
            status, headers, body = no.status, no.headers, json.dumps({"error": str(no)}).encode()
        self.requests.append((exchange.command, exchange.path, status, 0 if exchange.command == "HEAD" else len(body)))
        exchange.send(status, body, headers)

    def _answer(self, exchange: Exchange) -> Response:
        url = urlsplit(exchange.path)
        role = self._role(exchange)
        if url.path == "/api/whoami-v2":
            return _json(
                {
                    "type": "user",
                    "name": OWN[0],
                    "orgs": [{"type": "org", "name": OWN[1], "roleInOrg": "write"}],
                    "auth": {"type": "access_token", "accessToken": {"role": role}},
                }
            )
        if url.path == "/api/validate-yaml":
            errors = _yaml_errors(json.loads(exchange.body)["content"])
            return 400 if errors else 200, {}, json.dumps({"errors": errors, "warnings": []}).encode()
        if exchange.command not in ("GET", "HEAD") and "/paths-info/" not in url.path and role != "write":
            raise Refused(403, "", "You don't have the rights to write here with this token.")
        if url.path == "/api/repos/create":
            return self._create(json.loads(exchange.body))
        self._check_owner(exchange, url)
        for method, pattern, answer in ROUTES:
            # HEAD is GET without the body, which `Exchange.send` leaves out.
            if method == exchange.command.replace("HEAD", "GET") and (match := pattern.fullmatch(url.path)):
                named = {name: unquote(value) for name, value in match.groupdict().items() if value}
                return answer(self._target(named, parse_qs(url.query)), exchange)
        raise Refused(404, "RouteNotFound", f"this Hub has no route {exchange.command} {url.path}")

    def _role(self, exchange: Exchange) -> str:
        token = exchange.headers.get("Authorization", "").removeprefix("Bearer ")
        url = urlsplit(exchange.path)
        if self._tokens is None or url.query == f"signature={_signature(url.path)}":
            return "write"
        writes = exchange.command not in ("GET", "HEAD") or "whoami" in exchange.path
        if (token or writes) and token not in self._tokens:
            raise Refused(401, "", "Invalid credentials in Authorization header")
        return self._tokens.get(token, "read")

    def _check_owner(self, exchange: Exchange, url: Any) -> None:
        """Others' repositories take pull requests and nothing else; what a pull request uploads, they take, too."""
        found = re.fullmatch(rf"{_API}/(?P<what>commit|branch|settings)(?:/.*)?", url.path)
        if self._tokens is None or not found or found["id"].split("/")[0] in OWN:
            return
        if found["what"] != "commit" or parse_qs(url.query).get("create_pr") != ["1"]:
            raise Refused(403, "", f"You don't have the rights to change {found['id']}. Open a pull request.")

    def _create(self, wanted: dict[str, Any]) -> Response:
        repo_id = f"{wanted.get('organization') or 'me'}/{wanted['name']}"
        kind = wanted.get("type") or "model"
        if self._tokens is not None and repo_id.split("/")[0] not in OWN:
            raise Refused(403, "", f"You don't have the rights to create a {kind} under this namespace")
        if kind == "space" and wanted.get("sdk") not in ("static", "docker", "gradio"):
            raise Refused(400, "", '"sdk" must be one of [static, docker, gradio]')
        if (kind, repo_id) in self._repositories:
            where = f"{self.endpoint}/{'' if kind == 'model' else kind + 's/'}{repo_id}"
            return 409, {}, json.dumps({"error": "You already created this repository", "url": where}).encode()
        self._repositories[kind, repo_id] = _Repository()
        self._repositories[kind, repo_id].commit([_Blob(".gitattributes", b"*.parquet filter=lfs diff=lfs merge=lfs -text\n")])
        return _json({"url": f"{self.endpoint}/{'' if kind == 'model' else kind + 's/'}{repo_id}", "id": repo_id})

    def _target(self, named: dict[str, str], query: dict[str, list[str]]) -> _Target:
        kind, repo_id = named.get("kind", "models").removesuffix("s"), named["id"]
        repository = self._repositories.get((kind, repo_id))
        if repository is None:
            raise Refused(404, "RepoNotFound", "Repository not found")
        revision = named.get("revision", "main")
        return _Target(repo_id, repository, revision, repository.at(revision), named.get("path", ""), query)


Response = tuple[int, dict[str, str], bytes]


def _info(target: _Target, exchange: Exchange) -> Response:
    blobs = target.asks("blobs")
    siblings = [{"rfilename": path} | (_sizes(blob) if blobs else {}) for path, blob in target.files.items()]
    return _json(
        {
            "_id": target.sha[:24],
            "id": target.repo_id,
            "author": target.repo_id.split("/")[0],
            "sha": target.sha,
            "createdAt": DATE,
            "lastModified": DATE,
            "private": False,
            "gated": target.repository.asks_first or (False if target.repository.gate is None else "manual"),
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "siblings": siblings,
        }
        | _told(target)
    )


def _told(target: _Target) -> dict[str, Any]:
    """What info says of a card and of `.eval_results/`; a file there that is none is told by name, as the real Hub does."""
    card = target.files.get("README.md")
    found = re.match(r"\A---\n(.*?)\n---(?:\n|\Z)", card.data.decode(), re.S) if card else None
    data = yaml.safe_load(found[1]) if found else None
    entries: list[dict[str, Any]] = []
    for path, blob in target.files.items():
        if path.startswith(".eval_results/") and path.endswith((".yaml", ".yml")):
            try:
                lines = yaml.safe_load(blob.data)
                good = [
                    {"filename": path, "data": one}
                    for one in lines
                    if {"id", "task_id"} <= one["dataset"].keys() and "value" in one
                ]
                entries += good if len(good) == len(lines) else [{"filename": path, "error": "a required field is missing"}]
            except (yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
                entries.append({"filename": path, "error": str(error)})
    about = {"cardData": data, "model-index": (data or {}).get("model-index")} if data else {}
    return about | ({"evalResults": entries} if entries else {})


def _sizes(blob: _Blob) -> dict[str, Any]:
    """A file as the info endpoint spells it, which is not how the tree does."""
    lfs = {"lfs": {"sha256": blob.sha256, "size": len(blob.data), "pointerSize": 134}} if blob.sha256 else {}
    return {"size": len(blob.data), "blobId": blob.oid} | lfs


def _tree(target: _Target, exchange: Exchange) -> Response:
    inside = f"{target.path}/" if target.path else ""
    entries = {path: entry for path, entry in _entries(target).items() if path.startswith(inside)}
    if inside and not entries:
        raise Refused(404, "EntryNotFound", f"{target.path} does not exist on this revision")
    deep = target.asks("recursive")
    return _json([entry for path, entry in entries.items() if deep or "/" not in path.removeprefix(inside)])


def _paths_info(target: _Target, exchange: Exchange) -> Response:
    form = parse_qs(exchange.body.decode())
    entries = _entries(replace(target, query=form))
    return _json([entries[path] for path in form.get("paths", []) if path in entries])


def _entries(target: _Target) -> dict[str, dict[str, Any]]:
    """Every file and every folder of a commit, by path, in the order of the paths."""
    last = {"lastCommit": {"id": target.sha, "title": "commit", "date": DATE}} if target.asks("expand") else {}
    entries: dict[str, dict[str, Any]] = {}
    for path, blob in target.files.items():
        for folder in map(str, PurePosixPath(path).parents):
            if folder not in entries and folder != ".":
                oid = _sha1(file.oid for name, file in target.files.items() if name.startswith(f"{folder}/"))
                entries[folder] = {"type": "directory", "oid": oid, "size": 0, "path": folder} | last
        entries[path] = {"type": "file", "oid": blob.oid, "size": len(blob.data), "path": path} | blob.lfs | last
    return dict(sorted(entries.items()))


def _resolve(target: _Target, exchange: Exchange) -> Response:
    commit, gate = {"X-Repo-Commit": target.sha}, target.repository.gate
    if gate is not None and exchange.headers.get("Authorization", "").removeprefix("Bearer ") not in gate:
        raise Refused(403, "GatedRepo", f"Access to {target.repo_id} is restricted and you are not in the authorized list.")
    blob = target.files.get(target.path)
    if blob is None:
        # The client remembers that this commit lacks the file, so it must be told which commit answered.
        raise Refused(404, "EntryNotFound", "Entry not found", **commit)
    tag, size = f'"{blob.sha256 or blob.oid}"', len(blob.data)
    headers = commit | {"ETag": tag, "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
    if blob.sha256:
        headers |= {"X-Linked-ETag": tag, "X-Linked-Size": str(size)}
    wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", exchange.headers.get("Range", ""))
    if not wanted or wanted[0] == "bytes=-":
        return 200, headers, blob.data
    first, last = wanted.groups()
    start, end = (int(first), min(int(last or size), size - 1)) if first else (max(size - int(last), 0), size - 1)
    if start >= size:
        return 416, headers | {"Content-Range": f"bytes */{size}"}, b""
    return 206, headers | {"Content-Range": f"bytes {start}-{end}/{size}"}, blob.data[start : end + 1]


def _preupload(target: _Target, exchange: Exchange) -> Response:
    """Which files go to LFS, and which are there already."""
    files = []
    for file in json.loads(exchange.body)["files"]:
        if file["size"] > FILE_LIMIT:
            raise Refused(400, "", f"{file['path']}: a file may have {FILE_LIMIT} bytes at most")
        mode = "lfs" if file["path"].endswith(LFS_SUFFIXES) else "regular"
        known = target.files.get(file["path"])
        files.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False, "oid": known.oid if known else None})
    return _json({"files": files})


def _lfs_batch(target: _Target, exchange: Exchange) -> Response:
    objects = []
    for asked in json.loads(exchange.body)["objects"]:
        place = f"{exchange.path.removesuffix('/objects/batch')}/{asked['oid']}"
        where = f"http://{exchange.headers['Host']}{place}?signature={_signature(place)}"
        missing = asked["oid"] not in target.repository.lfs
        objects.append(asked | ({"actions": {"upload": {"href": where}}} if missing else {}))
    return _json({"transfer": "basic", "objects": objects})


def _signature(path: str) -> str:
    """Uploads go to a signed address, without a token."""
    return _sha1(["a secret of this Hub", path])


def _lfs_upload(target: _Target, exchange: Exchange) -> Response:
    if hashlib.sha256(exchange.body).hexdigest() != target.path:
        raise Refused(400, "BadOid", "the bytes are not those of this oid")
    target.repository.lfs[target.path] = exchange.body
    return 200, {}, b""


def _commit(target: _Target, exchange: Exchange) -> Response:
    """One commit of everything in the body, or none."""
    changes, deleted, header = [], [], {}
    for line in exchange.body.splitlines():
        kind, value = (entry := json.loads(line))["key"], entry["value"]
        if kind == "header":
            header = value
        elif kind == "file":
            changes.append(_Blob(value["path"], base64.b64decode(value["content"])))
        elif kind == "lfsFile":
            if value["oid"] not in target.repository.lfs:
                raise Refused(400, "", f"The LFS object of {value['path']} was never uploaded: {value['oid']}")
            changes.append(_Blob(value["path"], target.repository.lfs[value["oid"]]))
        elif kind in ("deletedFile", "deletedFolder"):
            deleted.append(value["path"].rstrip("/"))
    if header.get("parentCommit", target.sha) != target.sha:
        raise Refused(412, "", "A commit has happened since. Please refresh and try again.")
    for blob in changes:
        if blob.path == "README.md" and (errors := _yaml_errors(blob.data.decode())):
            raise Refused(400, "", f"Invalid metadata in README.md: {errors[0]['message']}")
    ref = target.revision
    if target.asks("create_pr"):
        ref = f"refs/pr/{1 + sum(name.startswith('refs/pr/') for name in target.repository.refs)}"
        target.repository.refs[ref] = target.sha
    elif ref not in target.repository.refs:
        raise Refused(400, "", f"Cannot commit to {ref}: it is no branch")
    sha = target.repository.commit(changes, deleted, ref)
    target.repository.messages.append(header.get("summary", ""))
    kind = "datasets/" if "/api/datasets/" in exchange.path else ""
    page = f"http://{exchange.headers['Host']}/{kind}{target.repo_id}"
    request = {"pullRequestUrl": f"{page}/discussions/{ref.rpartition('/')[2]}"} if target.asks("create_pr") else {}
    return _json({"success": True, "commitOid": sha, "commitUrl": f"{page}/commit/{sha}"} | request)


def _branch(target: _Target, exchange: Exchange) -> Response:
    name = target.path
    if name in target.repository.refs:
        raise Refused(409, "", f"Reference already exists: {name}")
    start = json.loads(exchange.body or b"{}").get("startingPoint", "main")
    target.repository.refs[name] = target.repository.at(start)
    return _json({})


def _settings(target: _Target, exchange: Exchange) -> Response:
    wanted = json.loads(exchange.body)
    if wanted.get("gated") not in (None, False, "auto", "manual"):
        raise Refused(400, "", f"gated is auto, manual or false, not {wanted['gated']}")
    if "gated" in wanted:
        target.repository.asks_first = wanted["gated"]
    return _json({})


def _yaml_errors(card: str) -> list[dict[str, str]]:
    """What the Hub says of a card's front matter: it must be YAML, and a mapping."""
    found = re.match(r"\A---\n(.*?)\n---(?:\n|\Z)", card, re.S)
    try:
        values = yaml.safe_load(found[1]) if found else {}
    except yaml.YAMLError as error:
        return [{"message": f"Invalid YAML: {error}"}]
    if not isinstance(values or {}, dict):
        return [{"message": "the front matter is no mapping"}]
    license = (values or {}).get("license")
    if license is not None and not re.fullmatch(r"[a-z0-9.-]+", str(license)):
        return [{"message": f'"license" must be one of the known identifiers, not {license}'}]
    return []


def _json(value: Any) -> Response:
    return 200, {}, json.dumps(value).encode()


def _sha1(lines: Iterable[str]) -> str:
    return hashlib.sha1("\n".join(lines).encode()).hexdigest()


_API = r"/api/(?P<kind>models|datasets|spaces)/(?P<id>[^/]+/[^/]+)"
_PAGE = r"/(?:(?P<kind>datasets|spaces)/)?(?P<id>[^/]+/[^/]+?)"
ROUTES: tuple[tuple[str, re.Pattern[str], Callable[[_Target, Exchange], Response]], ...] = (
    ("GET", re.compile(rf"{_API}(?:/revision/(?P<revision>[^/]+))?"), _info),
    ("GET", re.compile(rf"{_API}/tree/(?P<revision>[^/]+)(?:/(?P<path>.+))?"), _tree),
    ("POST", re.compile(rf"{_API}/paths-info/(?P<revision>[^/]+)"), _paths_info),
    ("POST", re.compile(rf"{_API}/preupload/(?P<revision>[^/]+)"), _preupload),
    ("POST", re.compile(rf"{_API}/commit/(?P<revision>[^/]+)"), _commit),
    ("POST", re.compile(rf"{_API}/branch/(?P<path>.+)"), _branch),
    ("PUT", re.compile(rf"{_API}/settings"), _settings),
    ("POST", re.compile(rf"{_PAGE}\.git/info/lfs/objects/batch"), _lfs_batch),
    ("PUT", re.compile(rf"{_PAGE}\.git/info/lfs/(?P<path>[0-9a-f]+)"), _lfs_upload),
    ("GET", re.compile(rf"{_PAGE}/resolve/(?P<revision>[^/]+)/(?P<path>.+)"), _resolve),
)
"""Method, path as it is quoted on the wire (a quoted slash belongs to its segment), and who answers."""
