"""Resolve the teacher: from the call, `configure`, or the environment, else the embedded one."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from typing import Any

from hf_oss_instruct.credentials import key_from, redacted
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.spec.run import RunSpec
from hf_oss_instruct.spec.teacher import COMMENT_FUNCTION, TRANSFORMERS, TeacherSpec
from hf_oss_instruct.teachers.batches.api import BatchApi
from hf_oss_instruct.teachers.batches.teacher import BatchTeacher
from hf_oss_instruct.teachers.comment_function import CommentFunctionTeacher
from hf_oss_instruct.teachers.fleet import FleetTeacher, key_variable, urls_for
from hf_oss_instruct.teachers.http.client import HttpClient
from hf_oss_instruct.teachers.inference import InferenceTeacher
from hf_oss_instruct.teachers.mixture import MixedTeacher, shares_in
from hf_oss_instruct.teachers.protocol import Server, Teacher, check_teacher

logger = logging.getLogger(__name__)

MAX_TIMEOUT_S = 600.0
"""Deadline of a transport, in seconds. The run has its own, shorter deadline, which it may learn."""

VARIABLES = {
    "model": "OSS_INSTRUCT_MODEL",
    "base_url": "OSS_INSTRUCT_BASE_URL",
    "api_key_env": "OSS_INSTRUCT_API_KEY_ENV",
}
"""Environment variables that name a teacher. The second and third may contain several words, like the repeated flags."""
NO_MODEL = "--base-url and --api-key-env (base_url=, api_key_env=) need --model (model=), the model's name on that server."
_configured: Teacher | None = None


def configure(*, teacher: Teacher | None = None) -> None:
    """Set the teacher that `load_dataset("oss-instruct", …)` uses in this process if the call names none.

    Args:
        teacher: an object of a subclass of `Teacher`, such as `InferenceTeacher("my-model", "http://localhost:8080/v1")`; None
            removes an earlier one.

    Raises:
        UsageError: it is not a teacher.
    """
    global _configured
    if teacher is not None:
        check_teacher(teacher)
    _configured = teacher


def open_teacher(spec: TeacherSpec, *, extra_body: bool = False) -> Teacher:
    """The teacher that the options name, or the embedded one.

    Args:
        spec: the options.
        extra_body: whether further fields of a request are set.

    Raises:
        UsageError: options contradict each other, the object is not a teacher, a server has no model, or there is no key.
    """
    if spec.teacher == TRANSFORMERS:
        return _local_model(spec, extra_body)
    at_server = bool(spec.base_url or spec.api_key_env)
    if spec.teacher is not None and (spec.model or at_server):
        if isinstance(spec.teacher, str):
            raise UsageError(
                f"The teacher {spec.teacher!r} is embedded and uses no model. Leave out --teacher (teacher=), or else --model "
                "(model=), --base-url (base_url=) and --api-key-env (api_key_env=)."
            )
        raise UsageError("teacher= cannot be combined with model=, base_url= or api_key_env=. Leave one of them out.")
    if spec.model:
        return _served(spec)
    if at_server:
        raise UsageError(NO_MODEL)
    if spec.teacher in (None, COMMENT_FUNCTION):
        return CommentFunctionTeacher()
    check_teacher(spec.teacher)
    teacher: Teacher = spec.teacher
    return teacher


def open_model(model: str, spec: TeacherSpec) -> Teacher:
    """A further model, on a server of its own (`--base-url MODEL=URL`) or on that of the teacher.

    Args:
        model: its name.
        spec: the options of the teacher.

    Raises:
        UsageError: as `open_teacher`.
    """
    return open_teacher(replace(spec, teacher=None, model=model))


def with_teachers(spec: RunSpec) -> RunSpec:
    """A run whose tester and solver are teachers, where a command or `load_dataset` names models.

    Args:
        spec: the run.

    Raises:
        UsageError: as `open_teacher`.
    """
    verification = spec.verification
    given = {"tester": verification.tester, "solver": verification.solver} if verification.verify else {}
    return spec.changed(
        verification={name: open_model(model, spec.teacher) for name, model in given.items() if isinstance(model, str)}
    )


def without_batches(spec: TeacherSpec, *, extra_body: bool = False) -> TeacherSpec:
    """The options of a preview, which shows its rows at once, while a batch may take a day.

    Args:
        spec: the options as they were given, for the run after the preview too.
        extra_body: whether further fields of a request are set.

    Raises:
        UsageError: that run would be refused, as `open_teacher`.
    """
    if spec.batch:
        open_teacher(spec, extra_body=extra_body)
    return replace(spec, batch=False)


def resolve_teacher(spec: TeacherSpec, *, extra_body: bool = False, environment: bool = True) -> Teacher:
    """The teacher that the options name, else that of `configure` or the environment, else the embedded one with a warning.

    Args:
        spec: the options.
        extra_body: whether further fields of a request are set.
        environment: whether to read the environment; not for run configs from a repository, which must not spend its money.

    Raises:
        UsageError: as `open_teacher`.
    """
    if spec.teacher is not None or spec.model or spec.base_url or spec.api_key_env:
        return open_teacher(spec, extra_body=extra_body)
    return _configured or (_from_environment(spec) if environment else None) or _embedded()


def requests_go_to(spec: TeacherSpec, teacher: Teacher) -> list[str]:
    """Lines that say where the requests of a run would go: the servers, and the shares of mixed teachers."""
    lines = []
    if isinstance(teacher, MixedTeacher):
        shares = (f"{name} writes about {share:.4g} of the rows" for name, share in teacher.shares.items())
        lines.append(f"# a hash of each seed chooses its teacher: {', '.join(shares)}")
    if len(spec.base_url) > 1:
        servers = ", ".join(map(redacted, spec.base_url))
        lines.append(f"# {len(spec.base_url)} servers, each with up to {spec.concurrency} requests in flight: {servers}")
    if spec.batch:
        lines.append(
            f"# in batches of up to {spec.batch_requests:,} requests, each answered within 24 hours, at half the price if the "
            "provider offers it"
        )
    return lines


def _served(spec: TeacherSpec) -> Teacher:
    assert spec.model
    shares = shares_in(spec.model)
    if len(shares) > 1:
        return MixedTeacher([(_for_model(model, spec), share) for model, share in shares])
    return _for_model(spec.model, spec)


def _for_model(model: str, spec: TeacherSpec) -> Teacher:
    """A model at the server that the options name, or at all of them that serve it."""
    if spec.batch:
        return _in_batches(model, spec)
    if not spec.base_url:
        return _at_server(None, model, spec)
    urls = urls_for(model, spec.base_url)
    if len(spec.base_url) == 1:
        return _at_server(urls[0], model, spec)
    # The name is shown in messages, where no password may be.
    return FleetTeacher([Server(redacted(url), _at_server(url, model, spec), spec.concurrency) for url in urls])


def _in_batches(model: str, spec: TeacherSpec) -> Teacher:
    urls = urls_for(model, spec.base_url)
    if len(urls) != 1:
        raise UsageError(f"--batch needs one server with a batch API for {model!r}, not {len(urls)}. Pass one --base-url.")
    if spec.timeout is not None:
        raise UsageError(
            "--timeout is the deadline of a direct request; a batch takes up to 24 hours. Leave it out with --batch."
        )
    key = key_from(key_variable(urls[0], spec.base_url, spec.api_key_env), urls[0])
    api = BatchApi(HttpClient(urls[0], key, MAX_TIMEOUT_S))
    return BatchTeacher(_at_server(urls[0], model, spec), api, most_requests=spec.batch_requests, concurrency=spec.concurrency)


def _at_server(url: str | None, model: str, spec: TeacherSpec) -> InferenceTeacher:
    if url is None:
        if len(spec.api_key_env) > 1:
            raise UsageError("Inference Providers take one key. Pass --api-key-env once, or name servers with --base-url.")
        variable = next(iter(spec.api_key_env), None)
    else:
        variable = key_variable(url, spec.base_url, spec.api_key_env)
    longest_s = max(spec.timeout or 0.0, MAX_TIMEOUT_S)
    return InferenceTeacher(model, url, api_key=key_from(variable, url), concurrency=spec.concurrency, timeout_s=longest_s)


def _from_environment(spec: TeacherSpec) -> Teacher | None:
    named: dict[str, Any] = {name: os.environ.get(variable) for name, variable in VARIABLES.items()}
    named |= {name: (named[name] or "").split() for name in ("base_url", "api_key_env")}
    if named["model"]:
        return _served(replace(spec, **named))
    if any(named.values()):
        raise UsageError(NO_MODEL)
    return None


def _local_model(spec: TeacherSpec, extra_body: bool) -> Teacher:
    from hf_oss_instruct.teachers.transformers_model import TransformersTeacher

    if spec.batch:
        raise UsageError("--batch needs a model on a server with a batch API, not one in this process. Leave it out.")
    if not spec.model or spec.base_url or spec.api_key_env:
        raise UsageError(
            "The teacher 'transformers' requires --model (model=), a folder or a Hub id, and supports neither --base-url "
            "(base_url=) nor --api-key-env (api_key_env=)."
        )
    if extra_body:
        raise UsageError(
            "The teacher 'transformers' sends no requests, so --extra-body (extra_body=) does not apply. Leave it out."
        )
    return TransformersTeacher(spec.model, batch_size=spec.concurrency)


def _embedded() -> Teacher:
    logger.warning(
        "No teacher was given, so the embedded one is used: it extracts documented functions and needs no "
        "model. Its pairs are for "
        "trying things out, not for training. For real pairs pass model= (and base_url=), or call "
        "hf_oss_instruct.configure(teacher=…)."
    )
    return CommentFunctionTeacher()
