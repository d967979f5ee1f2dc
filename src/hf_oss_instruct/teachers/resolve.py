"""Resolve the teacher: from the call, `configure`, or the environment, else the embedded one."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from typing import Any

from hf_oss_instruct.credentials import key_from
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.spec.teacher import COMMENT_FUNCTION, TRANSFORMERS, TeacherSpec
from hf_oss_instruct.teachers.comment_function import CommentFunctionTeacher
from hf_oss_instruct.teachers.inference import InferenceTeacher
from hf_oss_instruct.teachers.protocol import Teacher

logger = logging.getLogger(__name__)

LONGEST_TIMEOUT_S = 600.0
"""Deadline of a transport, in seconds. The run has its own, shorter deadline, which it may learn."""

VARIABLES = {
    "model": "OSS_INSTRUCT_MODEL",
    "base_url": "OSS_INSTRUCT_BASE_URL",
    "api_key_env": "OSS_INSTRUCT_API_KEY_ENV",
}
"""Environment variables that name a teacher; the third contains the name of the variable with the key, like `--api-key-env`."""
_configured: Teacher | None = None


def configure(*, teacher: Teacher | None = None) -> None:
    """Set the teacher that `load_dataset("oss-instruct", …)` uses in this process if the call names none.

    Args:
        teacher: any object with the `Teacher` protocol, such as `InferenceTeacher("my-model", "http://localhost:8080/v1")`;
            None removes an earlier one.
    """
    global _configured
    _configured = teacher


def open_teacher(spec: TeacherSpec, *, environment: bool = True) -> Teacher:
    """The teacher that a call names, else that of `configure` or the environment, else the embedded one.

    Args:
        spec: the options of the call.
        environment: whether to read the environment; not for run configs from a repository, which must not spend its money.

    Raises:
        UsageError: the name is unknown, a server has no model, or there is no key.
    """
    if spec.teacher is not None and (spec.model or spec.base_url or spec.api_key_env):
        raise UsageError("teacher= cannot be combined with model=, base_url= or api_key_env=. Leave one of them out.")
    if isinstance(spec.teacher, str):
        if spec.teacher != COMMENT_FUNCTION:
            raise UsageError(f"Unknown teacher {spec.teacher!r}. Use {COMMENT_FUNCTION!r}, model=NAME, or a Teacher object.")
        return CommentFunctionTeacher()
    if spec.teacher is not None:
        teacher: Teacher = spec.teacher
        return teacher
    if not spec.model and (spec.base_url or spec.api_key_env):
        raise UsageError("base_url= and api_key_env= need model=, the model's name on that server.")
    if spec.model:
        return _served(spec)
    return _configured or (_named_outside(spec) if environment else None) or _embedded()


def open_named_teacher(spec: TeacherSpec, *, extra_body: bool = False) -> Teacher:
    """The teacher that a command line names, or the embedded one.

    Args:
        spec: the options of the command line.
        extra_body: whether the command line sets further fields of a request.

    Raises:
        UsageError: options contradict each other, or there is no key.
    """
    if spec.teacher == TRANSFORMERS:
        return _local_model(spec, extra_body)
    if spec.model and spec.teacher:
        raise UsageError(f"--teacher {spec.teacher} is embedded and uses no model. Leave out --teacher or --model.")
    if spec.model:
        return _served(spec)
    if spec.base_url or spec.api_key_env:
        raise UsageError("--base-url and --api-key-env need --model, the model's name on that server.")
    return CommentFunctionTeacher()


def _served(spec: TeacherSpec) -> Teacher:
    assert spec.model
    key = key_from(spec.api_key_env, spec.base_url)
    longest_s = max(spec.timeout or 0.0, LONGEST_TIMEOUT_S)
    return InferenceTeacher(spec.model, spec.base_url, api_key=key, concurrency=spec.concurrency, timeout_s=longest_s)


def _named_outside(spec: TeacherSpec) -> Teacher | None:
    named: dict[str, Any] = {name: os.environ.get(variable) for name, variable in VARIABLES.items()}
    if named["model"]:
        return _served(replace(spec, **named))
    if any(named.values()):
        raise UsageError("base_url= and api_key_env= need model=, the model's name on that server.")
    return None


def _local_model(spec: TeacherSpec, extra_body: bool) -> Teacher:
    from hf_oss_instruct.teachers.transformers_model import TransformersTeacher

    if not spec.model or spec.base_url or spec.api_key_env:
        raise UsageError(
            "--teacher transformers requires --model, a folder or a Hub id, and supports neither --base-url nor --api-key-env."
        )
    if extra_body:
        raise UsageError("--teacher transformers sends no requests, so --extra-body does not apply. Leave it out.")
    return TransformersTeacher(spec.model, batch_size=spec.concurrency)


def _embedded() -> Teacher:
    logger.warning(
        "No teacher was given, so the embedded one is used: it extracts documented functions and needs no "
        "model. Its pairs are for "
        "trying things out, not for training. For real pairs pass model= (and base_url=), or call "
        "hf_oss_instruct.configure(teacher=…)."
    )
    return CommentFunctionTeacher()
