"""The calls of a batch API: `/files` and `/batches`, as OpenAI has them.

Source:
    https://platform.openai.com/docs/api-reference/batch
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from hf_oss_instruct.errors import RetryableError, TeacherError
from hf_oss_instruct.teachers.http.client import HttpClient
from hf_oss_instruct.teachers.http.endpoint import PATH
from hf_oss_instruct.teachers.http.responses import first_words

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
PAGE_SIZE, MAX_PAGES = 100, 200
"""Batches in a page of the list, and the most pages that are read."""


@dataclass(frozen=True)
class BatchStatus:
    """The state of a batch at the provider.

    Attributes:
        batch_id: its id.
        status: the provider's word, in lower case.
        done, total: requests answered or failed, and all.
        files: ids of the files with results and errors.
        errors: why it failed.
    """

    batch_id: str
    status: str
    done: int
    total: int
    files: tuple[str, ...]
    errors: str

    @classmethod
    def of(cls, body: dict[str, Any]) -> BatchStatus:
        """Read the provider's object."""
        counts = body.get("request_counts") if isinstance(body.get("request_counts"), dict) else {}
        numbers = {name: value for name, value in (counts or {}).items() if isinstance(value, int)}
        # Requests that failed are in a file of their own.
        files = (body.get("output_file_id"), body.get("error_file_id"))
        return cls(
            str(body["id"]),
            str(body.get("status", "")).lower(),
            numbers.get("completed", 0) + numbers.get("failed", 0),
            numbers.get("total", 0),
            tuple(file for file in files if isinstance(file, str)),
            first_words(json.dumps(body["errors"])) if body.get("errors") else "",
        )

    @property
    def ended(self) -> bool:
        """Whether there will be no more results."""
        return self.status in ENDED


class BatchApi:
    """The batch API of a server. Nothing is retried here.

    Args:
        http: connections to the server.
    """

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def upload(self, file: Path) -> str:
        """Upload a file of requests, and return its id. Raises as `HttpClient.request`."""
        return str(_object(await self._http.upload("/files", file, {"purpose": "batch"}))["id"])

    async def create(self, file_id: str, name: str) -> BatchStatus:
        """Create the batch of a file. Raises as `HttpClient.request`."""
        batch_request = {
            "input_file_id": file_id,
            "endpoint": f"/v1{PATH}",
            # The only value that OpenAI accepts.
            "completion_window": "24h",
            "metadata": {"hf_oss_instruct": name},
        }
        body, _ = await self._http.request("POST", "/batches", orjson.dumps(batch_request))
        return BatchStatus.of(_object(body))

    async def find(self, file_id: str) -> BatchStatus | None:
        """The batch that was created from a file, or None. Raises as `HttpClient.request`."""
        after = ""
        for _ in range(MAX_PAGES):
            body, _ = await self._http.request("GET", f"/batches?limit={PAGE_SIZE}{after}")
            page = _object(body, "data")
            batches = [batch for batch in page["data"] if isinstance(batch, dict) and "id" in batch]
            for batch in batches:
                # By its file, since the id of the batch is what a kill loses.
                if batch.get("input_file_id") == file_id:
                    return BatchStatus.of(batch)
            if not page.get("has_more") or not batches:
                return None
            after = f"&after={quote(str(batches[-1]['id']), safe='')}"
        raise TeacherError(
            f"The server lists more than {MAX_PAGES * PAGE_SIZE:,} batches. Delete old ones, and repeat the command or call."
        )

    async def status(self, batch_id: str) -> BatchStatus:
        """The outcome of a batch. Raises as `HttpClient.request`."""
        body, _ = await self._http.request("GET", f"/batches/{quote(batch_id, safe='')}")
        return BatchStatus.of(_object(body))

    async def download(self, file_id: str, to: Path) -> None:
        """Write a file of results to disk. Raises as `HttpClient.request`."""
        await self._http.download(f"/files/{quote(file_id, safe='')}/content", to)

    async def close(self) -> None:
        """Close the connections that belong to the running event loop."""
        await self._http.close()


def _object(body: bytes, key: str = "id") -> dict[str, Any]:
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = None
    if not isinstance(parsed, dict) or key not in parsed:
        words = first_words(body.decode(errors="replace"))
        raise RetryableError(f"the server's answer has no {key!r}: {words}", reached=True)
    return parsed
