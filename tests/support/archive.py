"""Who holds the text of The Stack v2 in tests: a bucket that answers as S3 does, and can also misbehave on purpose."""

from __future__ import annotations

import gzip
import threading
import time
from collections import Counter

from tests.support.teacher import Exchange, Loopback

ERROR = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{code}</Message></Error>'


def packed(texts: dict[str, bytes]) -> dict[str, bytes]:
    """Blob id → text, as key → bytes in the bucket."""
    return {f"content/{blob_id}": gzip.compress(text) for blob_id, text in texts.items()}


class LocalBucket(Loopback):
    """An S3 server with the bucket `softwareheritage`, path style, anonymous GET.

    Attributes:
        blobs: key → bytes as they lie there.
        busy: how many requests for each key are answered with 503 SlowDown before it is given.
        latency_s: how long each answer takes.
        asked: how often each key was asked for.
        most_at_once: the largest number of requests that were open at the same time.
    """

    def __init__(self, texts: dict[str, bytes] | None = None) -> None:
        super().__init__()
        self.blobs = packed(texts or {})
        self.busy, self.asked, self.latency_s = 0, Counter[str](), 0.0
        self.most_at_once, self._open, self._lock = 0, 0, threading.Lock()

    def respond(self, exchange: Exchange) -> None:
        with self._lock:
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
        try:
            time.sleep(self.latency_s)
            self._answer(exchange)
        finally:
            with self._lock:
                self._open -= 1

    def _answer(self, exchange: Exchange) -> None:
        bucket, _, key = exchange.path.strip("/").partition("/")
        self.asked[key] += 1
        if self.asked[key] <= self.busy:
            self._error(exchange, 503, "SlowDown")
        elif exchange.headers.get("Authorization"):
            self._error(exchange, 400, "AuthorizationHeaderMalformed")
        elif bucket != "softwareheritage" or key not in self.blobs:
            self._error(exchange, 404, "NoSuchKey")
        else:
            exchange.send(200, self.blobs[key], {"Content-Type": "binary/octet-stream"})

    def _error(self, exchange: Exchange, status: int, code: str) -> None:
        exchange.send(status, ERROR.format(code=code).encode(), {"Content-Type": "application/xml"})
