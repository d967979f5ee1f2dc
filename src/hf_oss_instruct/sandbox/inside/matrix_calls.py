"""Answer the same calls with many programs, each in its own fork of one process, and write the values to the memory channel.

As in `function_calls`, no process here knows an expected value: a program can only return the right values or fail. A program
might spoil the answers of those that run after it, which makes them fail and never pass.
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
from typing import Any, NoReturn

from . import function_calls, modules, values


def run() -> None:
    """Read the job from standard input, a JSON object, and run it.

    `programs`: texts; `nonces`: one for each; `calls`: the text of each call, as of `function_calls`; `cpu_s` and `wall_s`: the
    limits of each program.
    """
    channel = mmap.mmap(1, os.fstat(1).st_size)
    job = json.loads(sys.stdin.buffer.read())
    devnull = os.open(os.devnull, os.O_RDWR)
    os.dup2(devnull, 0)
    os.dup2(devnull, 1)
    os.dup2(devnull, 2)
    offset, pairs = 0, list(zip(job["nonces"], job["programs"], strict=True))
    # With nonce and text of another program in its memory, a program could answer for it.
    del job["nonces"], job["programs"]
    gc.freeze()
    while pairs:
        nonce, program = pairs.pop(0)
        pid = os.fork()
        if not pid:
            try:
                pairs.clear()
                _answer(job, nonce, program, channel, offset)
            finally:
                os._exit(0)
        _wait_and_kill(pid, job["wall_s"])
        # The fork has moved its own offset only. Lines have no zero bytes, so the first one is where it stopped.
        offset = channel.find(b"\0", offset)
        if offset < 0:  # the channel is full
            return


def _wait_and_kill(pid: int, wall_s: float) -> None:
    """Wait for a program, and kill it and what it started."""
    pidfd = os.pidfd_open(pid)
    try:
        select.select([pidfd], [], [], wall_s)
    finally:
        os.close(pidfd)
    # By both: the child may have been killed before it had a process group of its own.
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except OSError:
            pass
    os.waitpid(pid, 0)


def _answer(job: dict[str, Any], nonce: str, program: str, channel: mmap.mmap, offset: int) -> NoReturn:
    os.setpgid(0, 0)
    seconds = int(job["cpu_s"]) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    path = os.path.abspath("candidate.py")
    with open(path, "w", encoding="utf-8", errors="surrogatepass") as file:
        file.write(program)

    def write_answer(number: int | str, kind: str, text: str) -> None:
        nonlocal offset
        line = f"{nonce} {number} {kind} {text}".encode()
        end = offset + len(line)
        if end + 256 >= len(channel):
            raise MemoryError(f"more than {len(channel):,} bytes of answers")
        channel[offset:end] = line
        channel[end] = 10  # a line counts once it is complete
        offset = end + 1

    try:
        module, code = modules.from_file("candidate", path)
        exec(code, module.__dict__)
    except BaseException as error:
        write_answer("load", "error", ascii(f"{type(error).__name__}: {error}"[:500]))
        os._exit(0)
    names = module.__dict__
    for number, call in enumerate(job["calls"]):
        try:
            name, args, kwargs = values.loads(call)
            value = names[name](*args, **kwargs)
        except BaseException as error:
            write_answer(number, "raised", ascii(f"{'|'.join(kind.__name__ for kind in type(error).__mro__)}: {error}"[:500]))
            continue
        try:
            write_answer(number, *function_calls.encode_value(value))
        except Exception as error:
            write_answer(number, "odd", ascii(str(error)[:500]))
    os._exit(0)
