"""Which kinds of isolation there are, what each holds and does not hold, and which of them this machine has.

A tier is tried, not looked up: a machine may have the program `bwrap` and forbid what it needs.
"""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass

from hf_oss_instruct.errors import SandboxError, UsageError
from hf_oss_instruct.sandbox import payload, supervise
from hf_oss_instruct.sandbox.launchers import launcher
from hf_oss_instruct.sandbox.limits import Limits


@dataclass(frozen=True, slots=True)
class Tier:
    """One kind of isolation.

    Attributes:
        name: the name in results, on cards and in `tier=`.
        title: what it is made of.
        holds: what a program cannot do, a line each.
        does_not_hold: what it can, a line each.
        get_it: what to do on a machine that does not have it.
    """

    name: str
    title: str
    holds: tuple[str, ...]
    does_not_hold: tuple[str, ...]
    get_it: str = ""

    def __str__(self) -> str:
        return self.name


_LIMITED = (
    "CPU time, wall time and output are bounded; the caller always gets an answer",
    "memory and each file are bounded for every process (but for JVM, Node.js, Go and Mono, see below)",
    "the environment of the caller is not passed on",
    "nothing of the run outlives it, and none of its files reaches the next run",
)
_WATCHED = (
    "memory summed over processes, and memory of JVM, Node.js, Go and Mono: a look every 20 ms, so that a program can be over "
    "the limit for a moment",
)
_COMMON_GAPS = (
    "faults of the kernel and of the processor: this is no virtual machine",
    "the shape of the machine: number of processors, amount of memory, kernel version",
    "what runs take from each other: processor caches, memory bandwidth, time",
)

BUBBLEWRAP = Tier(
    "bubblewrap",
    "namespaces (bubblewrap), seccomp, limits, a watch",
    (
        "no file of the host is readable but /usr, the toolchain and a few files of /etc without secrets",
        "no file is writable but those of a work folder and /dev/shm, bounded in size and number, gone after the run",
        "no network but its own loopback; no socket of the host, neither by path nor abstract",
        "no process of the host or of another run can be seen, signalled or traced",
        "processes and threads are bounded, also when the caller is root",
        "no io_uring, no new namespaces, no mounts, no tracing, no kernel keys, no System V or anonymous memory, no terminal",
        *_LIMITED,
    ),
    (*_WATCHED, *_COMMON_GAPS),
    "Install it with: sudo apt-get install bubblewrap. It needs user namespaces for ordinary users: in a container they are "
    "mostly forbidden; on Ubuntu 24.04, sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0.",
)
LANDLOCK = Tier(
    "landlock",
    "landlock, seccomp, limits, a watch",
    (
        "no file of the host can be read but /usr, the toolchain and a few files of /etc and /proc without secrets",
        "no file can be written but those of a work folder, gone after the run",
        "no network: no socket can be made, but for connected pairs",
        "no process outside the run can be traced, or (from Linux 6.12) signalled; its priority and limits cannot be changed",
        "no io_uring, no new namespaces, no mounts, no kernel keys, no System V or anonymous memory",
        "files keep their mode, owner and times: changing them does nothing, and says it did",
        *_LIMITED,
    ),
    (
        *_WATCHED,
        "total size of the work folder: the same look every 20 ms; each file is bounded exactly",
        "processes and threads: counted over all of the user, so that others of the same user count in between (exact where the "
        "caller is root); the same look finds who is over",
        "names, sizes and times of files can be seen anywhere; the list of processes too, before landlock version 5",
        "the folder /dev/shm and semaphores in it: multiprocessing pools and queues fail; /tmp itself is closed, $TMPDIR is not",
        "as an ordinary user before Linux 6.12: a program can signal other processes of that user",
        *_COMMON_GAPS,
    ),
    "It needs Linux 5.13 or later with landlock switched on (lsm=landlock,… on the kernel command line).",
)
UNSAFE_NONE = Tier(
    "unsafe-none",
    "limits and a watch; no isolation",
    _LIMITED[:3],
    (
        "everything else: the program reads and writes what you can, uses the network, and sees and signals your processes",
        *_WATCHED,
        *_COMMON_GAPS,
    ),
)
TIERS = {tier.name: tier for tier in (BUBBLEWRAP, LANDLOCK, UNSAFE_NONE)}


@functools.cache
def trouble_with(name: str) -> str | None:
    """Why this machine does not have a tier, or None if it has. The tier is tried once, by running a program in it."""
    if not sys.platform.startswith("linux"):
        return f"it needs Linux, and this is {sys.platform}"
    key, told, most_s = payload.python("print(6 * 7)", {}, Limits(), name)
    try:
        heard = supervise.run(told, b"", 1000, most_s, launcher(key).launch)
    except (SandboxError, supervise.Stuck, OSError) as error:
        return str(error)
    stdout, stderr, _ = heard.streams
    return None if stdout == b"42\n" else stderr.decode(errors="replace") or "a program printed nothing"


def available_tiers() -> tuple[Tier, ...]:
    """The tiers that isolate and that this machine has, the best first."""
    return tuple(tier for tier in (BUBBLEWRAP, LANDLOCK) if trouble_with(tier.name) is None)


def chosen_tier(name: str | None = None) -> Tier:
    """The tier of this name, or the best this machine has.

    Raises:
        SandboxError: the machine has none, or not this one; the message says how to get one.
        UsageError: there is no tier of this name.
    """
    if name is not None:
        if name not in TIERS:
            raise UsageError(f"There is no sandbox tier {name!r}. Use one of: {', '.join(TIERS)}.")
        return TIERS[name]
    for tier in (BUBBLEWRAP, LANDLOCK):
        if trouble_with(tier.name) is None:
            return tier
    reasons = "\n".join(f"- {tier.name}: {trouble_with(tier.name)}. {tier.get_it}" for tier in (BUBBLEWRAP, LANDLOCK))
    raise SandboxError(
        f"Programs of strangers are not run here without a sandbox, and this machine has none:\n{reasons}\n"
        "Where the machine itself is disposable, you can say --unsafe-no-sandbox (in Python: tier='unsafe-none')."
    )
