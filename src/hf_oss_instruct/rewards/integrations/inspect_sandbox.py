"""The sandbox as one of inspect_ai's: `sandbox="oss_instruct"` in a task, without Docker.

Each command runs in a new sandbox, in the folder that earlier commands left: files stay, processes do not. Paths are below
the working folder, `/tmp` in the sandbox. The network is disabled.
"""

from __future__ import annotations

import base64
import functools
import json
import os
from pathlib import PurePosixPath
from typing import Any, Literal, overload

import anyio.to_thread
from inspect_ai.util import (
    ExecResult,
    SandboxEnvironment,
    SandboxEnvironmentConfigType,
    SandboxUnavailableError,
    SandboxUserUnsupportedError,
    sandboxenv,
)

from hf_oss_instruct.errors import OssInstructError
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.sandbox.run import run_program
from hf_oss_instruct.structured import any_json

HOME = PurePosixPath("/tmp")
# The files of the folder come back through standard output, hence its size.
LIMITS = Limits(cpu_s=60.0, wall_s=120.0, memory_mib=2048, disk_mib=256, output_bytes=512 << 20)
MAX_OUTPUT_BYTES = 10 << 20
"""Bytes of each stream of a command that are kept, as inspect_ai does: the end of it."""
_HARNESS = """
import base64, json, os, subprocess, sys
job = json.loads(sys.stdin.read())
os.remove("program.py")
os.makedirs(job["cwd"], exist_ok=True)
environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": os.getcwd(), "LANG": "C.UTF-8", **job["env"]}
try:
    done = subprocess.run(job["cmd"], input=base64.b64decode(job["input"]), capture_output=True, cwd=job["cwd"], env=environment)
    code, streams = done.returncode, (done.stdout, done.stderr)
except OSError as error:
    code, streams = 127 if isinstance(error, FileNotFoundError) else 126, (b"", str(error).encode())
files = {}
for folder, _, names in os.walk("."):
    for name in names:
        path = os.path.join(folder, name)
        if os.path.isfile(path) and not os.path.islink(path):
            with open(path, "rb") as file:
                files[os.path.relpath(path)] = base64.b64encode(file.read()).decode()
encoded = [base64.b64encode(stream[-job["shown"]:]).decode() for stream in streams]
print(json.dumps({"code": code, "streams": encoded, "files": files}))
"""


@sandboxenv(name="oss_instruct")
class OssInstructSandbox(SandboxEnvironment):
    """A folder of files, and commands that run in it one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self._files: dict[str, bytes] = {}

    @classmethod
    async def sample_init(
        cls, task_name: str, config: SandboxEnvironmentConfigType | None, metadata: dict[str, str]
    ) -> dict[str, SandboxEnvironment]:
        """Make the environment of a sample: an empty folder.

        Args:
            task_name: name of the task; not used.
            config: configuration of the sandbox; not used.
            metadata: metadata of the sample; not used.
        """
        return {"default": cls()}

    @classmethod
    async def sample_cleanup(
        cls,
        task_name: str,
        config: SandboxEnvironmentConfigType | None,
        environments: dict[str, SandboxEnvironment],
        interrupted: bool,
    ) -> None:
        """Nothing is left to clean up: files are in memory, and processes have ended.

        Args:
            task_name: name of the task; not used.
            config: configuration of the sandbox; not used.
            environments: the environments of the sample; not used.
            interrupted: whether the task was interrupted; not used.
        """

    async def exec(
        self,
        cmd: list[str],
        input: str | bytes | None = None,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        user: str | None = None,
        timeout: int | None = None,
        timeout_retry: bool = True,
        concurrency: bool = True,
    ) -> ExecResult[str]:
        """Run a command; the files that it leaves are there for the next one.

        Args:
            cmd: the command and its arguments.
            input: standard input.
            cwd: folder to run in, below the working folder.
            env: further environment variables.
            user: must be None.
            timeout: wall time in seconds; that of `LIMITS` by default.
            timeout_retry: not used: a command is never retried.
            concurrency: not used: commands run at once.

        Returns:
            Exit code and output; of each stream the last `MAX_OUTPUT_BYTES` bytes.

        Raises:
            TimeoutError: it exceeded its time.
            SandboxUserUnsupportedError: a user was named; commands run as an unprivileged user.
            SandboxUnavailableError: the sandbox failed, which says nothing about the command.
        """
        if user is not None:
            raise SandboxUserUnsupportedError(f"Commands cannot run as {user!r}: the sandbox has one user without rights.")
        stdin = input.encode() if isinstance(input, str) else input or b""
        job = {
            "cmd": cmd,
            "env": env or {},
            "cwd": _relative_path(cwd or "."),
            "shown": MAX_OUTPUT_BYTES,
            "input": base64.b64encode(stdin).decode(),
        }
        wall_s = float(timeout or LIMITS.wall_s)
        limits = Limits(min(LIMITS.cpu_s, 2 * wall_s), wall_s, LIMITS.memory_mib, 128, LIMITS.disk_mib, LIMITS.output_bytes)
        run = functools.partial(run_program, _HARNESS, stdin=json.dumps(job), files=dict(self._files), limits=limits, fresh=True)
        try:
            # anyio, because inspect_ai runs on asyncio or trio.
            ran = await anyio.to_thread.run_sync(run)
        except OssInstructError as error:
            raise SandboxUnavailableError(str(error)) from error
        if ran.status == "timeout":
            raise TimeoutError(f"The command exceeded {wall_s:g} s.")
        if ran.status == "sandbox_error":
            raise SandboxUnavailableError(ran.reason)
        try:
            # Written in the sandbox, so neither its form nor its paths are trusted.
            answer: dict[str, Any] = any_json(ran.stdout)
            stdout, stderr = (base64.b64decode(stream).decode("utf-8", "replace") for stream in answer["streams"])
            self._files = {_relative_path(name): base64.b64decode(text) for name, text in answer["files"].items()}
            return ExecResult(answer["code"] == 0, int(answer["code"]), stdout, stderr)
        except (ValueError, KeyError, TypeError, AttributeError):  # a limit ended it, files are as they were before it
            return ExecResult(False, ran.exit_code or 1, "", ran.stderr[-MAX_OUTPUT_BYTES:] or f"({ran.status})")

    async def write_file(self, file: str, contents: str | bytes) -> None:
        """Write a file.

        Raises:
            PermissionError: it is outside the working folder.
            IsADirectoryError: there is a folder of this name.
        """
        name = _relative_path(file)
        if name == "." or any(path.startswith(f"{name}/") for path in self._files):
            raise IsADirectoryError(file)
        self._files[name] = contents.encode() if isinstance(contents, str) else contents

    @overload
    async def read_file(self, file: str, text: Literal[True] = True) -> str: ...

    @overload
    async def read_file(self, file: str, text: Literal[False]) -> bytes: ...

    async def read_file(self, file: str, text: bool = True) -> str | bytes:
        """Read a file.

        Raises:
            FileNotFoundError: there is none of this name.
            IsADirectoryError: it is a folder.
            PermissionError: it is outside the working folder.
            UnicodeDecodeError: it is not text.
        """
        name = _relative_path(file)
        if name not in self._files:
            if any(path.startswith(f"{name}/") for path in self._files):
                raise IsADirectoryError(file)
            raise FileNotFoundError(file)
        return self._files[name].decode() if text else self._files[name]


def _relative_path(path: str) -> str:
    """A path relative to the working folder.

    Raises:
        PermissionError: it is outside.
    """
    name = os.path.normpath(HOME / path)
    if not PurePosixPath(name).is_relative_to(HOME):
        raise PermissionError(f"{path!r} is outside the working folder {str(HOME)!r}, the only one that is writable.")
    return str(PurePosixPath(name).relative_to(HOME))
