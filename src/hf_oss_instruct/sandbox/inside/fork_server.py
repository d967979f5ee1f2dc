"""The fork server: a small Python process with the standard library loaded, which forks an init process for every run.

It has two phases. `descend` runs first, with the caller's privileges, where root drops to an ordinary user. `serve` runs second,
inside the outer sandbox if the tier has one, and forks an init process ahead of each run. The init process, not the fork server,
receives the run from the socket, so nothing of one run is in memory when the next is forked.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import socket
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from . import (  # noqa: F401  (for the forks)
    container_init,
    folders,
    frameworks,
    function_calls,
    kernel,
    matrix_calls,
    modules,
    program,
    record_checks,
    run_environment,
    seccomp,
    suites,
)

# The modules that programs import most. Others are imported when a program needs them.
PRELOADED = """
abc argparse array ast base64 bisect collections.abc contextlib copy dataclasses datetime decimal enum fractions
functools glob heapq inspect io itertools json math numbers operator os pathlib pprint random re signal socket string
struct textwrap threading time traceback types typing unittest urllib.parse zlib
""".split()


def descend(spec: dict[str, Any]) -> None:
    """Drop root privileges if the caller is root, then exec `spec["argv"]`."""
    if not os.geteuid() and spec["tier"] != "unsafe-none":
        _expose_toolchains(spec["readable"])
        if spec["tier"] == "bubblewrap":
            uid = run_environment.ordinary_uid(os.getpid())
            namespace = _create_user_namespace(uid, run_environment.ordinary_uid(os.getpid() + run_environment.UID_RANGE // 2))
            _set_user(uid)
            if namespace is not None:
                index = spec["argv"].index("--unshare-user")
                spec["argv"][index : index + 1] = ["--userns", str(namespace)]
    _, hard_limit = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (program.THREAD_STACK_MIB * program.MIB, hard_limit))  # libc reads it at startup
    os.chdir("/")
    os.execve(spec["argv"][0], spec["argv"], {})


def _set_user(uid: int) -> None:
    # The user comes last: without root's user ID the groups cannot be changed any more.
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def _create_user_namespace(init_uid: int, program_uid: int) -> int | None:
    """Create a user namespace with two users, 0 for init processes and 1 for programs; None if that is forbidden.

    Running as another user, programs cannot touch their init processes. Only root may map users other than its own. The namespace
    is owned by the first of the two, who will enter it.
    """
    created_fd, created_pipe = os.pipe()
    mapped_fd, mapped_pipe = os.pipe()
    child = os.fork()
    if not child:
        os.close(mapped_pipe)
        with contextlib.suppress(BaseException):
            _set_user(init_uid)
            kernel.unshare(kernel.NEWUSER)
            os.write(created_pipe, b".")
            # The namespace ends with its last process, so wait until it was mapped and opened.
            os.read(mapped_fd, 1)
        os._exit(0)
    os.close(created_pipe)
    namespace = None
    # End of file instead: the child could not create it.
    if os.read(created_fd, 1):
        with contextlib.suppress(OSError):
            for name in ("uid_map", "gid_map"):
                with open(f"/proc/{child}/{name}", "w") as file:
                    file.write(f"0 {init_uid} 1\n1 {program_uid} 1\n")
            namespace = os.open(f"/proc/{child}/ns/user", os.O_RDONLY)
            os.set_inheritable(namespace, True)
    for fd in (created_fd, mapped_fd, mapped_pipe):
        os.close(fd)
    os.waitpid(child, 0)
    return namespace


def _expose_toolchains(paths: list[str]) -> None:
    """Make toolchains inside a private folder such as /root readable for an ordinary user, and nothing else in it.

    This happens in a mount namespace that only this process and its children share.
    """
    by_private_folder: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        private = [folder for folder in reversed(Path(path).parents) if folder.exists() and not folder.stat().st_mode & 1]
        if private:
            by_private_folder[str(private[0])].append(path)
    if not by_private_folder:
        return
    try:
        kernel.unshare(kernel.NEWNS)
        # Otherwise the mounts below would also appear in the caller's mount namespace.
        kernel.mount("none", "/", None, kernel.REC | kernel.PRIVATE)
    except PermissionError:
        private_folders = ", ".join(by_private_folder)
        sys.exit(f"{private_folders} cannot be read by ordinary users, and root's programs run as one. Install Python elsewhere.")
    for folder, toolchains in by_private_folder.items():
        # Opened first: the tmpfs then covers the folder with everything in it.
        contents = [(path, os.path.isdir(path), os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in toolchains]
        kernel.mount("tmpfs", folder, "tmpfs", kernel.NOSUID | kernel.NODEV, "mode=755,size=1m")
        for path, is_folder, fd in contents:
            os.makedirs(path if is_folder else os.path.dirname(path), exist_ok=True)
            if not is_folder:
                os.close(os.open(path, os.O_CREAT))
            kernel.mount(f"/proc/self/fd/{fd}", path, None, kernel.BIND | kernel.REC)


def serve(spec: dict[str, Any]) -> None:
    """Fork an init process for every run, until the socket closes."""
    control = socket.socket(fileno=spec["control_fd"])
    sys.path += spec["packages"]
    for name in [*PRELOADED, *spec["preload"]]:
        # What is not installed fails in the program that imports it.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if spec["tier"] == "landlock":
        importlib.import_module("inside.semaphores").install()
    modules.plain_code()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # let the kernel reap child processes
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the caller, who then closes the socket
    pid_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY)
    if spec["tier"] != "unsafe-none":
        seccomp.build(os.uname().machine, namespaces=spec["tier"] == "bubblewrap")  # kept for the forks
    with open("/proc/self/uid_map") as file:
        users = sum(int(line.split()[2]) for line in file)
    spec["user"] = 1 if spec["tier"] == "bubblewrap" and users > 1 else None
    spec["inodes_match"] = not spec["base"] or folders.inodes_match(spec["base"])
    gc.collect()
    gc.freeze()  # garbage collection in a child would touch, and so copy, every page
    control.send(b"ready")
    while _serve_next_run(spec, control, pid_namespace):
        pass
    with contextlib.suppress(ChildProcessError):
        os.wait()  # returns once all of them are gone, as the kernel reaps them
    if spec["base"]:
        with contextlib.suppress(OSError):
            folders.remove(spec["base"])


def _serve_next_run(spec: dict[str, Any], control: socket.socket, pid_namespace: int) -> bool:
    """Fork an init process and wait until it has received a run; False if there are no more."""
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    try:
        # Ahead of its run: namespaces and mounts are ready when the run arrives.
        child = _fork(spec, pid_namespace)
    except OSError as error:
        os.close(read_end)
        os.close(write_end)
        return _report_error(control, f"no run could be started: {error}")
    if not child:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # it waits for its own children
        os.close(read_end)
        os.close(pid_namespace)
        container_init.serve_run(spec, control, write_end)
    os.close(write_end)
    # End of file without a message: the caller closed the socket, or the init process died before its run.
    received = bool(os.read(read_end, 1))
    os.close(read_end)
    if received:
        return True
    with contextlib.suppress(BlockingIOError):
        if not control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
            return False
    time.sleep(0.1)  # it died while waiting: if the machine is out of memory, the next one may too
    return True


def _fork(spec: dict[str, Any], pid_namespace: int) -> int:
    """Fork, with a new PID namespace for the child if the tier has one."""
    if spec["tier"] != "bubblewrap":
        return kernel.fork()
    kernel.unshare(kernel.NEWPID)
    child = None
    try:
        child = kernel.fork()
    finally:
        # Back at once: later children would land in that namespace too, and could not be forked once its first process is gone.
        if child != 0:  # the child stays in the namespace it was created in
            kernel.setns(pid_namespace, kernel.NEWPID)
    return child


def _report_error(control: socket.socket, why: str) -> bool:
    """Tell the next caller why its run cannot start; False if the socket is closed."""
    message, fds = container_init.receive_run(control)
    if fds:
        with contextlib.suppress(OSError):
            os.write(fds[container_init.REPORT_FD], json.dumps({"error": why}).encode())
    for fd in fds:
        os.close(fd)
    return bool(message)


def main() -> None:
    """Run the phase that the first argument names."""
    del sys.path[0]
    spec = json.loads(sys.argv[2])
    {"descend": descend, "serve": serve}[sys.argv[1]](spec)
