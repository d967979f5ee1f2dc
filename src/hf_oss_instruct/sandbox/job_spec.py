"""The job spec sent to a fork server and its init process: files, steps, limits. One line of JSON, then the files' bytes."""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

from hf_oss_instruct.code.toolchains import Toolchain, find_executable, toolchain
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.sandbox.limits import COMPILE, Limits
from hf_oss_instruct.sandbox.mounts import PYTHON, shown_at
from hf_oss_instruct.sandbox.prebuilt import prebuilt

# Tier name, libraries to preload, the folders they are in, further files and folders a program may read, and the value of
# PYTHONHASHSEED; None for a random one.
ForkServerKey = tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...], int | None]
LIBRARIES = ("numpy", "pandas")  # preloaded for programs that import them
_IMPORT = re.compile(rf"^\s*(?:import|from)\s+({'|'.join(LIBRARIES)})\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A run, ready to be sent.

    Attributes:
        key: which fork server runs it.
        payload: the message that the init process reads.
        max_wall_s: the wall time limits of its steps, summed, in seconds.
        memory_mib: the memory limit of each step, in MiB.
        confirm_errors: whether a compile error must be confirmed without prebuilt files.
    """

    key: ForkServerKey
    payload: bytes
    max_wall_s: float
    memory_mib: tuple[int, ...]
    confirm_errors: bool = False


def python(
    source: str,
    files: Mapping[str, bytes],
    limits: Limits,
    tier: str,
    *,
    fresh: bool = False,
    hash_seed: int | None = None,
    packages: tuple[str, ...] = (),
) -> JobSpec:
    """Describe a run of a Python program.

    Args:
        source: source code of the program.
        files: further files for its working folder: relative path → content.
        limits: resource limits of the run.
        tier: name of the sandbox tier.
        fresh: start a new interpreter; otherwise the program runs in a fork of the fork server.
        hash_seed: value of `PYTHONHASHSEED`; None for a random one.
        packages: folders of packages that the program may import.

    Raises:
        UsageError: a file is outside the working folder.
    """
    preload = _libraries(source, files)
    packages = (*packages, *_folders_of(preload))
    argv = [shown_at(PYTHON, tier), "-s", "{source}"] if fresh else None
    environment = {"PYTHONPATH": ":".join(shown_at(path, tier) for path in packages)} if fresh and packages else {}
    step = _step("program.py", argv, environment, limits, limits_address_space=True)
    return _job((tier, preload, packages, (), hash_seed), "program.py", source, files, limits, [step])


def compiled(
    source: str, language: str, files: Mapping[str, bytes], limits: Limits, tier: str, *, from_scratch: bool = False
) -> JobSpec:
    """Describe a run of a program in any other language: compile it if needed, then run it.

    Args:
        source: source code of the program.
        language: its language, see `languages.LANGUAGES`.
        files: further files for the working folder: relative path → content.
        limits: resource limits of the run.
        tier: name of the sandbox tier.
        from_scratch: do not use prebuilt files.

    Raises:
        UsageError: the language is not supported.
        ToolchainMissingError: its compiler or interpreter is not installed.
    """
    tools = toolchain(language)
    key, steps, confirm_errors = _compile_and_run(tools, language, source, limits, tier, from_scratch)
    job = _job(key, tools.source_name, source, files, limits, steps)
    return replace(job, confirm_errors=confirm_errors)


def many(
    source: str,
    language: str,
    files: Mapping[str, bytes],
    limits: Limits,
    tier: str,
    runs: Sequence[tuple[Mapping[str, str], bytes]],
    boundary: str,
    *,
    compile_goes_on: bool = False,
    shares_time: bool = False,
    from_scratch: bool = False,
) -> JobSpec:
    """Describe a program that is compiled once and run several times, each time with other environment variables and input.

    Args:
        source: source code of the program.
        language: its language, see `languages.LANGUAGES`.
        files: further files for the working folder: relative path → content.
        limits: resource limits of each run.
        tier: name of the sandbox tier.
        runs: environment variables and standard input of each run.
        boundary: line that separates the output of one run from the next.
        compile_goes_on: run the program even if the compiler reports errors.
        shares_time: the limits of CPU and wall time apply to all runs together.
        from_scratch: do not use prebuilt files.

    Raises:
        UsageError, ToolchainMissingError: see `compiled`.
    """
    inputs = [stdin for _, stdin in runs]
    if language == "python":
        once = _step("program.py", None, {}, limits, limits_address_space=True)
        steps = [once | {"env": dict(environment), "continue_on_error": True} for environment, _ in runs]
        preload = _libraries(source, files)
        job = _job(
            (tier, preload, _folders_of(preload), (), 0),
            "program.py",
            source,
            files,
            limits,
            steps,
            inputs,
            boundary,
            shares_time=shares_time,
        )
        # All runs share a control group: a message has room for two groups (`container_init.MAX_FDS`).
        return replace(job, memory_mib=job.memory_mib[:1])
    tools = toolchain(language)
    key, (*compiles, once), confirm_errors = _compile_and_run(tools, language, source, limits, tier, from_scratch)
    each = [once | {"env": {**once["env"], **environment}, "continue_on_error": True} for environment, _ in runs]
    steps = [*(step | {"continue_on_error": compile_goes_on} for step in compiles), *each]
    job = _job(key, tools.source_name, source, files, limits, steps, inputs, boundary, shares_time=shares_time)
    # One group for the compiler and one for all runs, as above.
    return replace(job, confirm_errors=confirm_errors, memory_mib=job.memory_mib[:2])


def _job(
    key: ForkServerKey,
    source_name: str,
    source: str,
    files: Mapping[str, bytes],
    limits: Limits,
    steps: list[dict[str, Any]],
    inputs: Sequence[bytes] = (),
    boundary: str = "",
    *,
    shares_time: bool = False,
) -> JobSpec:
    # Answers of models can contain lone surrogates: the program is to fail on them, not the caller.
    everything = {source_name: source.encode("utf-8", "surrogatepass"), **files}
    for name in everything:
        path = PurePosixPath(name)
        # The init process writes these files, outside of the restrictions of the program.
        if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
            raise UsageError(f"The file {name!r} is outside the working folder. Use a relative path without '..'.")
    header = {
        "steps": steps,
        "shm_mib": limits.disk_mib,
        "files": [(name, len(content)) for name, content in everything.items()],
        "inputs": list(map(len, inputs)),
        "boundary": boundary,
        "shares_time": shares_time,
    }
    payload = json.dumps(header).encode() + b"\n" + b"".join(everything.values()) + b"".join(inputs)
    return JobSpec(key, payload, sum(step["wall_s"] for step in steps), tuple(step["memory_mib"] for step in steps))


def _compile_and_run(
    tools: Toolchain, language: str, source: str, limits: Limits, tier: str, from_scratch: bool
) -> tuple[ForkServerKey, list[dict[str, Any]], bool]:
    """Return the fork server, the steps, and whether a compile error must be confirmed without prebuilt files."""
    files = None if from_scratch else prebuilt(language, source)
    key: ForkServerKey = tier, (), (), (*_roots(tools), *((files.folder,) if files else ())), None
    options = [option.replace("{prebuilt}", shown_at(files.folder, tier)) for option in files.options] if files else []
    return key, _steps(tools, limits, options, tier), files is not None and files.confirm_errors


def _steps(tools: Toolchain, limits: Limits, options: list[str], tier: str) -> list[dict[str, Any]]:
    steps = []
    for command, allowed, compiles in ((tools.compile, COMPILE, True), (tools.run, limits, False)):
        if command:
            installed = find_executable(command[0])
            argv = [shown_at(installed, tier) if installed else command[0], *(options if compiles else []), *command[1:]]
            step = _step(tools.source_name, argv, tools.env, allowed, limits_address_space=tools.limits_address_space)
            steps.append(step | {"compiles": compiles})
    return steps


def _step(
    program: str, argv: list[str] | None, env: Mapping[str, str], limits: Limits, *, limits_address_space: bool
) -> dict[str, Any]:
    return {
        "program": program,
        "argv": argv,
        "env": dict(env),
        "compiles": False,
        "continue_on_error": False,
        "limits_address_space": limits_address_space,
        **{field.name: getattr(limits, field.name) for field in fields(limits)},
    }


def _roots(tools: Toolchain) -> tuple[str, ...]:
    """List the folders of a toolchain that is not installed under /usr."""
    # Two levels up from the executable (`…/bin/node`): compilers and interpreters read files next to `bin`, such as `lib`.
    paths = [os.path.realpath(path) for name in tools.needs if (path := find_executable(name))]
    return tuple(sorted({str(Path(path).parents[1]) for path in paths if not path.startswith("/usr/")}))


def _libraries(source: str, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """List the preloaded libraries that a Python program and its modules import."""
    texts = [source, *(content.decode("utf-8", "replace") for name, content in files.items() if name.endswith(".py"))]
    return tuple(sorted({name for text in texts for name in _IMPORT.findall(text)}))


@functools.cache
def _folders_of(libraries: tuple[str, ...]) -> tuple[str, ...]:
    """List the folders of the given libraries in this Python environment."""
    specs = (find_spec(name) for name in libraries)
    return tuple(sorted({str(Path(spec.origin).parents[1]) for spec in specs if spec and spec.origin}))
