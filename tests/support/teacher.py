"""Who answers in tests: an OpenAI-compatible server on the loopback that can also misbehave on purpose.

    with LocalTeacher() as teacher:
        client = AsyncInferenceClient(base_url=teacher.base_url, api_key="EMPTY")

Without arguments every prompt gets a well-formed answer of its own. A function says otherwise:

    LocalTeacher(lambda body: Answer(status=429, headers={"Retry-After": "0"}))
"""

from __future__ import annotations

import hashlib
import json
import random
import socket
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Exchange(BaseHTTPRequestHandler):
    """One request, and the means to answer it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together
    server: _Server
    body: bytes

    def do_GET(self) -> None:
        """Every method ends here: read the body, let the owner answer."""
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            self.server.owner.respond(self)
        except ConnectionError:  # the client gave up first, as clients with a timeout do
            self.drop()
        except Exception:
            # A bug in a test's own callback: the client's error message is the only place where someone will look.
            self.send_error_json(500, traceback.format_exc())

    do_HEAD = do_POST = do_PUT = do_DELETE = do_CONNECT = do_GET

    def send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Answer; to HEAD, with the head alone."""
        self.send_response(status)
        standard = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        for name, value in {**standard, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error_json(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        """Answer with an error in the words of the OpenAI protocol."""
        self.send(status, json.dumps({"error": {"message": message}}).encode(), headers)

    def drop(self) -> None:
        """Close the connection without an answer."""
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the output belongs to pytest."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a hanging request must not hold up the end of a test
    request_queue_size = 1024

    def __init__(self, owner: Loopback, host: str) -> None:
        super().__init__((host, 0), Exchange)
        self.owner, self.open, self.accepted = owner, set[socket.socket](), 0

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        self.accepted += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: what is left here is a connection that broke."""


class Loopback:
    """A threaded HTTP/1.1 server on a free port, alive inside a `with` block.

    Args:
        host: address of this machine that it listens on.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.stopping = threading.Event()
        self._server = _Server(self, host)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.url = f"http://{host}:{self._server.server_port}"

    @property
    def connections(self) -> int:
        """How many connections were opened so far."""
        return self._server.accepted

    def respond(self, exchange: Exchange) -> None:
        """Answer one request; runs in the thread of its connection."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for connection in list(self._server.open):  # idle keep-alive connections would keep their threads waiting
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class Answer:
    """What the teacher does with one request.

    Attributes:
        status: HTTP status; from 400 on the body is `{"error": {"message": text}}`.
        text: the completion, or the error's message; None stands for the well-formed default.
        finish_reason: `stop`, `length`, `content_filter`, …
        headers: further response headers.
        raw: bytes sent as they are instead of any JSON.
        latency_s: wait before answering.
        after: an event to wait for before answering.
        fingerprint: `system_fingerprint`; None leaves it out.
        hang: never answer.
        reset: close the connection without an answer.
        choices_empty: a completion without choices.
        usage: whether token counts are given.
    """

    status: int = 200
    text: str | None = None
    finish_reason: str = "stop"
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    latency_s: float = 0.0
    after: threading.Event | None = None
    fingerprint: str | None = "fp_test"
    hang: bool = False
    reset: bool = False
    choices_empty: bool = False
    usage: bool = True


class LocalTeacher(Loopback):
    """A teacher at `base_url`.

    Args:
        answer: the request's JSON body → what to do. Calls come one at a time, so it may count without a lock.
        host: address of this machine that it listens on.

    Attributes:
        base_url: what a client is given, with `/v1`.
        requests: every chat request in order of arrival: `path`, `headers` (lower-case names), `body`, `client` (its address).
        max_in_flight: the most chat requests that waited for an answer at once.
    """

    def __init__(self, answer: Callable[[dict[str, Any]], Answer] | None = None, host: str = "127.0.0.1") -> None:
        super().__init__(host)
        self.base_url = f"{self.url}/v1"
        self.requests: list[dict[str, Any]] = []
        self.max_in_flight = 0
        self._answer = answer or (lambda body: Answer())
        self._in_flight = 0
        self._lock = threading.Lock()

    def respond(self, exchange: Exchange) -> None:
        """See `Loopback.respond`."""
        if (exchange.command, exchange.path) == ("GET", "/v1/models"):
            exchange.send(200, b'{"object": "list", "data": [{"id": "local-teacher", "object": "model"}]}')
        elif (exchange.command, exchange.path) == ("POST", "/v1/chat/completions"):
            self._chat(exchange)
        else:
            exchange.send_error_json(404, f"no route {exchange.command} {exchange.path}")

    def _chat(self, exchange: Exchange) -> None:
        body = json.loads(exchange.body)
        headers = {name.lower(): value for name, value in exchange.headers.items()}
        with self._lock:
            client = exchange.client_address[0]
            self.requests.append({"path": exchange.path, "headers": headers, "body": body, "client": client})
            self._in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self._in_flight)
        try:
            with self._lock:
                answer = self._answer(body)
            self._act(exchange, body, answer)
        finally:
            # The bytes are still buffered: a client that sends its next request at once is not counted twice.
            with self._lock:
                self._in_flight -= 1

    def _act(self, exchange: Exchange, body: dict[str, Any], answer: Answer) -> None:
        self.stopping.wait(None if answer.hang else answer.latency_s)
        while answer.after and not answer.after.wait(0.02) and not self.stopping.is_set():
            pass
        if answer.reset or answer.hang:
            exchange.drop()
        elif answer.raw is not None:
            exchange.send(answer.status, answer.raw, answer.headers)
        elif answer.status >= 400:
            exchange.send_error_json(answer.status, answer.text or f"status {answer.status} on purpose", answer.headers)
        else:
            exchange.send(answer.status, json.dumps(chat_completion(body, answer)).encode(), answer.headers)


def chat_completion(body: dict[str, Any], answer: Answer) -> dict[str, Any]:
    """The response object of the OpenAI protocol."""
    text = well_formed(body["messages"]) if answer.text is None else answer.text
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": answer.finish_reason}
    completion: dict[str, Any] = {
        "id": f"chatcmpl-{_key(body['messages'])[:12]}",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": body.get("model", "local-teacher"),
        "choices": [] if answer.choices_empty else [choice],
    }
    if answer.fingerprint is not None:
        completion["system_fingerprint"] = answer.fingerprint
    if answer.usage:
        asked, said = len(json.dumps(body["messages"]).split()), len(text.split())
        completion["usage"] = {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
    return completion


STEPS: tuple[tuple[str, str], ...] = (
    ("Drop every {noun} that is negative.", "values = [value for value in values if value >= 0]"),
    ("Sort what is left, the largest {noun} first.", "values = sorted(values, reverse=True)"),
    ("A {noun} that was seen before counts only once.", "values = list(dict.fromkeys(values))"),
    ("Replace each {noun} by its square modulo {n}.", "values = [value * value % {n} for value in values]"),
    ("Keep a {noun} only if {n} does not divide it.", "values = [value for value in values if value % {n}]"),
    ("Add to each {noun} its position, counted from {n}.", "values = [v + at for at, v in enumerate(values, {n})]"),
    ("Turn the sequence of {noun}s around.", "values = values[::-1]"),
    ("From the {noun}s, form the running totals.", "values = [sum(values[: at + 1]) for at in range(len(values))]"),
    ("Cap every {noun} at {n}.", "values = [min(value, {n}) for value in values]"),
    ("Take the distance of each {noun} from {n}.", "values = [abs(value - {n}) for value in values]"),
    ("Of the {noun}s, pick every second one.", "values = values[::2]"),
    ("Shift the {noun}s to the left by one place, in a circle.", "values = values[1:] + values[:1]"),
)
NOUNS = ("reading", "price", "offset", "score", "delay", "weight", "packet size", "balance", "height", "vote", "index")


def well_formed(messages: list[dict[str, Any]]) -> str:
    """A problem and its solution, a function of the messages alone.

    The steps are drawn anew for each prompt, so that two answers are no near-duplicates of each other either.
    """
    key = _key(messages)
    dice = random.Random(key)
    noun, name = dice.choice(NOUNS), f"transform_{key[:10]}"
    drawn = [(dice.randint(2, 99), step) for step in dice.sample(STEPS, k=5)]
    prose = "\n".join(f"{at}. {text.format(noun=noun, n=n)}" for at, (n, (text, _)) in enumerate(drawn, 1))
    code = "\n".join(f"    {line.format(n=n)}" for n, (_, line) in drawn)
    return (
        f"[Problem Description]\nYou are given a list of whole numbers; each is a {noun}. Write a Python function "
        f"`{name}(values)` that does the following in this order and returns the new list:\n{prose}\n\n"
        f"[Solution]\n```python\ndef {name}(values: list[int]) -> list[int]:\n{code}\n    return values\n```\n"
    )


def _key(messages: list[dict[str, Any]]) -> str:
    return hashlib.sha256(json.dumps(messages, sort_keys=True).encode()).hexdigest()


def chained(body: dict[str, Any]) -> Answer:
    """Answers every question on the way from a seed to a pair: concepts, a pair, the pair in another form."""
    key = _key(body["messages"])
    asks_for_concepts = body["messages"][-1]["content"].startswith("Which programming concepts")
    return Answer(text=f"- integer addition\n- idea {key[:8]}" if asks_for_concepts else well_formed(body["messages"]))
