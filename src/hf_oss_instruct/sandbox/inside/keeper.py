"""What one run is put into, and who watches over it.

The keeper is a fork of the launcher and our code. It makes a world before there is a run for it, takes the run from the
launcher's socket, starts the program as its child and looks at time, memory and processes until it ends. With namespaces it is
the first process of its own, so that its death is the death of all; without, it inherits every orphan and kills until there is
none. It is out of the program's reach: its capabilities are in an outer user namespace (bubblewrap), or it is another landlock
domain.
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
from itertools import zip_longest
from typing import Any, NoReturn

from . import folders, kernel, program, watch

MIB = 1 << 20
LOOK_S = (0.02, 0.003)  # seconds between looks, and in the first tenth of a second or when a limit is near
FILES = 16384  # files in the work folder, at most
DESCRIPTORS, REPORT = 8, 5  # payload, stdin, stdout, stderr, what the compiler says, report, entries of control groups


def keep(spec: dict[str, Any], control: socket.socket, tell: int) -> NoReturn:
    """Make a world, take a run from the socket, say so to the launcher, report what becomes of the run, and end."""
    for kind in (signal.SIGCHLD, signal.SIGINT, signal.SIGPIPE):
        signal.signal(kind, signal.SIG_DFL)
    folder, uid, trouble = "", None, None
    try:
        os.setsid()
        kernel.prctl(kernel.SET_DUMPABLE, 0)
        folder, uid = _world(spec)
    except Exception as error:
        trouble = error
    try:
        message, fds = take(control)
        if message:
            os.write(tell, message)
            control.close()
            os.close(tell)
            _keep(spec, folder, uid, trouble, fds)
    finally:
        with contextlib.suppress(BaseException):
            _kill_all(spec)
            if folder and spec["tier"] != "bubblewrap":
                folders.remove(folder)
        os._exit(0)


def take(control: socket.socket) -> tuple[bytes, list[int]]:
    """The next message, and the descriptors of its run; nothing when the caller has let go of the socket."""
    message, fds, _, _ = socket.recv_fds(control, 16, DESCRIPTORS)
    return message, fds


def _keep(spec: dict[str, Any], folder: str, uid: int | None, trouble: Exception | None, fds: list[int]) -> None:
    payload, stdin, stdout, stderr, diagnosis, _, *entries = fds
    report = socket.socket(fileno=fds[REPORT])
    try:
        if trouble:
            raise trouble
        _introduce(report)
        with open(payload, "rb", closefd=False) as stream:
            job = json.loads(stream.readline())
            job["uid"] = uid
            for name, size in job["files"]:
                _write(folder, name, stream.read(size), uid)
        for step, entry in zip_longest(job["steps"], entries):
            wires = (os.open(os.devnull, os.O_RDONLY), diagnosis, diagnosis) if step["compiles"] else (stdin, stdout, stderr)
            _room(spec, folder, step["disk_mib"], job["shm_mib"])
            ended = _run(spec, job, step, folder, wires, report, entry)
            report.send(json.dumps(ended).encode())
            if ended["exit"] != 0 or ended["why"]:
                break
            if step["compiles"] and spec["tier"] == "landlock":
                _make_executable(os.path.join(folder, "program"))
    except BaseException as error:
        with contextlib.suppress(OSError):
            report.send(json.dumps({"error": f"{type(error).__name__}: {error}"[:2000]}).encode())


def ordinary_uid(number: int) -> int:
    """A user that owns nothing: near the end of the largest range that exists here, other for other numbers."""
    with open("/proc/self/uid_map") as file:
        first, _, count = max((tuple(map(int, line.split())) for line in file), key=lambda row: row[2])
    last = min(first + count, 1 << 31) - 2  # bwrap counts users in 31 bits
    return int(last - number % min(1 << 20, count // 2))


def _world(spec: dict[str, Any]) -> tuple[str, int | None]:
    """The run's own mounts, network and System V objects, or only a folder: the work folder, and the user it is given to."""
    if spec["tier"] != "bubblewrap":
        kernel.prctl(kernel.SET_CHILD_SUBREAPER, 1)
        uid = ordinary_uid(os.getpid()) if spec["tier"] == "landlock" and not os.geteuid() else None
        folder: str = tempfile.mkdtemp(dir=spec["base"])
        if uid:
            os.chown(folder, uid, uid)
        return folder, uid
    kernel.unshare(kernel.NEWNS | kernel.NEWIPC | kernel.NEWNET)
    kernel.mount("proc", "/proc", "proc", kernel.NOSUID | kernel.NODEV | kernel.NOEXEC)
    safe = kernel.NOSUID | kernel.NODEV
    kernel.mount("devpts", "/dev/pts", "devpts", kernel.NOSUID | kernel.NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    kernel.mount("tmpfs", "/dev/shm", "tmpfs", safe, "size=1m,nr_inodes=1024,mode=1777")
    kernel.mount("tmpfs", "/tmp", "tmpfs", safe, f"nr_inodes={FILES},mode=700")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as loopback:  # its own, which leads to itself
        fcntl.ioctl(loopback, 0x8914, struct.pack("16sH14x", b"lo", 1))
    return "/tmp", None


def _room(spec: dict[str, Any], folder: str, disk_mib: int, shm_mib: int) -> None:
    """Leave so much space in the work folder beside what is there: compilers need more than programs."""
    if spec["tier"] == "bubblewrap":
        flags = kernel.REMOUNT | kernel.NOSUID | kernel.NODEV
        kernel.mount("tmpfs", "/dev/shm", None, flags, f"size={shm_mib}m,nr_inodes=1024")
        state = os.statvfs(folder)
        used = (state.f_blocks - state.f_bfree) * state.f_frsize
        size = f"size={used + disk_mib * MIB},nr_inodes={FILES}"
        kernel.mount("tmpfs", folder, None, flags, size)


def _introduce(report: socket.socket) -> None:
    """Give the caller a handle to kill us by, and wait until it has put us where it wants us."""
    pidfd = os.pidfd_open(os.getpid())
    socket.send_fds(report, [b'{"here": true}'], [pidfd])
    os.close(pidfd)
    if report.recv(16) != b"go":
        os._exit(0)


def _write(folder: str, name: str, content: bytes, uid: int | None) -> None:
    path = os.path.join(folder, name)
    missing: list[str] = []
    while not os.path.isdir(parent := os.path.dirname(missing[-1] if missing else path)):
        missing.append(parent)
    for parent in reversed(missing):
        os.mkdir(parent)
    with open(path, "wb") as file:
        file.write(content)
    for made in [*missing, path] if uid else []:
        os.chown(made, uid or 0, uid or 0)


def _make_executable(path: str) -> None:
    """What a linker does at its end, where the program's own `chmod` does nothing."""
    with contextlib.suppress(FileNotFoundError):
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        if stat.S_ISREG(os.fstat(fd).st_mode) and os.fstat(fd).st_nlink == 1:
            os.fchmod(fd, 0o755)
        os.close(fd)


def _run(
    spec: dict[str, Any],
    job: dict[str, Any],
    step: dict[str, Any],
    folder: str,
    wires: tuple[int, int, int],
    report: socket.socket,
    entry: int | None,
) -> dict[str, Any]:
    """One step from start to end: the compiler or the program."""
    ready, tell = os.pipe2(os.O_CLOEXEC)
    # Without a user namespace the kernel counts all processes of a user; one made up for this run has none yet.
    others = watch.tasks_of(os.getuid()) if spec["tier"] == "landlock" and not job["uid"] else 0
    started = time.monotonic()
    child = os.fork()
    if not child:
        os.close(ready)
        program.enter(entry, tell)
        program.become(spec, job, step, folder, wires, tell, others)
    os.close(tell)
    trouble = os.read(ready, 4096)
    os.close(ready)
    if trouble:
        raise OSError(trouble.decode(errors="replace"))
    pidfd = os.pidfd_open(child)
    seen = watch.Seen()
    why = _wait(pidfd, step, started, seen, spec["tier"] == "bubblewrap", folder, report)
    if why:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    os.close(pidfd)
    _kill_all(spec)
    return {
        "compiles": step["compiles"],
        "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
        "why": why or ("timeout" if usage.ru_utime + usage.ru_stime >= step["cpu_s"] else None),
        "wall_s": time.monotonic() - started,
        "cpu_s": max(usage.ru_utime + usage.ru_stime, seen.cpu_s),
        "peak_kib": max(usage.ru_maxrss, seen.memory_kib),
    }


def _wait(
    pidfd: int, step: dict[str, Any], started: float, seen: watch.Seen, alone: bool, folder: str, report: socket.socket
) -> str | None:
    """Until the program ends (None), or a limit is passed (its name), or the caller is gone."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.register(report, select.POLLIN)
    pause, deadline = LOOK_S[1], started + step["wall_s"]
    while True:
        events = [fd for fd, _ in poll.poll(max(0.0, min(pause, deadline - time.monotonic())) * 1000)]
        if pidfd in events:
            return None
        if report.fileno() in events:  # "stop", or nobody there to hear
            return "stopped"
        if time.monotonic() >= deadline:
            return "timeout"
        if why := watch.passed(step, seen, alone, folder):
            return why
        pause = LOOK_S[seen.close or time.monotonic() < started + 0.1]


def _kill_all(spec: dict[str, Any]) -> None:
    """Every process of the run but this one, which inherits the orphans among them."""
    namespace = spec["tier"] == "bubblewrap"
    if namespace:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # nobody is left
        while True:
            pid, _ = os.waitpid(-1, 0 if namespace else os.WNOHANG)
            # Stopped first: what forks faster than it is killed would never end.
            for kind in (signal.SIGSTOP, signal.SIGKILL) if not pid else ():
                for other in watch.descendants(os.getpid()):
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(other, kind)
