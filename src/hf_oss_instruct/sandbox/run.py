"""Run untrusted code: `run_program(source) -> Execution`. The machine is unchanged afterwards, and a result always arrives."""

from __future__ import annotations

import asyncio
import functools
import os
import re
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, ParamSpec

from hf_oss_instruct.argument_types import check_type
from hf_oss_instruct.errors import SandboxError
from hf_oss_instruct.sandbox import cgroups, job_spec, monitor
from hf_oss_instruct.sandbox.backends import chosen_tier, trial, why_no_cgroups
from hf_oss_instruct.sandbox.fork_servers import ForkServer, discard, fork_server
from hf_oss_instruct.sandbox.limits import Execution, Limits

P = ParamSpec("P")
ATTEMPTS = 3  # for a run whose sandbox failed
# How language runtimes report that the kernel refused memory or a process. This only names a failure; it never decides whether
# a run failed.
_NO_MEMORY = re.compile(r"MemoryError|bad_alloc|[Cc]annot allocate memory|OutOfMemory|heap out of memory|memory allocation of")
_NO_PROCESS = re.compile(r"can't start new thread|Resource temporarily unavailable|unable to create native thread")


@dataclass(frozen=True, slots=True)
class Job:
    """One of many runs: the arguments of `run_program`."""

    source: str
    language: str = "python"
    stdin: str = ""
    files: Mapping[str, bytes] | None = None
    limits: Limits | None = None


def run_program(
    source: str,
    language: str = "python",
    stdin: str = "",
    files: Mapping[str, bytes] | None = None,
    limits: Limits | None = None,
    *,
    tier: str | None = None,
    fresh: bool = False,
    stdout_as_memory: bool = False,
    hash_seed: int | None = None,
    packages: Sequence[str] = (),
) -> Execution:
    """Run a program in the sandbox.

    Args:
        source: source code of the program.
        language: its language: `python`, `cpp`, `c`, `java`, `javascript`, `typescript`, `csharp`, `go`, `rust`, `php`, `ruby`,
            `shell`, `perl`, `lua`, `r`, `racket` or `d`.
        stdin: content of standard input.
        files: further files for its working folder: relative path → content.
        limits: resource limits; `Limits()` by default.
        tier: sandbox tier: `bubblewrap`, `landlock` or `unsafe-none` (no isolation); the best available one by default.
        fresh: start a new Python interpreter instead of forking one with the standard library loaded.
        stdout_as_memory: standard output is a memory-mapped file of `limits.output_bytes` bytes that ends at the first zero byte.
        hash_seed: `PYTHONHASHSEED` of a Python program; random by default.
        packages: folders of packages that a Python program may import; mounted read-only, first on its path after its own folder.

    Returns:
        The result. If the sandbox itself fails three times, the status is `sandbox_error`. If the program breaks its sandbox
        three times, while a harmless program runs fine after each attempt, the status is `failed`.

    Raises:
        UsageError: the tier or language is unknown, a file is outside the working folder, or an argument has another type.
        SandboxError: no sandbox works on this machine.
        ToolchainMissingError: a compiler or interpreter is not installed.
    """
    check_type("source", source, str, "the text of a program")
    check_type("language", language, str, "the name of a language")
    check_type("stdin", stdin, str, "a string")
    check_type("files", files, Mapping | None, "a dict of paths and contents")
    for content in (files or {}).values():
        check_type("Each content in files", content, bytes | bytearray | memoryview, "bytes")
    check_type("limits", limits, Limits | None, "a Limits, such as Limits(wall_s=5)")
    check_type("hash_seed", hash_seed, Integral | None, "a whole number")
    check_type("packages", packages, list | tuple, "a list of folders")
    limits = limits or Limits()
    name = chosen_tier(tier).name
    if language == "python":
        job = job_spec.python(source, files or {}, limits, name, fresh=fresh, hash_seed=hash_seed, packages=tuple(packages))
    else:
        job = job_spec.compiled(source, language, files or {}, limits, name)
    (execution,) = _attempted(job, stdin, limits, name, limits.output_bytes if stdout_as_memory else 0)
    # A compile error counts only if it also occurs without prebuilt headers.
    if job.confirm_errors and execution.status == "compile_error":
        job = job_spec.compiled(source, language, files or {}, limits, name, from_scratch=True)
        (execution,) = _attempted(job, stdin, limits, name)
    return execution


def run_many(
    source: str,
    language: str,
    runs: Sequence[tuple[Mapping[str, str], str]],
    files: Mapping[str, bytes] | None = None,
    limits: Limits | None = None,
    *,
    tier: str | None = None,
    compile_goes_on: bool = False,
    shares_time: bool = False,
) -> list[Execution]:
    """Compile a program once and run it several times, sequentially, in one sandbox.

    Runs share the working folder and nothing else: all processes of one run are gone before the next starts.

    Args:
        source: source code of the program.
        language: its language, see `languages.LANGUAGES`.
        runs: for each run, further environment variables and standard input.
        files: further files for the working folder: relative path → content.
        limits: resource limits of each run; `output_bytes` applies to all runs together.
        tier: name of a sandbox tier, see `run_program`.
        compile_goes_on: run the program even if the compiler reports errors, such as a type checker's.
        shares_time: the limits of CPU and wall time apply to all runs together; when they are used up, no further run starts.

    Returns:
        The result of each run; the first one holds the standard error of all runs. A single result if compilation or the sandbox
        failed. Fewer results than runs if the output exceeded its limit, or the runs shared their time and used it up.

    Raises:
        SandboxError, ToolchainMissingError, UsageError: see `run_program`.
    """
    # The boundary is random: a program that could guess it would shift its output to another run.
    limits, name, boundary = limits or Limits(), chosen_tier(tier).name, secrets.token_hex(16)
    inputs = [(dict(environment), stdin.encode("utf-8", "surrogateescape")) for environment, stdin in runs]
    options = {"compile_goes_on": compile_goes_on, "shares_time": shares_time}
    job = job_spec.many(source, language, files or {}, limits, name, inputs, boundary, **options)
    executions = _attempted(job, "", limits, name, boundary=boundary)
    if job.confirm_errors and executions[0].status == "compile_error":
        job = job_spec.many(source, language, files or {}, limits, name, inputs, boundary, from_scratch=True, **options)
        executions = _attempted(job, "", limits, name, boundary=boundary)
    return executions


def _in_a_thread(run: Callable[P, Execution]) -> Callable[P, Coroutine[Any, Any, Execution]]:
    """The async version of a function that runs a program, with the same arguments and errors."""

    @functools.wraps(run)
    async def run_async(*args: P.args, **kwargs: P.kwargs) -> Execution:
        return await asyncio.get_running_loop().run_in_executor(_pool(os.getpid()), functools.partial(run, *args, **kwargs))

    return run_async


run_program_async = _in_a_thread(run_program)
"""Async version of `run_program`. At most one run per CPU is active at a time."""


@functools.cache
def _pool(pid: int) -> ThreadPoolExecutor:
    """Return this process's thread pool for async callers."""
    return ThreadPoolExecutor(len(os.sched_getaffinity(pid)), thread_name_prefix="sandbox")


def run_programs(jobs: Iterable[Job], workers: int | None = None, *, tier: str | None = None) -> Generator[Execution, None, None]:
    """Run many programs in parallel.

    Args:
        jobs: the runs; consumed lazily, only slightly ahead of the results.
        workers: number of parallel runs; the number of CPUs by default.
        tier: name of a sandbox tier, see `run_program`.

    Yields:
        The result of each run, in the order of the jobs.
    """
    workers = workers or len(os.sched_getaffinity(0))
    # Two jobs per worker: enough that no worker waits while the first result is awaited.
    line: deque[Future[Execution]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="sandbox") as pool:
        try:
            for job in jobs:
                line.append(pool.submit(run_program, job.source, job.language, job.stdin, job.files, job.limits, tier=tier))
                if len(line) >= 2 * workers:
                    yield line.popleft().result()
            while line:
                yield line.popleft().result()
        finally:
            for future in line:
                future.cancel()


async def run_programs_async(
    jobs: Iterable[Job], workers: int | None = None, *, tier: str | None = None
) -> AsyncIterator[Execution]:
    """Async version of `run_programs`.

    Args:
        jobs: the runs; consumed lazily, only slightly ahead of the results.
        workers: number of parallel runs; the number of CPUs by default.
        tier: name of a sandbox tier, see `run_program`.

    Yields:
        The result of each run, in the order of the jobs.
    """
    executions = run_programs(jobs, workers, tier=tier)
    try:
        # With a default, because StopIteration cannot be raised into a future.
        while (execution := await asyncio.to_thread(next, executions, None)) is not None:
            yield execution
    finally:
        # In a thread, because it waits for active runs.
        await asyncio.to_thread(executions.close)


def _attempted(
    job: job_spec.JobSpec, stdin: str, limits: Limits, tier: str, memory: int = 0, boundary: str = ""
) -> list[Execution]:
    """Run a job, and repeat it if its sandbox fails.

    The program is at fault if it had started and a harmless program runs in the same tier right afterwards. A program that
    breaks its sandbox every time has failed. Otherwise the machine is at fault, which says nothing about the program.
    """
    failure, by_the_program = "", 0
    for _ in range(ATTEMPTS):
        process = fork_server(job.key)
        try:
            return _run(job, stdin.encode("utf-8", "surrogateescape"), limits.output_bytes, process, tier, memory, boundary)
        except (monitor.SandboxStalledError, OSError) as error:
            # Closed on purpose: a retry would start a new fork server in a process that is about to exit.
            if process.given_up:
                raise SandboxError("the run was canceled because this process is exiting") from error
            failure = f"{error}. {process.stderr_text()}".strip()
            discard(job.key, process)
            by_the_program += isinstance(error, monitor.SandboxStalledError) and error.started and trial(tier) is None
    if by_the_program == ATTEMPTS:
        reason = f"the program broke its sandbox {ATTEMPTS} times, while others ran in it: {failure}"
        return [Execution("failed", stderr=reason, tier=tier, reason=reason)]
    return [Execution("sandbox_error", stderr=failure, tier=tier, reason=failure)]


def _run(
    job: job_spec.JobSpec, stdin: bytes, max_bytes: int, process: ForkServer, tier: str, memory: int, boundary: str
) -> list[Execution]:
    if why_no_cgroups(tier):
        output = monitor.run(job.payload, stdin, max_bytes, job.max_wall_s, process.launch, memory=memory)
        return _executions(output, tier, boundary)
    with cgroups.control_groups(job.memory_mib) as groups:
        cgroup_fds = [group.procs_fd for group in groups]
        output = monitor.run(job.payload, stdin, max_bytes, job.max_wall_s, process.launch, cgroup_fds, memory)
        executions = _executions(output, tier, boundary)
        was_over = any(group.was_over for group in groups)
    # The compiler was killed, so its errors may be incomplete: say why.
    if was_over and len(executions) == 1 and executions[0].status == "compile_error":
        return [replace(executions[0], stderr=executions[0].stderr + "\n(memory)")]
    # Runs share one control group here: those that were killed exceeded its limit.
    exceeded = [
        was_over and execution.status in ("ok", "failed") and (not boundary or execution.signal == 9) for execution in executions
    ]
    return [
        replace(execution, status="memory", exit_code=None) if is_over else execution
        for execution, is_over in zip(executions, exceeded, strict=True)
    ]


def _executions(output: monitor.RunOutput, tier: str, boundary: str) -> list[Execution]:
    """Turn the reports and output into results, one for each run."""
    ends = [end for end in output.step_results if not end["compiles"]]
    if not boundary or not ends:
        return [_execution(output, tier)]
    parts = bytes(output.streams[0]).split(f"\n{boundary}\n".encode())
    executions = []
    for number, end in enumerate(ends):
        stdout = bytearray(parts[number]) if number < len(parts) else bytearray()
        streams = (stdout, bytearray() if number else output.streams[1], bytearray())
        executions.append(_execution(replace(output, streams=streams, step_results=[end], truncated=False), tier))
    if output.truncated or output.late:
        executions.append(Execution("output" if output.truncated else "timeout", truncated=output.truncated, tier=tier))
    return executions


def _execution(output: monitor.RunOutput, tier: str) -> Execution:
    """Turn the reports and output of one run into its result."""
    stdout, stderr, compiler = (bytes(stream).decode("utf-8", "replace") for stream in output.streams)
    if output.late:
        reason = "the wall limit was held from outside: the program kept what watches over it from working"
        return Execution("timeout", None, None, stdout, stderr, truncated=output.truncated, tier=tier, reason=reason)
    if not output.step_results:
        if output.truncated:
            return Execution("output", stdout=stdout, stderr=stderr, truncated=True, tier=tier)
        raise monitor.SandboxStalledError("the run left no report", output.started)
    end = output.step_results[-1]
    execution = Execution(
        _status(end, output.truncated, stderr),
        None if end["why"] else end["exit"],
        end["signal"],
        stdout,
        stderr,
        end["wall_s"],
        end["cpu_s"],
        end["peak_kib"] / 1024,
        output.truncated,
        tier,
    )
    if end["compiles"]:
        return replace(execution, status="compile_error", stderr=compiler + (f"\n({end['why']})" if end["why"] else ""))
    return execution


def _status(end: dict[str, Any], cut: bool, stderr: str) -> str:
    if cut:
        return "output"
    if end["why"]:
        # Not a status of its own: where the working folder is a mount, the program gets an ordinary error (ENOSPC) instead.
        return "failed" if end["why"] == "disk" else str(end["why"])
    if end["exit"] == 0:
        return "ok"
    if end["signal"] in (24,):  # SIGXCPU
        return "timeout"
    if _NO_MEMORY.search(stderr[-4000:]):
        return "memory"
    return "processes" if _NO_PROCESS.search(stderr[-4000:]) else "failed"
