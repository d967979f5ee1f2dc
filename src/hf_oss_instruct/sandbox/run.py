"""Run a program nobody has read: `run_program(source) -> Execution`. The machine stays as it was, and an answer comes."""

from __future__ import annotations

import asyncio
import functools
import os
import re
import secrets
from collections import deque
from collections.abc import AsyncIterator, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from hf_oss_instruct.errors import SandboxError
from hf_oss_instruct.sandbox import cgroups, job_spec, monitor
from hf_oss_instruct.sandbox.backends import chosen_tier, trial, trouble_with_cgroups
from hf_oss_instruct.sandbox.fork_servers import ForkServer, discard, fork_server
from hf_oss_instruct.sandbox.limits import Execution, Limits

ATTEMPTS = 3  # of a run whose sandbox failed
# How languages say that the kernel refused them memory or a process. It decides which failure is named, never whether it is one.
_NO_MEMORY = re.compile(r"MemoryError|bad_alloc|[Cc]annot allocate memory|OutOfMemory|heap out of memory|memory allocation of")
_NO_PROCESS = re.compile(r"can't start new thread|Resource temporarily unavailable|unable to create native thread")


@dataclass(frozen=True, slots=True)
class Job:
    """One run of many: the arguments of `run_program`."""

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
) -> Execution:
    """Run a program in the sandbox.

    Args:
        source: the text of the program.
        language: its language, as in `languages.LANGUAGES`.
        stdin: what it reads from standard input, which then is at its end.
        files: further files of its work folder: relative path → content.
        limits: what it may use.
        tier: name of a tier; the best one of this machine by default. `unsafe-none` is no isolation at all.
        fresh: start a new Python for a Python program, instead of a fork of one that has its library loaded.
        hash_seed: what `PYTHONHASHSEED` sets for a Python program; random by default.
        stdout_as_memory: standard output is a file of `limits.output_bytes` to be mapped into memory, and ends at the first zero.

    Returns:
        What became of it. A failure of the sandbox itself, after three attempts, has the status `sandbox_error`; a program that
        breaks its sandbox three times, while a harmless one runs in it after each, has the status `failed`.

    Raises:
        UsageError: there is no such tier or language, or a file lies outside of the work folder.
        SandboxError: this machine has no sandbox.
        ToolchainMissingError: a compiler or interpreter is not installed.
    """
    limits = limits or Limits()
    name = chosen_tier(tier).name
    if language == "python":
        job = job_spec.python(source, files or {}, limits, name, fresh=fresh, hash_seed=hash_seed)
    else:
        job = job_spec.compiled(source, language, files or {}, limits, name)
    (found,) = _attempted(job, stdin, limits, name, limits.output_bytes if stdout_as_memory else 0)
    if job.tried and found.status == "compile_error":
        job = job_spec.compiled(source, language, files or {}, limits, name, from_scratch=True)
        (found,) = _attempted(job, stdin, limits, name)
    return found


def run_many(
    source: str,
    language: str,
    runs: Sequence[tuple[Mapping[str, str], str]],
    files: Mapping[str, bytes] | None = None,
    limits: Limits | None = None,
    *,
    tier: str | None = None,
    compile_goes_on: bool = False,
) -> list[Execution]:
    """Compile a program once and run it several times, one after the other, in one sandbox.

    Runs share the work folder, and nothing else: no process of one is alive when the next begins.

    Args:
        source: the text of the program.
        language: its language, as in `languages.LANGUAGES`.
        runs: for each run, further environment variables and standard input.
        files: as of `run_program`.
        limits: of each run; `output_bytes` is for all of them.
        tier: as of `run_program`.
        compile_goes_on: whether a compiler's complaints matter to nobody, as where it checks types only.

    Returns:
        What became of each run, the standard error of all of them in the first. A single execution where it did not compile, or
        the sandbox failed. Fewer than there are runs where their output went over the limit.

    Raises:
        SandboxError, ToolchainMissing, UsageError: as `run_program`.
    """
    limits, name, boundary = limits or Limits(), chosen_tier(tier).name, secrets.token_hex(16)
    given = [(dict(environment), stdin.encode("utf-8", "surrogateescape")) for environment, stdin in runs]
    job = job_spec.many(source, language, files or {}, limits, name, given, boundary, compile_goes_on=compile_goes_on)
    found = _attempted(job, "", limits, name, boundary=boundary)
    if job.tried and found[0].status == "compile_error":
        job = job_spec.many(source, language, files or {}, limits, name, given, boundary, from_scratch=True)
        found = _attempted(job, "", limits, name, boundary=boundary)
    return found


async def run_program_async(source: str, *arguments: Any, **options: Any) -> Execution:
    """`run_program` for asynchronous code; arguments and errors are the same. As many run at once as there are processors."""
    run = functools.partial(run_program, source, *arguments, **options)
    return await asyncio.get_running_loop().run_in_executor(_pool(os.getpid()), run)


@functools.cache
def _pool(pid: int) -> ThreadPoolExecutor:
    """The workers of this process's asynchronous code."""
    return ThreadPoolExecutor(len(os.sched_getaffinity(pid)), thread_name_prefix="sandbox")


def run_programs(jobs: Iterable[Job], workers: int | None = None, *, tier: str | None = None) -> Generator[Execution, None, None]:
    """Run many programs, several at once.

    Args:
        jobs: what to run; taken only a little ahead of what was handed out.
        workers: how many run at once; the number of processors by default.
        tier: as of `run_program`.

    Yields:
        What became of each, in the order of the jobs.
    """
    workers = workers or len(os.sched_getaffinity(0))
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
    """`run_programs` for asynchronous code; arguments, order and errors are the same."""
    found = run_programs(jobs, workers, tier=tier)
    try:
        while (execution := await asyncio.to_thread(next, found, None)) is not None:
            yield execution
    finally:
        await asyncio.to_thread(found.close)


def _attempted(
    job: job_spec.JobSpec, stdin: str, limits: Limits, tier: str, memory: int = 0, boundary: str = ""
) -> list[Execution]:
    """Run it; make a run whose sandbox failed again.

    Whose fault was it? The program's, if it had begun and a harmless program runs in the same tier right afterwards. A program
    that breaks its sandbox each time has failed. Everything else is a fault of this machine, and says nothing about the program.
    """
    trouble, by_the_program = "", 0
    for _ in range(ATTEMPTS):
        process = fork_server(job.key)
        try:
            return _run(job, stdin.encode("utf-8", "surrogateescape"), limits.output_bytes, process, tier, memory, boundary)
        except (monitor.SandboxStalledError, OSError) as error:
            if process.given_up:
                raise SandboxError("the run was given up, since this process is ending") from error
            trouble = f"{error}. {process.said()}".strip()
            discard(job.key, process)
            by_the_program += isinstance(error, monitor.SandboxStalledError) and error.began and trial(tier) is None
    if by_the_program == ATTEMPTS:
        reason = f"the program broke its sandbox {ATTEMPTS} times, while others ran in it: {trouble}"
        return [Execution("failed", stderr=reason, tier=tier, reason=reason)]
    return [Execution("sandbox_error", stderr=trouble, tier=tier, reason=trouble)]


def _run(
    job: job_spec.JobSpec, stdin: bytes, cap: int, process: ForkServer, tier: str, memory: int, boundary: str
) -> list[Execution]:
    if trouble_with_cgroups(tier):
        output = monitor.run(job.payload, stdin, cap, job.most_s, process.launch, memory=memory)
        return _executions(output, tier, boundary)
    with cgroups.places(job.memory_mib) as places:
        entries = [place.entry for place in places]
        output = monitor.run(job.payload, stdin, cap, job.most_s, process.launch, entries, memory)
        found = _executions(output, tier, boundary)
        was_over = any(place.was_over for place in places)
    if was_over and len(found) == 1 and found[0].status == "compile_error":
        return [replace(found[0], stderr=found[0].stderr + "\n(memory)")]
    # Of several runs in one group, those that were killed went over.
    over = [was_over and one.status in ("ok", "failed") and (not boundary or one.signal == 9) for one in found]
    return [replace(one, status="memory", exit_code=None) if is_over else one for one, is_over in zip(found, over, strict=True)]


def _executions(output: monitor.RunOutput, tier: str, boundary: str) -> list[Execution]:
    """What the reports and the output mean, for one run or for each of several."""
    ends = [end for end in output.ends if not end["compiles"]]
    if not boundary or not ends:
        return [_execution(output, tier)]
    parts = bytes(output.streams[0]).split(f"\n{boundary}\n".encode())
    found = []
    for number, end in enumerate(ends):
        stdout = bytearray(parts[number]) if number < len(parts) else bytearray()
        streams = (stdout, bytearray() if number else output.streams[1], bytearray())
        found.append(_execution(replace(output, streams=streams, ends=[end], cut=False), tier))
    if output.cut or output.late:
        found.append(Execution("output" if output.cut else "timeout", truncated=output.cut, tier=tier))
    return found


def _execution(output: monitor.RunOutput, tier: str) -> Execution:
    """What the reports and the output mean."""
    stdout, stderr, compiler = (bytes(stream).decode("utf-8", "replace") for stream in output.streams)
    if output.late:
        reason = "the wall limit was held from outside: the program kept what watches over it from working"
        return Execution("timeout", None, None, stdout, stderr, truncated=output.cut, tier=tier, reason=reason)
    if not output.ends:
        if output.cut:
            return Execution("output", stdout=stdout, stderr=stderr, truncated=True, tier=tier)
        raise monitor.SandboxStalledError("the run left no report", output.began)
    end = output.ends[-1]
    found = Execution(
        _status(end, output.cut, stderr),
        None if end["why"] else end["exit"],
        end["signal"],
        stdout,
        stderr,
        end["wall_s"],
        end["cpu_s"],
        end["peak_kib"] / 1024,
        output.cut,
        tier,
    )
    if end["compiles"]:
        return replace(found, status="compile_error", stderr=compiler + (f"\n({end['why']})" if end["why"] else ""))
    return found


def _status(end: dict[str, Any], cut: bool, stderr: str) -> str:
    if cut:
        return "output"
    if end["why"]:
        return "failed" if end["why"] == "disk" else str(end["why"])
    if end["exit"] == 0:
        return "ok"
    if end["signal"] in (24,):  # SIGXCPU
        return "timeout"
    if _NO_MEMORY.search(stderr[-4000:]):
        return "memory"
    return "processes" if _NO_PROCESS.search(stderr[-4000:]) else "failed"
