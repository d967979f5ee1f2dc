"""Which teacher answers where a call may name none: the call's, `configure`'s, the environment's, or the embedded one."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

from hf_oss_instruct.credentials import key_from
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.teachers.comment_function import CommentFunctionTeacher
from hf_oss_instruct.teachers.inference import InferenceTeacher
from hf_oss_instruct.teachers.protocol import Teacher

logger = logging.getLogger(__name__)

MODEL, BASE_URL, API_KEY_ENV = "OSS_INSTRUCT_MODEL", "OSS_INSTRUCT_BASE_URL", "OSS_INSTRUCT_API_KEY_ENV"
"""Environment variables that name a teacher; the third holds the name of the variable with the key, as `--api-key-env` does."""
EMBEDDED = "comment-function"
_configured: Teacher | None = None


def configure(*, teacher: Teacher | None = None) -> None:
    """Set the teacher that `load_dataset("oss-instruct", …)` uses in this process where the call names none.

    Args:
        teacher: any object with the `Teacher` protocol, such as `InferenceTeacher("my-model", "http://localhost:8080/v1")`;
            None takes an earlier one back.
    """
    global _configured
    _configured = teacher


@dataclass(frozen=True)
class TeacherChoice:
    """What a call says of its teacher.

    Attributes:
        teacher: a teacher, or the name `comment-function` of the embedded one.
        model, base_url, api_key_env: a model behind a server, as `InferenceTeacher` and `key_from` take them.
        concurrency: requests in flight at once.
    """

    teacher: Teacher | str | None = None
    model: str | None = None
    base_url: str | None = None
    api_key_env: str | None = None
    concurrency: int = 16

    def open(self, *, environment: bool = True) -> Teacher:
        """The teacher.

        Args:
            environment: whether the environment may name it; not for what a stranger's recipe would spend.

        Raises:
            UsageError: a name we do not know, a server without a model, or a key that is not there.
        """
        if self.teacher is not None and (self.model or self.base_url or self.api_key_env):
            raise UsageError("teacher= is a whole teacher and takes no model=, base_url= or api_key_env=. Leave one of them out.")
        if isinstance(self.teacher, str):
            if self.teacher != EMBEDDED:
                raise UsageError(f"Unknown teacher {self.teacher!r}. Use {EMBEDDED!r}, model=NAME, or a Teacher object.")
            return CommentFunctionTeacher()
        if self.teacher is not None:
            return self.teacher
        return self._served(self) or _configured or (self._named_outside() if environment else None) or _embedded()

    def _named_outside(self) -> Teacher | None:
        where = os.environ.get
        return self._served(TeacherChoice(None, where(MODEL), where(BASE_URL), where(API_KEY_ENV), self.concurrency))

    @staticmethod
    def _served(named: TeacherChoice) -> Teacher | None:
        if named.model:
            key = key_from(named.api_key_env, named.base_url)
            return InferenceTeacher(named.model, named.base_url, api_key=key, concurrency=named.concurrency)
        if named.base_url or named.api_key_env:
            raise UsageError("base_url= and api_key_env= need model=, the model's name on that server.")
        return None


def is_embedded(teacher: Teacher) -> bool:
    """Whether a teacher is the embedded one, which costs nothing and needs documented functions as seeds."""
    return isinstance(teacher, CommentFunctionTeacher)


def _embedded() -> Teacher:
    logger.warning(
        "No teacher is named: the embedded one serves, which mines pairs from comments without a model. Good for trying things "
        "out, not for training. For real pairs pass model= (and base_url=), or call hf_oss_instruct.configure(teacher=…)."
    )
    return CommentFunctionTeacher()
