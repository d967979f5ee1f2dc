"""Fetch the text of The Stack v2 and stack-edu from Software Heritage's public bucket, lazily and many files at once.

A row contains a blob's id; the bucket contains `content/ID`, compressed. Public objects on S3 can be read by plain
GET, through fsspec's HTTP client. Fetched blobs are cached below `$HF_HOME`, so that a run that is continued fetches nothing
twice. `AWS_ENDPOINT_URL_S3` names another server, as it does for every S3 client.
"""

from __future__ import annotations

import os
import random
import re
import time
import zlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from hf_oss_instruct.code.syntax import MAX_SOURCE_CHARS
from hf_oss_instruct.data import Provenance, Skipped
from hf_oss_instruct.errors import SeedError
from hf_oss_instruct.seeds.vectorized import DocumentBatch, TextBuffer
from hf_oss_instruct.storage.cache import cache_folder, write_cached
from hf_oss_instruct.terminal.display import error_message

BUCKET = "softwareheritage/content"
ENDPOINT = "https://s3.us-east-1.amazonaws.com"
BLOB_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
INITIAL_DOWNLOADS, MAX_DOWNLOADS = 4, 64
"""Concurrent downloads: few at first, because a preview needs few, then twice as many each time."""
ATTEMPTS, TIMEOUT_S = 6, 60.0
WITH_TEXT = "HuggingFaceCode/stack-v3-train, bigcode/the-stack or stdlib"
SLOW_CODECS = frozenset({"idna", "punycode"})
"""Codecs whose decoders are quadratic in the length of the text; no source file uses them."""


class Archive:
    """Blobs of Software Heritage.

    Args:
        endpoint: an S3 server; None for `AWS_ENDPOINT_URL_S3`, else Amazon's.
        cache: folder of fetched blobs; None for `$HF_HOME/oss-instruct/software-heritage`.
        longest_pause_s: longest pause before a retry, in seconds.
    """

    def __init__(self, endpoint: str | None = None, cache: Path | None = None, longest_pause_s: float = 20.0) -> None:
        self._endpoint, self._cache_at, self._longest_pause_s, self._ahead = endpoint, cache, longest_pause_s, INITIAL_DOWNLOADS

    def filled(
        self,
        items: list[Provenance | Skipped],
        blob_ids: Iterable[str | None],
        encodings: Iterable[str | None],
        sizes: Iterable[int | None],
    ) -> Iterator[DocumentBatch]:
        """Fetch the texts of documents, some at a time.

        Args:
            items: the provenance of each; those that are skipped are not fetched.
            blob_ids: their ids in the bucket.
            encodings: their encodings; UTF-8 if empty.
            sizes: their sizes in bytes, if known; those that are too large are not fetched.

        Raises:
            SeedError: the bucket cannot be reached.
        """
        rows = list(zip(items, blob_ids, encodings, sizes, strict=True))
        while rows:
            some, rows = rows[: self._ahead], rows[self._ahead :]
            self._ahead = min(2 * self._ahead, MAX_DOWNLOADS)
            yield self._batch(some)

    def _batch(self, rows: list[tuple[Provenance | Skipped, str | None, str | None, int | None]]) -> DocumentBatch:
        small = [id for item, id, _, size in rows if isinstance(item, Provenance) and id and (size or 0) <= MAX_SOURCE_CHARS]
        # Ids come from tables of others, and become part of a URL and of a path.
        blobs = self.fetch({id for id in small if BLOB_ID.fullmatch(id)})
        items, texts = [], []
        for item, id, encoding, size in rows:
            text: str | Skipped = ""
            if isinstance(item, Provenance):
                text = _text(blobs.get(id or ""), encoding or "utf-8", size or 0, item.lang)
            items.append(text if isinstance(text, Skipped) else item)
            texts.append("" if isinstance(text, Skipped) else text)
        return DocumentBatch(items, TextBuffer.of(pa.array(texts, pa.large_string())))

    def fetch(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Fetch blobs as they are stored in the bucket; ids that do not exist are left out.

        Raises:
            SeedError: the bucket cannot be reached.
        """
        blobs: dict[str, bytes] = {}
        left = sorted(ids)
        for blob_id in left:
            if (path := self._cached(blob_id)).is_file():
                blobs[blob_id] = path.read_bytes()
        left = [blob_id for blob_id in left if blob_id not in blobs]
        for attempt in range(ATTEMPTS):
            answers = self._get(left)
            left = [blob_id for blob_id in left if _failed(answers[blob_id])]
            for blob_id, answer in answers.items():
                if isinstance(answer, bytes):
                    blobs[blob_id] = answer
                    write_cached(self._cached(blob_id), answer)
            if not left:
                return blobs
            time.sleep(min(2.0**attempt, self._longest_pause_s) * random.uniform(0.5, 1) if attempt < ATTEMPTS - 1 else 0)
        error = answers[left[0]]
        assert isinstance(error, BaseException)
        more = f" and {len(left) - 1:,} more" if len(left) > 1 else ""
        raise SeedError(
            f"{self._server} does not return the text of {left[0]}{more}: {_failure(error)}. "
            f"This dataset contains only ids. Try again later, or use one that contains its text: {WITH_TEXT}."
        )

    def _get(self, ids: list[str]) -> dict[str, bytes | BaseException]:
        """Id → the blob, or the error."""
        from huggingface_hub.constants import is_offline_mode

        if not ids:
            return {}
        if is_offline_mode():
            raise SeedError(
                f"The text of {ids[0]} is stored at Software Heritage, and HF_HUB_OFFLINE is set. Unset it, or use a "
                f"dataset that contains its text: {WITH_TEXT}."
            )
        urls = {f"{self._server}/{BUCKET}/{blob_id}": blob_id for blob_id in ids}
        answers = self._client.cat(list(urls), on_error="return", batch_size=MAX_DOWNLOADS)
        return {urls[url]: answer for url, answer in answers.items()}

    @property
    def _server(self) -> str:
        configured = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        return (self._endpoint or configured or ENDPOINT).rstrip("/")

    @cached_property
    def _client(self) -> Any:
        import aiohttp
        from fsspec import filesystem

        # `trust_env` for proxies; no credentials are sent to the bucket.
        return filesystem("http", client_kwargs={"timeout": aiohttp.ClientTimeout(total=TIMEOUT_S), "trust_env": True})

    def _cached(self, blob_id: str) -> Path:
        folder = self._cache_at or cache_folder("software-heritage")
        return folder / blob_id[:2] / blob_id


def _failed(answer: bytes | BaseException) -> bool:
    """Whether a retry may help. S3 answers 403 for a missing object if the client may not list the bucket."""
    return not isinstance(answer, bytes | FileNotFoundError) and _status(answer) not in (403, 404, 410)


def _failure(error: BaseException) -> str:
    status = _status(error)
    return f"HTTP {status}" if status else error_message(error)


def _status(answer: bytes | BaseException) -> int | None:
    """The HTTP status of an error; None if the server did not answer."""
    from aiohttp import ClientResponseError

    return answer.status if isinstance(answer, ClientResponseError) else None


def _text(blob: bytes | None, encoding: str, size: int, lang: str) -> str | Skipped:
    if size > MAX_SOURCE_CHARS:
        return Skipped("too_large", lang)
    if blob is None:
        return Skipped("not_archived", lang)
    try:
        data = _plain(blob)
        # No codec is called "slow": the file counts as one of unknown encoding.
        text = data.decode("slow" if encoding.lower() in SLOW_CODECS else encoding)
    except zlib.error:
        return Skipped("broken", lang)
    except LookupError:
        return Skipped("unknown_encoding", lang)
    except ValueError:
        return Skipped("wrong_encoding", lang)
    if len(data) > MAX_SOURCE_CHARS:
        return Skipped("too_large", lang)
    # Some codecs give lone surrogates, which Arrow cannot store.
    return Skipped("binary", lang) if "\0" in text[:8192] else text.encode(errors="replace").decode()


def _plain(blob: bytes) -> bytes:
    """Decompress at most one byte more than `MAX_SOURCE_CHARS`: what expands to gigabytes is not a source file."""
    # The HTTP client has decompressed it already.
    if not blob.startswith(b"\x1f\x8b"):
        return blob
    unpack = zlib.decompressobj(wbits=31)
    return unpack.decompress(blob, MAX_SOURCE_CHARS + 1)
