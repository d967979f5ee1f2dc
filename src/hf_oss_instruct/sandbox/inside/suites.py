"""Run single tests against programs, each program in its own fork; the result of each test goes to the memory channel.

A test has passed if its line was written after it returned. Because program and tests share a process, everything the program
could replace (assertions, equality, builtin functions, the framework) is saved before it starts and checked after every test.
Tests that only check plain return values are graded outside instead (`sandbox/judging/python_tests.py`).
"""

from __future__ import annotations

import gc
import json
import mmap
import os
import resource
import select
import signal
import sys
import time
from typing import Any, NoReturn

from . import frame_guard, frameworks, modules, tamper_guard

MAX_DETAIL_CHARS = 300
TEST_CPU_S, TEST_WALL_S = 2.0, 6.0  # seconds for one test of a solution
MIN_CPU_S, CPU_FACTOR = (
    0.1,
    16,
)  # CPU time limit of a mutant: this factor times the solution's, as a power of two times the minimum


def run() -> None:
    """Read the job from standard input, a JSON object, and run it.

    `programs`: texts; `runs`: for each run the number of a program, its limits `cpu_s` and `wall_s` (0: by the first run's use),
    the first test, whether the order is reversed, and the time zone; `tests`: the kind, name and text of each; `preamble`;
    `separate`: whether tests have their own namespace; `aliases`: modules that are replaced by the program; `guarded`: whether
    programs are prevented from inspecting frames; `nonce`.
    """
    channel = mmap.mmap(1, os.fstat(1).st_size)
    job = json.loads(sys.stdin.buffer.read())
    devnull = os.open(os.devnull, os.O_RDWR)
    os.dup2(devnull, 0)
    os.dup2(devnull, 1)
    # Compiled once, before any fork: all programs run the same tests.
    job["test_code"] = [_compile(test["text"], f"test_{number}") for number, test in enumerate(job["tests"])]
    job["preamble_code"] = _compile(job["preamble"], "tests")
    gc.freeze()
    offset, used, done = 0, 0.0, 0
    while done < len(job["runs"]):
        group = [done]  # mutants of one program share a process, until one of them ends it
        while job["runs"][done]["cpu_s"] == 0 and group[-1] + 1 < len(job["runs"]) and job["runs"][group[-1] + 1]["cpu_s"] == 0:
            group.append(group[-1] + 1)
        # Zero stands for a variant: its limit comes from the time that the first run, the solution's, took.
        cpu_s = job["runs"][done]["cpu_s"] or _variant_cpu_s(used)
        offset, took, finished = _run_in_fork(job, group, channel, offset, cpu_s, devnull)
        used = used if done else took
        done += max(1, finished)


def _compile(text: str, name: str) -> Any:
    try:
        return compile(text, f"{name}.py", "exec", dont_inherit=True) if text.strip() else None
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"


def _variant_cpu_s(used: float) -> float:
    """Return the CPU time limit of a variant; in steps, so that a loaded machine gives the same verdicts."""
    cpu_s = MIN_CPU_S
    while cpu_s < CPU_FACTOR * used:
        cpu_s *= 2
    return cpu_s


def _run_in_fork(
    job: dict[str, Any], group: list[int], channel: mmap.mmap, offset: int, cpu_s: float, devnull: int
) -> tuple[int, float, int]:
    """Do several runs in a fork; return where their lines end, the CPU time in seconds, and how many have finished."""
    began, nonce = offset, job["nonce"]
    pid = os.fork()
    if not pid:
        try:
            _run_group(job, group, channel, offset, cpu_s, devnull)
        finally:
            os._exit(0)
    pidfd = os.pidfd_open(pid)
    try:
        exited = select.select([pidfd], [], [], job["runs"][group[0]]["wall_s"])[0]
    finally:
        os.close(pidfd)
    if not exited:
        _kill(pid)
    _, status, usage = os.wait4(pid, 0)
    _kill(pid)
    offset = channel.find(b"\0", offset)
    # It is full: the last bytes are for the line that ends the run.
    offset = len(channel) - 256 if offset < 0 else offset
    finished = sum(channel.find(f"{nonce} {number} end ".encode(), began) >= 0 for number in group)
    if finished < len(group):
        signalled = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        # Both signals come from our own limits, see `_on_timer`.
        late = not exited or signalled in (signal.SIGPROF, signal.SIGXCPU)
        why = "timeout" if late else f"signal {signalled}" if signalled else "it left"
        text = f"\n{nonce} {group[finished]} end {json.dumps(why)}\n".encode()
        channel[offset : offset + len(text)] = text
        offset, finished = offset + len(text), finished + 1
    return offset, usage.ru_utime + usage.ru_stime, finished


def _kill(pid: int) -> None:
    """Kill the run and the processes it left behind."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except OSError:
            pass


class TimeLimitError(BaseException):
    """A run has used up its CPU time."""


def _run_group(job: dict[str, Any], group: list[int], channel: mmap.mmap, offset: int, cpu_s: float, devnull: int) -> NoReturn:
    os.setpgid(0, 0)
    if group[0]:  # keep the solution's own output
        os.dup2(devnull, 2)
    # Looked up before the program starts, which could replace them; the nonce is also taken out of the job's dict.
    nonce, exit_, find, dumps = job.pop("nonce"), os._exit, channel.find, json.dumps
    guard, variants = tamper_guard.Guard(), job["runs"][group[0]]["cpu_s"] == 0
    if job["guarded"]:
        frame_guard.install(frozenset(["tests.py", __file__, *(f"test_{number}.py" for number in range(len(job["tests"])))]))
    for number in group:
        run = job["runs"][number]
        os.environ["TZ"] = run["tz"]
        time.tzset()

        def write_result(test: int | str, status: str, detail: str, number: int = number) -> None:
            text = f"{nonce} {number} {test} {status} {dumps(detail[:MAX_DETAIL_CHARS])}\n".encode()
            end = find(b"\0", offset)
            channel[end : end + len(text)] = text

        # Variants share a process, which a limit on the process would end for all of them; timers end a single run.
        if variants:
            _set_timers(cpu_s, 0)
        else:
            resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_s) + 1, int(cpu_s) + 1))
        why = ""
        try:
            _run_tests(job, run, write_result, guard, not variants)
        except TimeLimitError:
            why = "timeout"
        _set_timers(0, 0)
        text = f"{nonce} {number} end {dumps(why)}\n".encode()
        end = find(b"\0", offset)
        channel[end : end + len(text)] = text
    exit_(0)


def _set_timers(cpu_s: float, wall_s: float) -> None:
    """Raise `TimeLimitError` after this many seconds of CPU or wall time; 0 for never."""
    for kind, timer, seconds in ((signal.SIGPROF, signal.ITIMER_PROF, cpu_s), (signal.SIGALRM, signal.ITIMER_REAL, wall_s)):
        # Off while the handler is installed: it could already expire under the old one.
        signal.setitimer(timer, 0)
        signal.signal(kind, _on_timer)
        # It expires again if the program catches the exception and goes on.
        signal.setitimer(timer, seconds, max(seconds / 2, 0.1) if seconds else 0)


def _on_timer(number: int, frame: object) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)  # the second signal kills the process
    raise TimeLimitError


def _run_tests(job: dict[str, Any], run: dict[str, Any], write_result: Any, guard: tamper_guard.Guard, timed: bool) -> None:
    path = os.path.abspath("candidate.py")
    with open(path, "w", encoding="utf-8", errors="surrogatepass") as file:
        file.write(job["programs"][run["program"]])
    try:
        module, code = modules.from_file("candidate", path)
        # Tests import the program by the name that the teacher gave it, such as `solution`.
        for alias in job["aliases"]:
            sys.modules[alias] = module
        exec(code, module.__dict__)
    except TimeLimitError:
        raise
    except BaseException as error:
        write_result("load", "error", _describe(error))
        return
    shim = frameworks.install(guard.builtins)
    names: dict[str, Any] = {"__name__": "tests", "__file__": os.path.abspath("tests.py")} if job["separate"] else module.__dict__
    names["__builtins__"] = guard.builtins
    names.update(__same__=guard.same, __honest__=guard.honest)
    # Between the program and its tests: what the program changed at import is undone, later changes count.
    guard.restore_and_watch(shim)
    try:
        if isinstance(job["preamble_code"], str):
            raise SyntaxError(job["preamble_code"])
        if job["preamble_code"]:
            exec(job["preamble_code"], names)
    except TimeLimitError:
        raise
    except BaseException as error:
        write_result("load", "error", f"before the tests: {_describe(error)}")
        return
    order = range(run["first"], len(job["tests"]))
    for number in reversed(order) if run["reversed"] else order:
        try:
            if timed:
                _set_timers(TEST_CPU_S, TEST_WALL_S)
            status, detail = _run_test(job, number, names, shim)
        except TimeLimitError:
            if not timed:
                raise
            status, detail = "failed", "timeout"
        if timed:
            _set_timers(0, 0)
        # Only a pass can be faked; a failed test needs no check.
        if status == "passed" and (changed := guard.changed()):
            status, detail = "failed", f"it changed {changed}"
        write_result(number, status, detail)


def _run_test(job: dict[str, Any], number: int, names: dict[str, Any], shim: frameworks.Shim) -> tuple[str, str]:
    test, code = job["tests"][number], job["test_code"][number]
    try:
        if isinstance(code, str):
            return "failed", code
        # With `separate`, a block of statements gets a copy of the names, so that it cannot depend on the block before it.
        own = names if test["kind"] != "statements" else dict(names) if job["separate"] else names
        if code:
            exec(code, own)
        if test["kind"] == "function":
            shim.call(own[test["name"]], own)
        elif test["kind"] == "method":
            case, _, method = test["name"].partition(".")
            return shim.method(own[case], method)
    except TimeLimitError:
        raise
    except BaseException as error:
        if isinstance(error, shim.skipped):
            return "skipped", _describe(error)
        return "failed", _describe(error)
    return "passed", ""


def _describe(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    # The text of an exception is made by the program's code, which may raise another.
    except BaseException:
        return type(error).__name__
