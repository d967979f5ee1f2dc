"""The isolation tiers, what each guarantees, and which of them work on this machine.

A tier is tested by running a program in it, because a machine may have `bwrap` and still forbid what it needs.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from hf_oss_instruct.errors import SandboxError, UsageError
from hf_oss_instruct.sandbox import cgroups, job_spec, monitor
from hf_oss_instruct.sandbox.fork_servers import fork_server
from hf_oss_instruct.sandbox.guarantees import GUARANTEES
from hf_oss_instruct.sandbox.limits import Limits


@dataclass(frozen=True, slots=True)
class Tier:
    """An isolation tier.

    Attributes:
        name: the name in results, on cards and in `tier=`.
        title: the mechanisms it is built from.
        does_not_hold: guarantees (names in `guarantees.GUARANTEES`) that it does not provide on every machine, each with the
            reason. `not_held` gives those of this machine.
        breaks: legitimate features that fail in it, each with the reason.
        get_it: how to make it available.
    """

    name: str
    title: str
    does_not_hold: Mapping[str, str]
    breaks: Mapping[str, str] = field(default_factory=dict)
    get_it: str = ""

    @property
    def holds(self) -> tuple[str, ...]:
        """Names of the guarantees that it provides on every machine where it works."""
        return tuple(name for name in GUARANTEES if name not in self.does_not_hold)

    def __str__(self) -> str:
        return self.name


# What no tier protects against.
GAPS = (
    "Bugs in the kernel or the CPU are not covered: this is not a virtual machine.",
    "The shape of the machine is visible: number of CPUs, amount of memory, kernel version.",
    "Runs compete for shared resources: CPU caches, memory bandwidth, time.",
    "Without a control group, shared pages that a program unmapped appear only in the machine's total: what other processes free "
    "at the same moment hides as many of them.",
    "A program that shares a process with its tests can find the nonce and print it; functions judged from outside cannot.",
)
# Guarantees that need a control group.
_BY_CGROUP = ("memory-summed-peak", "kernel-memory")
_PEAK = (
    "The sum is polled every 3 to 20 ms: several processes, or a runtime that reserves address space (JVM, Node.js, Go, "
    "Mono), can exceed the limit for a moment."
)
_KERNEL = (
    "Not counted: pipes (64 MiB for all runs of a user, then 8 KiB each), file locks, epoll watches, records of mappings "
    "and of open files."
)
_UNSEEN = (
    "Processes are polled every 3 to 20 ms. Where a parent ignores SIGCHLD, what its children use after their last poll is not "
    "counted; the wall time limit bounds it."
)

BUBBLEWRAP = Tier(
    "bubblewrap",
    "namespaces (bubblewrap), seccomp, limits, a monitor",
    {"memory-summed-peak": _PEAK, "kernel-memory": _KERNEL, "cpu-unseen": _UNSEEN},
    get_it="Install it with: sudo apt-get install bubblewrap. It needs unprivileged user namespaces: in a container they "
    "are usually forbidden; on Ubuntu 24.04, run: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0.",
)
"""Not guaranteed: memory-summed-peak and kernel-memory where no control group can be created, cpu-unseen, and `GAPS`."""
LANDLOCK = Tier(
    "landlock",
    "landlock, seccomp, limits, a monitor",
    {
        "memory-summed-peak": _PEAK,
        "kernel-memory": _KERNEL,
        "cpu-unseen": _UNSEEN,
        "init-process": "Before Linux 6.12 the program can signal it if the caller is an ordinary user.",
        "disk": "Each file is bounded; their sum is polled every 3 to 20 ms.",
        "processes": "Exact if the caller is root; otherwise the kernel counts all processes of the user, whose number varies.",
        "host-processes": "Before Linux 6.12 a program can signal other processes of an ordinary user; whether a process ID "
        "exists is always visible.",
        "host-files-unreadable": "Contents are unreadable; sizes and times of files whose names are guessed are visible.",
    },
    {
        "spawned-processes": "multiprocessing's 'spawn', 'forkserver', managers need /dev/shm or sockets. Forks and pools work.",
        "chmod": "Changing a file's mode, owner or times has no effect but reports success.",
        "/tmp": "Only the working folder is writable; TMPDIR points to it.",
        "sockets": "Only connected pairs are available.",
    },
    "It needs Linux 5.13 or later with landlock enabled (lsm=landlock,… on the kernel command line).",
)
"""Not guaranteed: memory-summed-peak and kernel-memory where no control group can be created, cpu-unseen, init-process, disk,
processes, host-processes, host-files-unreadable (names and sizes), and `GAPS`."""
# Without isolation these still hold: limits and the monitor enforce them from outside the program.
_KEPT_BARE = {
    "cpu",
    "wall",
    "memory",
    "memory-summed",
    "output",
    "descriptors",
    "survivors",
    "function-grading",
    "program-grading",
}
UNSAFE_NONE = Tier(
    "unsafe-none",
    "limits and a monitor; no isolation",
    {name: "Nothing is isolated." for name in GUARANTEES if name not in _KEPT_BARE},
)
"""Not guaranteed: everything about the host's files, network, processes, kernel and later runs."""
TIERS = {tier.name: tier for tier in (BUBBLEWRAP, LANDLOCK, UNSAFE_NONE)}


@functools.cache
def why_unavailable(name: str) -> str | None:
    """Explain why a tier does not work on this machine; None if it does. Tested once, by running a program in it."""
    return trial(name) if sys.platform.startswith("linux") else f"it needs Linux, and this is {sys.platform}"


def trial(name: str) -> str | None:
    """Run a harmless program in a tier now; return what went wrong, or None."""
    job = job_spec.python("print(6 * 7)", {}, Limits(), name)
    try:
        output = monitor.run(job.payload, b"", 1000, job.max_wall_s, fork_server(job.key).launch)
    except (SandboxError, monitor.SandboxStalledError, OSError) as error:
        return str(error)
    stdout, stderr, _ = output.streams
    return None if stdout == b"42\n" else stderr.decode(errors="replace") or "the test program printed nothing"


@functools.cache
def why_no_cgroups(name: str) -> str | None:
    """Explain why a tier cannot use control groups for memory; None if it can. Tested once, by running a program in one."""
    job = job_spec.python("print(6 * 7)", {}, Limits(), name)
    try:
        with cgroups.control_groups(job.memory_mib) as groups:
            monitor.run(job.payload, b"", 1000, job.max_wall_s, fork_server(job.key).launch, [group.procs_fd for group in groups])
            # `cpu.stat` exists even without the cpu controller, and stays zero if no process ever ran in the group.
            used = all(group.number("cpu.stat", "usage_usec") for group in groups)
    except (SandboxError, monitor.SandboxStalledError, OSError) as error:
        return str(error)
    return None if used else "a test program did not run in its group"


def memory_held_by(name: str) -> str:
    """Describe what limits the total memory of a run: a control group, or polling and why no group is used."""
    reason = why_no_cgroups(name)
    return f"polling, which is not a guarantee; no control group: {reason}" if reason else "a control group"


def not_held(tier: Tier) -> dict[str, str]:
    """Return the guarantees that a tier does not provide on this machine, each with what is lost."""
    more = () if why_no_cgroups(tier.name) else _BY_CGROUP
    return {name: lost for name, lost in tier.does_not_hold.items() if name not in more}


def available_tiers() -> tuple[Tier, ...]:
    """Return the isolating tiers that work on this machine, best first."""
    return tuple(tier for tier in (BUBBLEWRAP, LANDLOCK) if why_unavailable(tier.name) is None)


def chosen_tier(name: str | None = None) -> Tier:
    """Return the tier of this name, or the best one on this machine.

    Raises:
        SandboxError: no tier, or not this one, works here; the message says how to get it.
        UsageError: the name is unknown.
    """
    if name is not None:
        if not isinstance(name, str) or name not in TIERS:
            raise UsageError(f"Unknown sandbox tier {name!r}. Use one of: {', '.join(TIERS)}.")
        # Not tried first: runs of a tier that was asked for by name say why it fails, and never use another one instead.
        return TIERS[name]
    for tier in (BUBBLEWRAP, LANDLOCK):
        if why_unavailable(tier.name) is None:
            return tier
    reasons = "\n".join(f"- {tier.name}: {why_unavailable(tier.name)}. {tier.get_it}" for tier in (BUBBLEWRAP, LANDLOCK))
    raise SandboxError(
        f"Untrusted code is not run without a sandbox, and no sandbox works on this machine:\n{reasons}\n"
        "On a disposable machine, pass --unsafe-no-sandbox, or tier='unsafe-none' in Python."
    )
