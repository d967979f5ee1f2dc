"""Monitor one run from outside: read its output up to the cap, receive its reports, and end it.

Nothing here waits for end of file: a pipe stays open as long as any process holds it. A run is over when its init process
exits. The init process enforces the wall time limit, but it shares CPUs with the program, which can slow it down. The limit is
therefore enforced here as well, `SLACK_S` later.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hf_oss_instruct.sandbox.inside import procfs

STALL_TIMEOUT_S = 10.0  # seconds of silence after which an init process without a running program counts as stuck
SLACK_S, STOP_S = (
    2.0,
    0.5,
)  # seconds past the wall limit after which we stop the run, then kill its init process if it does not react
CHUNK_BYTES = 1 << 16


class SandboxStalledError(Exception):
    """The fork server or init process failed or does not respond.

    Attributes:
        started: whether the program had started. If not, the program is not at fault.
    """

    def __init__(self, message: str, started: bool = False) -> None:
        super().__init__(message)
        self.started = started


@dataclass
class RunOutput:
    """The collected output of a run.

    Attributes:
        streams: the bytes of stdout, stderr and the compiler's output.
        step_results: how the compiler and the program ended, in that order.
        truncated: whether the output exceeded the cap.
        started: whether any step has started.
        late: whether the init process missed the wall time limit, so that the run was ended from here.
    """

    streams: tuple[bytearray, bytearray, bytearray] = field(default_factory=lambda: (bytearray(), bytearray(), bytearray()))
    step_results: list[dict[str, Any]] = field(default_factory=list)
    truncated: bool = False
    started: bool = False
    late: bool = False


def run(
    payload: bytes,
    stdin: bytes,
    max_bytes: int,
    start_timeout_s: float,
    launch: Callable[[list[int]], None],
    cgroup_fds: Sequence[int] = (),
    memory: int = 0,
) -> RunOutput:
    """Send a run to a fork server and wait until all of its processes are gone.

    Args:
        payload: the job spec, as the init process reads it.
        stdin: standard input.
        max_bytes: maximum output in bytes; a run that exceeds it is ended.
        start_timeout_s: seconds, plus `STALL_TIMEOUT_S`, within which the first step must start; each step then has its deadline.
        launch: passes the file descriptors to the fork server.
        cgroup_fds: for each step, the file descriptor of its control group's entry file.
        memory: size in bytes of a memory-mapped file used as standard output; 0 for a pipe.

    Raises:
        SandboxStalledError: the sandbox failed.
        OSError: this process is out of file descriptors or memory, or the fork server is gone.
    """
    with contextlib.ExitStack() as stack:
        files = [_file(stack, payload), _file(stack, stdin)]
        pipes = [_pipe(stack) for _ in range(3)]
        report, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        stack.enter_context(report)
        with theirs:
            outputs = [end for _, end in pipes]
            shared = _memory(stack, memory) if memory else None
            launch([*files, outputs[0] if shared is None else shared, *outputs[1:], theirs.fileno(), *cgroup_fds])
        # With our copies open, the pipes would never report end of file, nor the socket that the init process is gone.
        for end in outputs:
            os.close(end)
        with _registered(report):
            output = _Monitor(stack, report, [ours for ours, _ in pipes], max_bytes, time.monotonic() + start_timeout_s).wait()
        if shared is not None:
            output.streams[0].extend(_read_to_zero_byte(shared))
        return output


_reports: set[socket.socket] = set()
_lock = threading.Lock()


@contextlib.contextmanager
def _registered(report: socket.socket) -> Iterator[None]:
    with _lock:
        _reports.add(report)
    try:
        yield
    finally:
        with _lock:
            _reports.discard(report)


def stop_all() -> None:
    """End every run of this process, as if its init process had closed the connection."""
    with _lock:
        for report in _reports:
            with contextlib.suppress(OSError):
                report.shutdown(socket.SHUT_RDWR)


class _Monitor:
    def __init__(
        self, stack: contextlib.ExitStack, report: socket.socket, pipes: list[int], max_bytes: int, deadline: float
    ) -> None:
        self._stack, self._report, self._pipes, self._max_bytes = stack, report, pipes, max_bytes
        self._deadline, self._init_process = deadline + STALL_TIMEOUT_S, -1
        self._output, self._error, self._running = RunOutput(), "", False

    def wait(self) -> RunOutput:
        try:
            self._poll()
        finally:
            if self._init_process >= 0 and self._report.fileno() >= 0:
                self._end()
        self._drain_pipes()
        if self._error:
            raise SandboxStalledError(self._error, self._output.started)
        return self._output

    def _poll(self) -> None:
        poll = select.poll()
        for pipe in self._pipes:
            os.set_blocking(pipe, False)
            poll.register(pipe, select.POLLIN)
        poll.register(self._report, select.POLLIN)
        while True:
            remaining = self._deadline - time.monotonic()
            events = poll.poll(max(0.0, remaining) * 1000)
            # Silence while a program runs is the program's timeout; otherwise the sandbox is at fault, and the run is repeated.
            if not events and remaining <= 0:
                self._output.late = self._running
                if self._running:
                    return
                raise SandboxStalledError(f"no answer for {STALL_TIMEOUT_S:g} s", self._output.started)
            for fd, _ in events:
                if fd in self._pipes:
                    if not self._read(self._pipes.index(fd)):
                        poll.unregister(fd)
                elif not self._receive_report():
                    return
            if self._output.truncated:
                return

    def _read(self, stream: int) -> bool:
        """Read what is available; False at end of file."""
        try:
            chunk = os.read(self._pipes[stream], CHUNK_BYTES)
        except BlockingIOError:
            return True
        remaining = self._max_bytes - sum(map(len, self._output.streams))
        self._output.streams[stream].extend(chunk[:remaining])
        self._output.truncated |= len(chunk) > remaining
        return bool(chunk)

    def _receive_report(self) -> bool:
        """Receive one report; False when the other side is closed."""
        message, fds, _, _ = socket.recv_fds(self._report, CHUNK_BYTES, 1)
        if not message:
            if self._init_process < 0 and not self._error:
                self._error = "the run ended before it began"
            return False
        event = json.loads(message)
        if fds:
            self._init_process = fds[0]
            self._stack.callback(os.close, fds[0])
            # The init process waits for this, so no program starts before we hold the handle that can kill it.
            self._report.send(b"go")
        elif "error" in event:
            self._error = event["error"]
        elif "started" in event:
            self._output.started = self._running = True
            # Counted from the program's start: time that a busy machine spends on the setup is not the program's.
            self._deadline = time.monotonic() + event["started"] + SLACK_S
        else:
            self._output.step_results.append(event)
            self._running, self._deadline = False, time.monotonic() + STALL_TIMEOUT_S
        return True

    def _end(self) -> None:
        """Ask the init process to end the run; if it does not, kill it, and its namespace with it."""
        with contextlib.suppress(OSError):
            self._report.send(b"stop")
        if not _ended(self._init_process, STOP_S if self._output.late else STALL_TIMEOUT_S):
            _kill(self._init_process)
            if not _ended(self._init_process, STALL_TIMEOUT_S):
                raise SandboxStalledError("a run cannot be killed", self._output.started)
        self._report.setblocking(False)
        with contextlib.suppress(OSError):
            # The result of a step that ended at the same moment may still be in the socket.
            while self._receive_report():
                pass

    def _drain_pipes(self) -> None:
        """Read what the ended processes left in the pipes."""
        for stream in range(len(self._pipes)):
            before = -1
            while before != (before := len(self._output.streams[stream])) and not self._output.truncated:
                self._read(stream)


def _kill(init_process: int) -> None:
    """Kill an init process and its run: with its namespace, or one by one with the init process last, so none is reparented."""
    with open(f"/proc/self/fdinfo/{init_process}") as file:
        fields = dict(line.split(":", 1) for line in file)
    pid, numbers = int(fields["Pid"]), fields["NSpid"].split()
    # NSpid has one number if the init process is in our own PID namespace, where its death kills nothing else.
    until = time.monotonic() + STOP_S
    while len(numbers) == 1 and time.monotonic() < until and (others := _living_descendants(pid)):
        for kind in (signal.SIGSTOP, signal.SIGKILL):  # stop first: a fork bomb could otherwise outrun the kills
            for other in others:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(other, kind)
        time.sleep(0.001)
    with contextlib.suppress(ProcessLookupError):
        # Not by number, which may belong to another process by now.
        signal.pidfd_send_signal(init_process, signal.SIGKILL)


def _living_descendants(init_process: int) -> list[int]:
    """List the descendants of an init process that are still alive."""
    lines = {pid: procfs.stat(pid) for pid in procfs.descendants(init_process)}
    # A process whose first thread has ended looks like a zombie while its other threads go on.
    return [pid for pid, line in lines.items() if line and (line.state not in "ZX" or line.threads > 1)]


def _ended(init_process: int, timeout_s: float) -> bool:
    poll = select.poll()
    poll.register(init_process, select.POLLIN)
    return bool(poll.poll(timeout_s * 1000))


def _file(stack: contextlib.ExitStack, content: bytes) -> int:
    """Open a sealed, read-only file in memory."""
    if not content:
        fd = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    else:
        writable = os.memfd_create("run")
        try:
            with open(writable, "wb", closefd=False) as file:
                file.write(content)
            # Opened again: this descriptor is read-only and starts at the beginning.
            fd = os.open(f"/proc/self/fd/{writable}", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            os.close(writable)
    stack.callback(os.close, fd)
    return fd


def _pipe(stack: contextlib.ExitStack) -> tuple[int, int]:
    ours, theirs = os.pipe2(os.O_CLOEXEC)
    stack.callback(os.close, ours)
    return ours, theirs


def _memory(stack: contextlib.ExitStack, size: int) -> int:
    """Open a zeroed file in memory whose size is sealed."""
    fd = os.memfd_create("answers", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    stack.callback(os.close, fd)
    os.truncate(fd, size)
    # A program that enlarged it would get memory that belongs to no process; one that cut it would break the mappings of others.
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    return fd


def _read_to_zero_byte(fd: int) -> bytearray:
    data, zero = bytearray(), b""
    while not zero and (chunk := os.pread(fd, CHUNK_BYTES, len(data))):
        text, zero, _ = chunk.partition(b"\0")
        data += text
    return data
