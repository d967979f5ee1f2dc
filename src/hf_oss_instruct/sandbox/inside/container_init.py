"""The init process of one run: it prepares the environment, starts the program and monitors it.

It is a trusted fork of the fork server. It creates an environment before there is a run for it, receives the run from the fork
server's socket, starts the program as its child, and polls time, memory and processes until the program ends. With namespaces it
is PID 1 of its own, so killing it kills everything; without, it adopts every orphan and kills until none is left. The program
cannot reach it: its capabilities are in an outer user namespace (bubblewrap), or it is in another landlock domain.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import time
from typing import Any, NoReturn

from . import folders, kernel, procfs, program, resource_limits, run_environment

POLL_S = (0.02, 0.003)  # polling interval in seconds; the shorter one for the first 0.1 s and near a limit
FIRST_POLL_S = 0.008  # most programs are over after this CPU time, and a poll costs as much as a short program
MAX_FDS, REPORT_FD = 8, 5  # payload, stdin, stdout, stderr, compiler output, report, control groups


def serve_run(spec: dict[str, Any], control: socket.socket, confirmation: int) -> NoReturn:
    """Create an environment, receive a run, confirm that to the fork server, report the result of the run, and exit.

    Args:
        spec: the fork server's own spec, see `fork_server.serve`.
        control: the socket on which runs arrive.
        confirmation: file descriptor of the pipe on which the fork server waits.
    """
    environment, failure = run_environment.RunEnvironment(), None
    try:
        os.setsid()
        # Its files in /proc then belong to root, and a program that runs as the same user can neither open them nor trace it.
        kernel.prctl(kernel.SET_DUMPABLE, 0)
        environment = run_environment.create(spec)
    except Exception as error:
        # Reported when a run arrives: until then there is no caller to tell.
        failure = error
    try:
        message, fds = receive_run(control)
        if message:
            # From here on the fork server prepares the next init process, at the same time as this run.
            os.write(confirmation, message)
            control.close()
            os.close(confirmation)
            _run_job(spec, environment, failure, fds)
    finally:
        # Whatever happens, this copy of the fork server must not return into its loop.
        with contextlib.suppress(BaseException):
            _kill_all(spec)
            if environment.folder and spec["tier"] != "bubblewrap":
                folders.remove(environment.folder)
        os._exit(0)


def receive_run(control: socket.socket) -> tuple[bytes, list[int]]:
    """Receive the next message and the file descriptors of its run; both are empty if the caller closed the socket."""
    message, fds, _, _ = socket.recv_fds(control, 16, MAX_FDS)
    return message, fds


def _run_job(
    spec: dict[str, Any], environment: run_environment.RunEnvironment, failure: Exception | None, fds: list[int]
) -> None:
    payload, stdin, stdout, stderr, diagnosis, _, *cgroup_fds = fds
    report = socket.socket(fileno=fds[REPORT_FD])
    try:
        if failure:
            raise failure
        _send_pidfd(report)
        with open(payload, "rb", closefd=False) as stream:
            job = json.loads(stream.readline())
            job["uid"] = environment.uid
            for name, size in job["files"]:
                run_environment.write_file(environment.folder, name, stream.read(size), environment.uid)
            inputs = [_open_input(stream.read(size)) for size in job["inputs"]]
        spent = {"cpu_s": 0.0, "wall_s": 0.0}  # by the runs so far
        for number, step in enumerate(job["steps"]):
            if job["shares_time"] and not step["compiles"]:
                remaining = {name: step[name] - seconds for name, seconds in spent.items()}
                if min(remaining.values()) <= 0:
                    break
                step = step | remaining
            cgroup_fd = cgroup_fds[min(number, len(cgroup_fds) - 1)] if cgroup_fds else None
            step_stdin = inputs.pop(0) if inputs and not step["compiles"] else stdin
            stdio = (os.open(os.devnull, os.O_RDONLY), diagnosis, diagnosis) if step["compiles"] else (step_stdin, stdout, stderr)
            run_environment.resize(spec, environment.folder, step["disk_mib"], job["shm_mib"])
            result = _run_step(spec, job, step, environment, stdio, report, cgroup_fd)
            report.send(json.dumps(result).encode())
            spent = spent if step["compiles"] else {name: seconds + result[name] for name, seconds in spent.items()}
            if job["boundary"] and not step["compiles"]:  # no process of the step is alive that could still write
                kernel.write_all(stdout, f"\n{job['boundary']}\n".encode())
            if (result["exit"] != 0 or result["why"]) and not step["continue_on_error"]:
                break
            if step["compiles"] and spec["tier"] == "landlock":
                run_environment.make_executable(os.path.join(environment.folder, "program"))
    except BaseException as error:
        with contextlib.suppress(OSError):
            report.send(json.dumps({"error": f"{type(error).__name__}: {error}"[:2000]}).encode())


def _open_input(content: bytes) -> int:
    """Open the standard input of one step."""
    fd = os.memfd_create("input", os.MFD_CLOEXEC)
    kernel.write_all(fd, content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _send_pidfd(report: socket.socket) -> None:
    """Send the caller a pidfd of this process, and wait for its go-ahead."""
    pidfd = os.pidfd_open(os.getpid())
    socket.send_fds(report, [b'{"ready": true}'], [pidfd])
    os.close(pidfd)
    if report.recv(16) != b"go":
        os._exit(0)


def _run_step(
    spec: dict[str, Any],
    job: dict[str, Any],
    step: dict[str, Any],
    environment: run_environment.RunEnvironment,
    stdio: tuple[int, int, int],
    report: socket.socket,
    cgroup_fd: int | None,
) -> dict[str, Any]:
    """Run one step, the compiler or the program, to its end."""
    # The pipe closes when the program starts, by exec or by hand: end of file without a message means that it did.
    errors, child_errors = os.pipe2(os.O_CLOEXEC)
    # Without a user namespace the kernel counts all processes of a user; a user ID made up for this run has none yet.
    other_threads = procfs.count_threads(os.getuid()) if spec["tier"] == "landlock" and not job["uid"] else 0
    # Before the fork: the program's own shared memory must not be part of the baseline.
    state = resource_limits.PollState()
    started = time.monotonic()
    child = kernel.fork()
    if not child:
        os.close(errors)
        program.enter_cgroup(cgroup_fd, child_errors)
        program.exec_program(spec, job, step, environment.folder, stdio, child_errors, other_threads)
    os.close(child_errors)
    failure = os.read(errors, 4096)
    os.close(errors)
    if failure:
        raise OSError(failure.decode(errors="replace"))
    report.send(f'{{"started": {step["wall_s"]}}}'.encode())  # the module json costs more than the message
    scope = resource_limits.RunScope(environment.folder, spec["tier"] == "bubblewrap", environment.sockets, spec["inodes_match"])
    why = _wait(child, step, started, state, scope, report)
    if why:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    _kill_all(spec)
    cpu_s = state.cpu_time.close()
    return {
        "compiles": step["compiles"],
        "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
        # A program can pass its limit and end between two polls.
        "why": why or ("timeout" if cpu_s >= step["cpu_s"] else None),
        "wall_s": time.monotonic() - started,
        "cpu_s": cpu_s,
        "peak_kib": max(usage.ru_maxrss, state.memory_kib),
    }


def _wait(
    child: int,
    step: dict[str, Any],
    started: float,
    state: resource_limits.PollState,
    scope: resource_limits.RunScope,
    report: socket.socket,
) -> str | None:
    """Wait until the program ends (None), exceeds a limit (its name), or the caller is gone."""
    pidfd = os.pidfd_open(child)
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.register(report, select.POLLIN)
    interval, deadline = FIRST_POLL_S, started + step["wall_s"]
    try:
        while True:
            events = [fd for fd, _ in poll.poll(max(0.0, min(interval, deadline - time.monotonic())) * 1000)]
            if pidfd in events:
                return None
            if report.fileno() in events:  # "stop", or the caller is gone
                return "stopped"
            if time.monotonic() >= deadline:
                return "timeout"
            polled_at = time.monotonic()
            # Two cheap reads: a single process with so little CPU time does not need a full poll yet.
            if scope.alone and procfs.is_alone(child) and procfs.cpu_s(child) < FIRST_POLL_S:
                interval = POLL_S[polled_at < started + 0.1]
                continue
            if why := resource_limits.exceeded_limit(step, state, scope, child):
                return why
            now = time.monotonic()
            interval = max(
                POLL_S[state.near_limit or now < started + 0.1], now - polled_at
            )  # polling takes at most half of a CPU
    finally:
        os.close(pidfd)


def _kill_all(spec: dict[str, Any]) -> None:
    """Kill every process of the run except this one, which adopts the orphans among them."""
    namespace = spec["tier"] == "bubblewrap"
    if namespace:
        with contextlib.suppress(ProcessLookupError):
            # Everything in the namespace except this process, its first.
            os.kill(-1, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # no process is left
        while True:
            pid, _ = os.waitpid(-1, 0 if namespace else os.WNOHANG)
            # Stop first: a fork bomb could otherwise outrun the kills.
            for kind in (signal.SIGSTOP, signal.SIGKILL) if not pid else ():
                for other in procfs.descendants(os.getpid()):
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(other, kind)
