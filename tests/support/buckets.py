"""A Hub with buckets: their contents go through the real xet client, whose storage is a folder of this machine."""

from __future__ import annotations

import itertools
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from .hub import DATE, LocalHub, Refused, Response
from .teacher import Exchange


@dataclass(frozen=True)
class _File:
    data: bytes
    xet_hash: str


class BucketHub(LocalHub):
    """A Hub with buckets, which only their owner's client makes.

    Args:
        folder: storage of xet.

    Attributes:
        buckets: id → path → file.
        batches: number of changes that clients made to buckets.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._storage, self._numbers = folder, itertools.count()
        self.buckets: dict[str, dict[str, _File]] = {}
        self.batches = 0

    def contents(self, bucket: str) -> dict[str, bytes]:
        """Path → bytes of a bucket."""
        return {path: file.data for path, file in self.buckets[bucket].items()}

    def environment(self, home: Path) -> dict[str, str]:
        """See `LocalHub.environment`."""
        return {name: value for name, value in super().environment(home).items() if name != "HF_HUB_DISABLE_XET"}

    def _answer(self, exchange: Exchange) -> Response:
        parts = urlsplit(exchange.path).path.strip("/").split("/")
        if parts[:2] == ["api", "buckets"]:
            return self._asked(exchange, "/".join(parts[2:4]), *map(unquote, parts[4:]))
        if parts[0] == "buckets" and parts[3:4] == ["resolve"]:
            file = self._bucket("/".join(parts[1:3])).get(unquote("/".join(parts[4:])))
            if file is None:
                raise Refused(404, "EntryNotFound", "Entry not found")
            return 200, {"Content-Type": "application/octet-stream", "ETag": f'"{file.xet_hash}"'}, file.data
        return super()._answer(exchange)

    def _bucket(self, name: str) -> dict[str, _File]:
        if name not in self.buckets:
            raise Refused(404, "RepoNotFound", "Bucket not found")
        return self.buckets[name]

    def _asked(self, exchange: Exchange, name: str, what: str = "", path: str = "") -> Response:
        if exchange.command == "POST" and not what:
            known = name in self.buckets
            self.buckets.setdefault(name, {})
            return 409 if known else 200, {}, json.dumps({"url": f"{self.endpoint}/buckets/{name}"}).encode()
        bucket = self._bucket(name)
        if what in ("xet-write-token", "xet-read-token"):
            own = self._storage / f"client-{next(self._numbers)}"  # a process locks the storage that it writes
            own.mkdir(parents=True)
            return _json({"casUrl": f"local://{own}", "exp": int(time.time()) + 3600, "accessToken": "xet"})
        if what == "batch":
            return self._changed(bucket, [json.loads(line) for line in exchange.body.splitlines()])
        if what == "tree":
            return _json(_tree(bucket, f"{path}/" if path else "", deep="recursive=true" in exchange.path))
        if what == "paths-info":
            wanted = json.loads(exchange.body)["paths"]
            return _json([_info(name, bucket[name]) for name in wanted if name in bucket])
        return _json({"id": name, "private": True, "createdAt": DATE, "size": 0, "totalFiles": len(bucket)})

    def _changed(self, bucket: dict[str, _File], operations: list[dict[str, Any]]) -> Response:
        failed = []
        for operation in operations:
            if operation["type"] == "addFile":
                bucket[operation["path"]] = _File(self._stored(operation["xetHash"]), operation["xetHash"])
            elif bucket.pop(operation["path"], None) is None:
                failed.append({"path": operation["path"], "error": "Entry not found"})
        self.batches += 1
        return _json({"success": not failed, "processed": len(operations), "succeeded": len(operations), "failed": failed})

    def _stored(self, xet_hash: str) -> bytes:
        clients = sorted(self._storage.glob("client-*"), key=lambda path: int(path.name.removeprefix("client-")))
        for client in reversed(clients):  # the table of its files is its own; their contents may be in others', too
            together = self._storage / f"read-{next(self._numbers)}"
            for other in clients:
                shutil.copytree(other, together, ignore=shutil.ignore_patterns("*.redb"), dirs_exist_ok=True)
            shutil.copytree(client, together, dirs_exist_ok=True)
            if data := self._read(xet_hash, together):
                return data
        return b""

    def _read(self, xet_hash: str, together: Path) -> bytes:
        import hf_xet

        with hf_xet.XetSession().new_file_download_group(endpoint=f"local://{together}") as group:
            group.start_download_file(hf_xet.XetFileInfo(xet_hash, None), str(together / "file"))
        data = (together / "file").read_bytes()
        shutil.rmtree(together)
        return data


def _tree(bucket: dict[str, _File], inside: str, deep: bool) -> list[dict[str, Any]]:
    files = {name: file for name, file in sorted(bucket.items()) if name.startswith(inside)}
    if deep:
        return [_info(name, file) for name, file in files.items()]
    folders = {name[: name.index("/", len(inside))] for name in files if "/" in name[len(inside) :]}
    here = [_info(name, file) for name, file in files.items() if "/" not in name[len(inside) :]]
    return here + [{"type": "directory", "path": name, "uploadedAt": DATE} for name in sorted(folders)]


def _info(path: str, file: _File) -> dict[str, Any]:
    return {"type": "file", "path": path, "size": len(file.data), "xetHash": file.xet_hash, "uploadedAt": DATE}


def _json(value: object) -> Response:
    return 200, {}, json.dumps(value).encode()
