"""Options of the teacher: which one, where, how many requests at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.spec.declare import CALLER, Interface, documented, normalize, option
from hf_oss_instruct.spec.option_types import Choice, Integer, Repeated, Seconds, Switch, Text, typed

COMMENT_FUNCTION, TRANSFORMERS = "comment-function", "transformers"
"""Teachers that run in this process."""
WINDOW_PER_REQUEST = 64
"""Items that may be ahead of the next row, as a multiple of the requests in flight: a slow answer delays rows, not requests."""


@dataclass(frozen=True)
class Servers(Repeated):
    """URLs of servers, one by one or in files with a URL on each line; `#` begins a comment."""

    expected = "a URL, a file of URLs, or a list of them"

    def from_flag(self, value: Sequence[str]) -> tuple[str, ...]:
        """See `OptionType.from_flag`."""
        return self.from_python(value)

    def from_python(self, value: str | Sequence[str] | None) -> tuple[str, ...]:
        """See `OptionType.from_python`."""
        # Each server once: a second entry would get a second share of the requests.
        return tuple(dict.fromkeys(url for word in _words(value) for url in _read_urls(word)))


@dataclass(frozen=True)
class Strings(Repeated):
    """One string or several."""

    expected = "a string, or a list of strings"

    def from_python(self, value: str | Sequence[str] | None) -> tuple[str, ...]:
        """See `OptionType.from_python`."""
        return _words(value)


@dataclass(frozen=True)
class TeacherName(Choice):
    """The name of a teacher in this process or, in Python, a teacher object, which `teachers.resolve` checks."""

    def from_python(self, value: Any) -> Any:
        """See `OptionType.from_python`."""
        return super().from_python(value) if isinstance(value, str) else value


def _words(value: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None) -> tuple[str, ...]:
    words = (value,) if isinstance(value, str | bytes | os.PathLike) else tuple(value or ())
    return tuple(typed(os.fspath(word), str) for word in words)


def _read_urls(value: str) -> list[str]:
    """The URLs in a file, or the URL itself."""
    path = Path(value)
    if "://" in value or not path.is_file():
        return [value]
    try:
        lines = [line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--base-url {value!r} cannot be read: {error}. Pass a text file with one URL per line.") from error
    if not any(lines):
        raise UsageError(f"--base-url {value!r} contains no URL. Write one per line.")
    return [line for line in lines if line]


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class TeacherSpec:
    """Which teacher to use: a named one, a teacher object, or a model behind a server. `teachers.resolve` opens it."""

    teacher: Any = option(
        None,
        TeacherName((COMMENT_FUNCTION, TRANSFORMERS), "Unknown teacher {value!r}"),
        "comment-function extracts documented functions and needs no model (the default of synthesize and preview); "
        "transformers runs --model in this process.",
        python_help="A teacher object; `comment-function` (the default), which extracts documented functions and needs no "
        "model; or `transformers`, which runs `model` in this process.",
        flag="--teacher",
        set_by=CALLER,
        section="5.2",
    )
    model: str | None = option(
        None,
        Text(),
        "Model that answers: on the server at --base-url, or else through Inference Providers. a=0.7,b=0.3 mixes models by "
        "share, chosen by a hash of the seed or row.",
        python_help="Model that answers: on the server at `base_url`, or else through Inference Providers. "
        "`a=0.7,b=0.3` mixes models by share, chosen by a hash of the seed or row.",
        flag="--model",
        set_by=CALLER & ~Interface.PYTHON,
    )
    base_url: tuple[str, ...] = option(
        (),
        Servers(),
        "Any OpenAI-compatible server: vLLM, SGLang, llama.cpp, TGI, transformers serve, or a provider's base URL, as documented "
        "there. /v1 is added only to a URL without a path; a query (Azure's api-version) is kept. For several servers, repeat it "
        "or pass a file with one URL per line: requests go to the least loaded one. MODEL=URL is for one model.",
        python_help="OpenAI-compatible servers, as URLs or files with one URL per line. Requests go to the least loaded one. "
        "/v1 is added only to a URL without a path. `MODEL=URL` is for one model.",
        flag="--base-url",
        metavar="URL",
        set_by=CALLER & ~Interface.PYTHON,
    )
    api_key_env: tuple[str, ...] = option(
        (),
        Strings(),
        "Environment variable that holds the server's key. With several hosts: HOST=NAME, once for each that needs a key.",
        python_help="Environment variables that hold the servers' keys. With several hosts: `HOST=NAME`, one for each that needs "
        "a key.",
        flag="--api-key-env",
        metavar="NAME",
        set_by=CALLER & ~Interface.PYTHON,
    )
    concurrency: int = option(
        16, Integer(1), "Requests in flight at once, for each server.", flag="--concurrency", set_by=CALLER, shown=True
    )
    timeout: float | None = option(
        None,
        Seconds(),
        "Timeout of a request. auto: 600 s until the first answer, then five times the slowest recent one (twenty times "
        "for the first 16), between 30 and 600 s.",
        python_help="Timeout of a request in seconds. None: 600 until the first answer, then five times the slowest recent one "
        "(twenty times for the first 16), between 30 and 600.",
        flag="--timeout",
        metavar="SECONDS|auto",
        set_by=CALLER,
        shown=True,
    )
    batch: bool = option(
        False,
        Switch(),
        "Send requests through the server's batch API (OpenAI's files and batches), which often costs half and takes up to 24 "
        "hours. After a stop, the same command continues and pays for nothing twice. Not for previews.",
        python_help="Send requests through the server's batch API (OpenAI's files and batches), which often costs half and takes "
        "up to 24 hours.",
        flag="--batch",
        set_by=Interface.COMMAND,
    )
    batch_requests: int = option(
        50_000,
        Integer(1),
        "With --batch: maximum number of requests in a batch. Twice as many are in flight.",
        python_help="With `batch`: maximum number of requests in a batch. Twice as many are in flight.",
        flag="--batch-requests",
        set_by=Interface.COMMAND,
        shown=True,
    )

    def __post_init__(self) -> None:
        normalize(self)

    @property
    def in_flight(self) -> int:
        """The most requests in flight, those to all servers and in all batches together."""
        if self.batch:
            # So that one batch can be collected while another one is being answered.
            return 2 * self.batch_requests
        return self.concurrency * max(len(self.base_url), 1)

    @property
    def window_size(self) -> int:
        """The most items in work, from the one whose outcome is next."""
        return self.in_flight * (2 if self.batch else WINDOW_PER_REQUEST)
