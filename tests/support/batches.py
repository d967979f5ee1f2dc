"""A batch API in tests: a `LocalTeacher` that takes files of requests and answers them later, in no order, and not always.

with BatchServer() as server:
    api = BatchApi(HttpClient(server.base_url, None, 30.0))
"""

from __future__ import annotations

import json
import random
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .teacher import Answer, Exchange, LocalTeacher, chat_completion

PAGE = 3
"""Batches in a page of the list, so that a client has to turn pages."""


@dataclass
class Job:
    """A batch at the provider.

    Attributes:
        number: which one it is, from 0.
        name: what the client calls it in the metadata.
        lines: the requests.
        left: looks until it ends.
        status: how it ends.
        answered: share of the requests that are answered by then; the others are missing, or in the file of errors.
        missing: whether requests without an answer are in neither file.
        files: ids of the files with results and errors.
    """

    number: int
    name: str
    file_id: str
    lines: list[dict[str, Any]]
    left: int = 1
    status: str = "completed"
    answered: float = 1.0
    missing: bool = False
    files: dict[str, str | None] = field(default_factory=dict)
    errors: Any = None


class BatchServer(LocalTeacher):
    """A teacher with a batch API.

    Args:
        plan: changes what becomes of a batch, when it is created.
        answer: as of `LocalTeacher`, also for requests in batches.

    Attributes:
        jobs: all batches.
        paid: custom id → how often it was answered in a batch.
        before: called with method and path before a call is handled: it may return an answer of its own.
        after: likewise, once it was handled.
    """

    def __init__(
        self, plan: Callable[[Job], None] = lambda job: None, answer: Callable[[dict[str, Any]], Answer] | None = None
    ) -> None:
        super().__init__(answer)
        self.jobs: list[Job] = []
        self.paid: Counter[str] = Counter()
        self.files: dict[str, bytes] = {}
        self.calls: list[str] = []
        self.before: Callable[[str, str], Answer | None] = lambda method, path: None
        self.after: Callable[[str, str], Answer | None] = lambda method, path: None
        self._plan, self._api = plan, threading.Lock()

    def respond(self, exchange: Exchange) -> None:
        """See `Loopback.respond`."""
        path = urlsplit(exchange.path).path
        if not path.startswith(("/v1/files", "/v1/batches")):
            super().respond(exchange)
            return
        with self._api:
            call = exchange.command, path
            self.calls.append(" ".join(call))
            instead = self.before(*call)
            said = self._handle(exchange, path) if instead is None else None
            instead = instead or self.after(*call)
        if instead:
            self._act(exchange, {}, instead)
        elif said is None:
            exchange.send_error_json(404, f"no route {exchange.command} {path}")
        else:
            exchange.send(200, said if isinstance(said, bytes) else json.dumps(said).encode())

    def _handle(self, exchange: Exchange, path: str) -> Any:
        method, parts = exchange.command, path.split("/")[2:]
        if (method, parts) == ("POST", ["files"]):
            return self._take(_file_in(exchange.body))
        if method == "GET" and parts[0] == "files" and parts[2:] == ["content"]:
            return self.files.get(parts[1])
        if (method, parts) == ("POST", ["batches"]):
            return self._create(json.loads(exchange.body))
        if (method, parts) == ("GET", ["batches"]):
            return self._list(parse_qs(urlsplit(exchange.path).query))
        if method == "GET" and parts[0] == "batches":
            job = next((job for job in self.jobs if f"batch_{job.number}" == parts[1]), None)
            return job and self._look(job)
        return None

    def _take(self, content: bytes) -> dict[str, Any]:
        name = f"file-{len(self.files)}"
        self.files[name] = content
        return {"id": name, "object": "file", "purpose": "batch", "bytes": len(content)}

    def _create(self, asked: dict[str, Any]) -> dict[str, Any]:
        lines = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        assert len({line["custom_id"] for line in lines}) == len(lines), "a provider refuses a custom id that comes twice"
        assert {(line["method"], line["url"]) for line in lines} == {("POST", asked["endpoint"])}
        job = Job(len(self.jobs), asked["metadata"]["hf_oss_instruct"], asked["input_file_id"], lines)
        self._plan(job)
        self.jobs.append(job)
        return self._object(job, "validating")

    def _list(self, query: dict[str, list[str]]) -> dict[str, Any]:
        newest = self.jobs[::-1]
        if after := query.get("after"):
            newest = [job for job in newest if job.number < int(after[0].removeprefix("batch_"))]
        return {
            "object": "list",
            "data": [self._object(job, "in_progress") for job in newest[:PAGE]],
            "has_more": len(newest) > PAGE,
        }

    def _look(self, job: Job) -> dict[str, Any]:
        job.left -= 1
        if job.left >= 0:
            return self._object(job, "in_progress")
        if not job.files and job.status != "failed":
            self._finish(job)
        return self._object(job, job.status)

    def _finish(self, job: Job) -> None:
        dice = random.Random(job.number)
        shuffled = dice.sample(job.lines, len(job.lines))
        first = round(job.answered * len(shuffled))
        results, errors = [], []
        for line in shuffled[:first]:
            answer = self._answer(line["body"])
            good = answer.status < 400
            body = chat_completion(line["body"], answer) if good else {"error": {"message": answer.text or "on purpose"}}
            self.paid[line["custom_id"]] += good
            response = {"status_code": answer.status, "request_id": "r", "body": body}
            (results if good else errors).append({"id": "x", "custom_id": line["custom_id"], "response": response, "error": None})
        for line in [] if job.missing else shuffled[first:]:
            error = {"code": f"batch_{job.status}", "message": "This request could not be executed in time."}
            errors.append({"id": "x", "custom_id": line["custom_id"], "response": None, "error": error})
        for name, found in (("output_file_id", results), ("error_file_id", errors)):
            written = "\n".join(map(json.dumps, found)).encode()  # without a line end at the end, as some providers write it
            job.files[name] = self._take(written)["id"] if found else None

    def _object(self, job: Job, status: str) -> dict[str, Any]:
        done = round(job.answered * len(job.lines)) if job.files else 0
        counts = {"total": len(job.lines), "completed": done, "failed": 0}
        return {
            "id": f"batch_{job.number}",
            "object": "batch",
            "status": status,
            "input_file_id": job.file_id,
            "metadata": {"hf_oss_instruct": job.name},
            "request_counts": counts,
            "errors": job.errors,
            "output_file_id": job.files.get("output_file_id"),
            "error_file_id": job.files.get("error_file_id"),
        }


def _file_in(body: bytes) -> bytes:
    """The file in a multipart form."""
    boundary = body.split(b"\r\n", 1)[0]
    for part in body.split(boundary):
        head, _, content = part.partition(b"\r\n\r\n")
        if re.search(rb'name="file"', head):
            return content.removesuffix(b"\r\n")
    raise AssertionError("the form has no file")
