"""Turn a fork into the untrusted program: set limits, drop privileges permanently, then exec or run Python's `__main__`."""

from __future__ import annotations

import atexit
import builtins
import io
import os
import random
import resource
import signal
import sys
import threading
import types
from importlib.machinery import SourceFileLoader
from typing import Any, NoReturn

from . import kernel, landlock, seccomp

MIB = 1 << 20
USER = 1000  # user ID as the program sees it
EXTRA_ADDRESS_SPACE_MIB = 3072  # address space beyond the memory limit: libraries, thread stacks, malloc arenas
INTERPRETER_MIB = 24  # memory of the interpreter before the program starts
STACK_MIB, THREAD_STACK_MIB = 64, 2  # a thread's stack counts as memory even while it is empty
# What programs may read without their own mounts. In /proc, only themselves and the machine's shape.
READABLE = (
    "/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc/alternatives", "/etc/ld.so.cache", "/etc/ssl/openssl.cnf",
    "/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/filesystems", "/proc/version",
    "/proc/sys/vm/overcommit_memory", "/sys/devices/system/cpu",
)  # fmt: skip
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


def enter_cgroup(cgroup_fd: int | None, error_fd: int) -> None:
    """Enter the control group that limits the program's memory, if there is one."""
    if cgroup_fd is not None:
        try:
            os.write(cgroup_fd, b"0")
        except OSError as error:
            os.write(error_fd, f"the control group cannot be entered: {error}".encode())
            os._exit(1)


def exec_program(
    spec: dict[str, Any],
    job: dict[str, Any],
    step: dict[str, Any],
    folder: str,
    stdio: tuple[int, int, int],
    error_fd: int,
    other_threads: int,
) -> NoReturn:
    """Become the program; never returns.

    Args:
        spec: the fork server's own spec.
        job: the header of the job spec, with the user to run as.
        step: the step to run: its command, environment and limits.
        folder: the working folder.
        stdio: file descriptors of standard input, output and error.
        error_fd: file descriptor to which errors before the program starts are written.
        other_threads: number of threads that the kernel counts together with the program's, see `procfs.count_threads`.
    """
    try:
        # A session of its own: what the program sends to its process group (`kill 0`) must not reach the init process.
        os.setsid()
        for number, fd in enumerate(stdio):
            # Copied first if it is itself one of 0, 1 and 2, which an earlier round of this loop may have replaced.
            os.dup2(os.dup(fd) if fd < 3 else fd, number)
        os.chdir(folder)
        environment = _environment(spec, step, folder)
        # Limits after privileges: processes are counted in the new user namespace. seccomp comes last, because it refuses calls
        # that the steps before it make.
        _drop_privileges(spec, job)
        _set_limits(step, other_threads)
        if spec["tier"] == "landlock":
            landlock.restrict([*READABLE, *spec["readable"]], DEVICES, folder)
        if spec["tier"] != "unsafe-none":
            seccomp.apply(seccomp.build(os.uname().machine, namespaces=spec["tier"] == "bubblewrap"))
        # A fork without exec would keep the init process's descriptors: its socket, the control group, inputs of later steps.
        _close_other_fds(error_fd)
        if step["argv"]:
            # Ignored signals stay ignored across exec: Python ignores SIGPIPE, and the fork server SIGINT.
            for kind in (signal.SIGINT, signal.SIGPIPE):
                signal.signal(kind, signal.SIG_DFL)
            argv = [_expand(word, step, folder) for word in step["argv"]]
            os.execve(argv[0], argv, environment)
        os.close(error_fd)
    except BaseException as error:
        os.write(error_fd, f"{type(error).__name__}: {error}".encode())
        os._exit(1)
    _run_python(os.path.join(folder, step["program"]), environment)


def _environment(spec: dict[str, Any], step: dict[str, Any], folder: str) -> dict[str, str]:
    common = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": folder,
        "TMPDIR": folder,
        "LANG": "C.UTF-8",
        # glibc reserves address space for an arena per thread, which would count towards RLIMIT_AS.
        "MALLOC_ARENA_MAX": "2",
    }
    return common | {name: _expand(value, step, folder) for name, value in step["env"].items()}


def _expand(word: str, step: dict[str, Any], folder: str) -> str:
    for placeholder, path in (("{source}", f"{folder}/{step['program']}"), ("{program}", f"{folder}/program"), ("{dir}", folder)):
        word = word.replace(placeholder, path)
    return word


def _drop_privileges(spec: dict[str, Any], job: dict[str, Any]) -> None:
    """Drop all capabilities, and switch to a user ID that owns nothing if one was chosen."""
    if job["uid"] and spec["tier"] != "unsafe-none":
        # Groups before the user, as without root's user ID they cannot be changed.
        os.setgroups([])
        os.setresgid(job["uid"], job["uid"], job["uid"])
        os.setresuid(job["uid"], job["uid"], job["uid"])
    kernel.prctl(kernel.SET_DUMPABLE, 1)  # otherwise /proc/self would belong to root
    if spec["tier"] == "bubblewrap":
        # The run gets its own user namespace: processes are counted per namespace, and it owns none of the mounts.
        outer = os.geteuid(), os.getegid()
        kernel.unshare(kernel.NEWUSER)
        # The kernel requires "deny" before an unprivileged process may map its group.
        for name, text in (("setgroups", "deny"), ("uid_map", f"{USER} {outer[0]} 1"), ("gid_map", f"{USER} {outer[1]} 1")):
            kernel.write(f"/proc/self/{name}", text)
    if spec["tier"] != "unsafe-none":
        kernel.drop_capabilities()
    # Again: new credentials reset it, here those of the user namespace.
    kernel.prctl(kernel.SET_DUMPABLE, 1)


def _set_limits(step: dict[str, Any], other_threads: int) -> None:
    _, hard_limit = resource.getrlimit(resource.RLIMIT_STACK)
    stack_mib = 8 if step["argv"] else STACK_MIB  # after an exec, this is also the size of each thread's stack
    resource.setrlimit(
        resource.RLIMIT_STACK, (min(stack_mib * MIB, hard_limit) if hard_limit > 0 else stack_mib * MIB, hard_limit)
    )
    cpu_s = int(step["cpu_s"] + 0.5) + 1  # at least half a second more than the limit, which is enforced from outside
    sizes = {
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_FSIZE: step["disk_mib"] * MIB,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 512,
        resource.RLIMIT_NPROC: other_threads
        + step["processes"]
        + 1,  # one more, so that the monitor can see that the limit is exceeded
        # Message queues are memory of the kernel; a higher priority could keep the monitor from running.
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_MEMLOCK: 8 * MIB,
        resource.RLIMIT_NICE: 0,
        resource.RLIMIT_RTPRIO: 0,
    }
    if step["limits_address_space"]:
        # Not for JVM, Node.js, Go and the like: they reserve far more address space than they use.
        sizes[resource.RLIMIT_AS] = (step["memory_mib"] + EXTRA_ADDRESS_SPACE_MIB) * MIB
        sizes[resource.RLIMIT_DATA] = (step["memory_mib"] + INTERPRETER_MIB) * MIB
    for kind, size in sizes.items():
        _, hard_limit = resource.getrlimit(kind)
        size = size if hard_limit == resource.RLIM_INFINITY else min(size, hard_limit)
        resource.setrlimit(kind, (size, size))


def _close_other_fds(kept: int) -> None:
    # `os.closerange` is one system call (close_range) where the kernel has it, however many numbers there are.
    os.closerange(3, kept)
    os.closerange(kept + 1, 1 << 20)


def _run_python(path: str, environment: dict[str, str]) -> NoReturn:
    """Run a file as `python FILE` would, in this process."""
    # As in a new interpreter; the fork server ignores it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    random.seed()  # forks would otherwise draw the same numbers
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    sys.argv, sys.path[:0] = [path], [os.path.dirname(path)]
    for fd, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        stream = io.TextIOWrapper(
            open(fd, mode + "b", closefd=False),
            encoding="utf-8",
            errors="strict" if name == "stdin" else "surrogateescape" if name == "stdout" else "backslashreplace",
            line_buffering=name == "stderr",
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os._exit(_finalize(_run_main(path)))


def _run_main(path: str) -> int:
    """Run the file as `__main__` and return the exit code that Python would give."""
    main = types.ModuleType("__main__")
    main.__dict__.update(__file__=path, __builtins__=builtins, __loader__=SourceFileLoader("__main__", path), __cached__=None)
    sys.modules["__main__"] = sys.modules["__mp_main__"] = main  # multiprocessing uses the second name
    try:
        with open(path, "rb") as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
        exec(code, main.__dict__)
    except SystemExit as error:
        return _exit_code(error.code)
    except BaseException as error:
        trace = error.__traceback__
        inner = trace.tb_next if trace else None  # without this function's frame
        sys.excepthook(type(error), error.with_traceback(inner), inner)
        return 1
    return 0


def _exit_code(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1


def _finalize(code: int) -> int:
    """Do what Python does when its main program ends, except for finalizing the interpreter."""
    try:
        # Joins the program's threads, as Python does at the end of its main program.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        return code or 120
    return code
