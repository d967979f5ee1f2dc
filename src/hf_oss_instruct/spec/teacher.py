"""Options of the teacher: which one, where, how many requests at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hf_oss_instruct.spec.declare import CALLER, Door, option
from hf_oss_instruct.spec.kinds import Choice, Integer, Seconds, Text

COMMENT_FUNCTION, TRANSFORMERS = "comment-function", "transformers"
"""Teachers that run in this process."""


@dataclass(frozen=True, slots=True)
class TeacherSpec:
    """Which teacher to use: a named one, a teacher object, or a model behind a server. `teachers.resolve` opens it."""

    teacher: Any = option(
        None,
        Choice((COMMENT_FUNCTION, TRANSFORMERS), "Unknown teacher {value!r}"),
        "comment-function extracts documented functions and needs no model (the default); transformers runs "
        "--model in this process.",
        flag="--teacher",
        set_by=CALLER,
        section="5.2",
    )
    model: str | None = option(
        None,
        Text(),
        "Model that writes the pairs: alone through Inference Providers, with --base-url on that server.",
        flag="--model",
        set_by=CALLER & ~Door.PYTHON,
    )
    base_url: str | None = option(
        None,
        Text(),
        "Any OpenAI-compatible server: vLLM, SGLang, llama.cpp, TGI, transformers serve, or a provider's base URL as its "
        "documentation has it. /v1 is added only to a URL without a path; a query (Azure's api-version) is kept.",
        flag="--base-url",
        metavar="URL",
        set_by=CALLER & ~Door.PYTHON,
    )
    api_key_env: str | None = option(
        None,
        Text(),
        "Environment variable that holds the server's key.",
        flag="--api-key-env",
        metavar="NAME",
        set_by=CALLER & ~Door.PYTHON,
    )
    concurrency: int = option(16, Integer(1), "Requests in flight at once.", flag="--concurrency", set_by=CALLER, shown=True)
    timeout: float | None = option(
        None,
        Seconds(),
        "Deadline of one request. auto: 600 s until the first answer, then five times the slowest one seen lately (twenty "
        "times, for the first 16), from 30 to 600 s.",
        flag="--timeout",
        metavar="SECONDS|auto",
        set_by=CALLER,
        shown=True,
    )

    @property
    def is_embedded(self) -> bool:
        """Whether a command with these options uses the embedded teacher."""
        return self.teacher in (None, COMMENT_FUNCTION) and not self.model
