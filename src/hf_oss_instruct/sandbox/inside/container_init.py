"""The init process of one run: it prepares the environment, starts the program and monitors it.

It is a trusted fork of the fork server. It creates an environment before there is a run for it, receives the run from the fork
server's socket, starts the program as its child, and polls time, memory and processes until the program ends. With namespaces it
is PID 1 of its own, so killing it kills everything; without, it adopts every orphan and kills until none is left. The program
cannot reach it: its capabilities are in an outer user namespace (bubblewrap), or it is in another landlock domain.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import stat
import struct
import tempfile
import time
from dataclasses import dataclass
from typing import Any, NoReturn

from . import folders, kernel, procfs, program, resource_limits

MIB = 1 << 20
LOOK_S = (0.02, 0.003)  # polling interval in seconds; the shorter one for the first 0.1 s and near a limit
FIRST_LOOK_S = 0.008  # most programs are over after this CPU time, and a look costs as much as a short program
BUFFER = 212992  # bytes of a socket's buffer in each direction: Linux's default
USERS = 1 << 20  # range of user IDs from which one that owns nothing is chosen
DESCRIPTORS, REPORT = 8, 5  # payload, stdin, stdout, stderr, what the compiler says, report, entries of control groups


@dataclass(frozen=True)
class RunEnvironment:
    """The environment of a run.

    Attributes:
        folder: the working folder.
        uid: the user that the program runs as, or None for the init process's own.
        sockets: file descriptor of the network namespace's socket statistics, or None without a network namespace.
    """

    folder: str = ""
    uid: int | None = None
    sockets: int | None = None


def serve_run(spec: dict[str, Any], control: socket.socket, tell: int) -> NoReturn:
    """Create an environment, receive a run, tell the fork server, report the result of the run, and exit."""
    environment, failure = RunEnvironment(), None
    try:
        os.setsid()
        kernel.prctl(kernel.SET_DUMPABLE, 0)
        environment = _environment(spec)
    except Exception as error:
        failure = error
    try:
        message, fds = receive_run(control)
        if message:
            os.write(tell, message)
            control.close()
            os.close(tell)
            _serve_run(spec, environment, failure, fds)
    finally:
        with contextlib.suppress(BaseException):
            _kill_all(spec)
            if environment.folder and spec["tier"] != "bubblewrap":
                folders.remove(environment.folder)
        os._exit(0)


def receive_run(control: socket.socket) -> tuple[bytes, list[int]]:
    """Receive the next message and the file descriptors of its run; both are empty if the caller closed the socket."""
    message, fds, _, _ = socket.recv_fds(control, 16, DESCRIPTORS)
    return message, fds


def _serve_run(spec: dict[str, Any], environment: RunEnvironment, failure: Exception | None, fds: list[int]) -> None:
    payload, stdin, stdout, stderr, diagnosis, _, *entries = fds
    report = socket.socket(fileno=fds[REPORT])
    try:
        if failure:
            raise failure
        _introduce(report)
        with open(payload, "rb", closefd=False) as stream:
            job = json.loads(stream.readline())
            job["uid"] = environment.uid
            for name, size in job["files"]:
                _write(environment.folder, name, stream.read(size), environment.uid)
            inputs = [_input(stream.read(size)) for size in job["inputs"]]
        used = {"cpu_s": 0.0, "wall_s": 0.0}  # by the runs so far
        for number, step in enumerate(job["steps"]):
            if job["shares_time"] and not step["compiles"]:
                left = {name: step[name] - spent for name, spent in used.items()}
                if min(left.values()) <= 0:
                    break
                step = step | left
            entry = entries[min(number, len(entries) - 1)] if entries else None
            given = inputs.pop(0) if inputs and not step["compiles"] else stdin
            wires = (os.open(os.devnull, os.O_RDONLY), diagnosis, diagnosis) if step["compiles"] else (given, stdout, stderr)
            _room(spec, environment.folder, step["disk_mib"], job["shm_mib"])
            ended = _run(spec, job, step, environment, wires, report, entry)
            report.send(json.dumps(ended).encode())
            used = used if step["compiles"] else {name: spent + ended[name] for name, spent in used.items()}
            if job["boundary"] and not step["compiles"]:  # no process of the step is alive that could still write
                _write_all(stdout, f"\n{job['boundary']}\n".encode())
            if (ended["exit"] != 0 or ended["why"]) and not step["goes_on"]:
                break
            if step["compiles"] and spec["tier"] == "landlock":
                _make_executable(os.path.join(environment.folder, "program"))
    except BaseException as error:
        with contextlib.suppress(OSError):
            report.send(json.dumps({"error": f"{type(error).__name__}: {error}"[:2000]}).encode())


def _input(content: bytes) -> int:
    """Open the standard input of one step."""
    fd = os.memfd_create("input", os.MFD_CLOEXEC)
    _write_all(fd, content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _write_all(fd: int, content: bytes) -> None:
    while content:
        content = content[os.write(fd, content) :]


def ordinary_uid(number: int) -> int:
    """Return a user ID that owns nothing, near the end of the largest mapped range; different numbers give different IDs."""
    with open("/proc/self/uid_map") as file:
        first, _, count = max((tuple(map(int, line.split())) for line in file), key=lambda row: row[2])
    last = min(first + count, 1 << 31) - 2  # bwrap stores user IDs in 31 bits
    return int(last - number % min(USERS, count // 2))


def _environment(spec: dict[str, Any]) -> RunEnvironment:
    """Create the run's own mounts, network and System V objects, or without namespaces only a folder."""
    if spec["tier"] != "bubblewrap":
        kernel.prctl(kernel.SET_CHILD_SUBREAPER, 1)
        uid = ordinary_uid(os.getpid()) if spec["tier"] == "landlock" and not os.geteuid() else None
        folder: str = tempfile.mkdtemp(dir=os.path.realpath(spec["base"]))
        if uid:
            os.chown(folder, uid, uid)
        return RunEnvironment(folder, uid)
    kernel.unshare(kernel.NEWNS | kernel.NEWIPC | kernel.NEWNET)
    kernel.mount("proc", "/proc", "proc", kernel.NOSUID | kernel.NODEV | kernel.NOEXEC)
    safe = kernel.NOSUID | kernel.NODEV
    sockets = _network()
    _close_proc()
    kernel.mount("devpts", "/dev/pts", "devpts", kernel.NOSUID | kernel.NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    kernel.mount("tmpfs", "/dev/shm", "tmpfs", safe, "size=1m,nr_inodes=1024,mode=1777")
    owner = spec["user"] or 0
    kernel.mount("tmpfs", "/tmp", "tmpfs", safe, f"nr_inodes={folders.FILES},mode=700,uid={owner},gid={owner}")
    return RunEnvironment("/tmp", spec["user"], sockets)


def _network() -> int:
    """Bring up the loopback interface and limit its sockets' buffers; return a file descriptor of the socket statistics."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as loopback:
        fcntl.ioctl(loopback, 0x8914, struct.pack("16sH14x", b"lo", 1))
    for name, least in (("tcp_wmem", 16384), ("tcp_rmem", 131072)):
        kernel.write(f"/proc/sys/net/ipv4/{name}", f"4096 {least} {BUFFER}")
    return os.open("/proc/self/net/sockstat", os.O_RDONLY | os.O_CLOEXEC)


def _close_proc() -> None:
    """Hide the init process in `/proc`, where the program's user owns its files, and make kernel tunables read-only."""
    kernel.mount("/tmp", "/proc/1", None, kernel.BIND)  # an empty folder
    kernel.mount("/proc/sys", "/proc/sys", None, kernel.BIND)
    flags = kernel.NOSUID | kernel.NODEV | kernel.NOEXEC | kernel.RDONLY
    kernel.mount("none", "/proc/sys", None, kernel.REMOUNT | kernel.BIND | flags)


def _room(spec: dict[str, Any], folder: str, disk_mib: int, shm_mib: int) -> None:
    """Resize the working folder to leave this much free space: compilers need more than programs."""
    if spec["tier"] == "bubblewrap":
        flags = kernel.REMOUNT | kernel.NOSUID | kernel.NODEV
        kernel.mount("tmpfs", "/dev/shm", None, flags, f"size={shm_mib}m,nr_inodes=1024")
        state = os.statvfs(folder)
        used = (state.f_blocks - state.f_bfree) * state.f_frsize
        size = f"size={used + disk_mib * MIB},nr_inodes={folders.FILES}"
        kernel.mount("tmpfs", folder, None, flags, size)


def _introduce(report: socket.socket) -> None:
    """Send the caller a pidfd of this process, and wait for its go-ahead."""
    pidfd = os.pidfd_open(os.getpid())
    socket.send_fds(report, [b'{"here": true}'], [pidfd])
    os.close(pidfd)
    if report.recv(16) != b"go":
        os._exit(0)


def _write(folder: str, name: str, content: bytes, uid: int | None) -> None:
    path = f"{folder}/{name}"
    missing: list[str] = []
    while "/" in name and not os.path.isdir(parent := os.path.dirname(missing[-1] if missing else path)):
        missing.append(parent)
    for parent in reversed(missing):
        os.mkdir(parent)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    _write_all(fd, content)
    os.close(fd)
    for made in [*missing, path] if uid else []:
        os.chown(made, uid or 0, uid or 0)


def _make_executable(path: str) -> None:
    """Set the executable bit for a linker, because `chmod` has no effect inside the landlock tier."""
    with contextlib.suppress(FileNotFoundError):
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        if stat.S_ISREG(os.fstat(fd).st_mode) and os.fstat(fd).st_nlink == 1:
            os.fchmod(fd, 0o755)
        os.close(fd)


def _run(
    spec: dict[str, Any],
    job: dict[str, Any],
    step: dict[str, Any],
    environment: RunEnvironment,
    wires: tuple[int, int, int],
    report: socket.socket,
    entry: int | None,
) -> dict[str, Any]:
    """Run one step, the compiler or the program, to its end."""
    ready, tell = os.pipe2(os.O_CLOEXEC)
    # Without a user namespace the kernel counts all processes of a user; a user ID made up for this run has none yet.
    others = procfs.tasks_of(os.getuid()) if spec["tier"] == "landlock" and not job["uid"] else 0
    seen = resource_limits.Seen()
    started = time.monotonic()
    child = kernel.fork()
    if not child:
        os.close(ready)
        program.enter(entry, tell)
        program.become(spec, job, step, environment.folder, wires, tell, others)
    os.close(tell)
    failure = os.read(ready, 4096)
    os.close(ready)
    if failure:
        raise OSError(failure.decode(errors="replace"))
    report.send(f'{{"began": {step["wall_s"]}}}'.encode())  # the module json costs more than the message
    where = resource_limits.Where(environment.folder, spec["tier"] == "bubblewrap", environment.sockets, spec["numbers_agree"])
    why = _wait(child, step, started, seen, where, report)
    if why:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    _kill_all(spec)
    cpu_s = seen.ledger.close()
    return {
        "compiles": step["compiles"],
        "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
        "why": why or ("timeout" if cpu_s >= step["cpu_s"] else None),
        "wall_s": time.monotonic() - started,
        "cpu_s": cpu_s,
        "peak_kib": max(usage.ru_maxrss, seen.memory_kib),
    }


def _wait(
    child: int,
    step: dict[str, Any],
    started: float,
    seen: resource_limits.Seen,
    where: resource_limits.Where,
    report: socket.socket,
) -> str | None:
    """Wait until the program ends (None), exceeds a limit (its name), or the caller is gone."""
    pidfd = os.pidfd_open(child)
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.register(report, select.POLLIN)
    pause, deadline = FIRST_LOOK_S, started + step["wall_s"]
    try:
        while True:
            events = [fd for fd, _ in poll.poll(max(0.0, min(pause, deadline - time.monotonic())) * 1000)]
            if pidfd in events:
                return None
            if report.fileno() in events:  # "stop", or the caller is gone
                return "stopped"
            if time.monotonic() >= deadline:
                return "timeout"
            looked = time.monotonic()
            if where.alone and procfs.is_alone(child) and procfs.cpu_s(child) < FIRST_LOOK_S:
                pause = LOOK_S[looked < started + 0.1]
                continue
            if why := resource_limits.passed(step, seen, where, child):
                return why
            now = time.monotonic()
            pause = max(LOOK_S[seen.close or now < started + 0.1], now - looked)  # polling takes at most half of a CPU
    finally:
        os.close(pidfd)


def _kill_all(spec: dict[str, Any]) -> None:
    """Kill every process of the run except this one, which adopts the orphans among them."""
    namespace = spec["tier"] == "bubblewrap"
    if namespace:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # no process is left
        while True:
            pid, _ = os.waitpid(-1, 0 if namespace else os.WNOHANG)
            # Stop first: a fork bomb could otherwise outrun the kills.
            for kind in (signal.SIGSTOP, signal.SIGKILL) if not pid else ():
                for other in procfs.descendants(os.getpid()):
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(other, kind)
