"""Which kinds of isolation there are, what each holds and does not hold, and which of them this machine has.

A tier is tried, not looked up: a machine may have the program `bwrap` and forbid what it needs.
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
    """One kind of isolation.

    Attributes:
        name: the name in results, on cards and in `tier=`.
        title: what it is made of.
        does_not_hold: names of `guarantees.GUARANTEES` that it does not keep everywhere, each with what is lost (`not_held`:
            here).
        breaks: honest uses that fail in it, each with the reason.
        get_it: what to do on a machine that does not have it.
    """

    name: str
    title: str
    does_not_hold: Mapping[str, str]
    breaks: Mapping[str, str] = field(default_factory=dict)
    get_it: str = ""

    @property
    def holds(self) -> tuple[str, ...]:
        """Names of the guarantees that it keeps on every machine that has it."""
        return tuple(name for name in GUARANTEES if name not in self.does_not_hold)

    def __str__(self) -> str:
        return self.name


# What no tier holds, whatever it guarantees.
GAPS = (
    "Faults of the kernel and of the processor: this is no virtual machine.",
    "The shape of the machine is visible: number of processors, amount of memory, kernel version.",
    "Runs take from each other what nobody divides: processor caches, memory bandwidth, time.",
    "A program with its tests in one process can look for the nonce and print it; functions judged from outside cannot.",
)
# What a control group holds besides, where one can be made.
_BY_CGROUP = ("memory-summed-peak", "kernel-memory")
_PEAK = (
    "The sum is looked at every 3 to 20 ms: processes together, and a runtime that reserves address space (JVM, Node.js, Go, "
    "Mono), can be over the limit for a moment."
)
_KERNEL = (
    "Not counted: pipes (64 MiB for all runs of a user, then 8 KiB each), locks of files, watches of epoll, records of mappings "
    "and of open files."
)
_UNSEEN = (
    "Counted is what a process had used when it was last looked at, every 3 to 20 ms, unless it is waited for. Where its parent "
    "ignores SIGCHLD, the rest is lost; the wall limit bounds it."
)

BUBBLEWRAP = Tier(
    "bubblewrap",
    "namespaces (bubblewrap), seccomp, limits, a watch",
    {"memory-summed-peak": _PEAK, "kernel-memory": _KERNEL, "cpu-unseen": _UNSEEN},
    get_it="Install it with: sudo apt-get install bubblewrap. It needs user namespaces for ordinary users: in a container they "
    "are mostly forbidden; on Ubuntu 24.04, sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0.",
)
"""Does not hold: memory-summed-peak and kernel-memory where no control group can be made, cpu-unseen, and `GAPS`."""
LANDLOCK = Tier(
    "landlock",
    "landlock, seccomp, limits, a watch",
    {
        "memory-summed-peak": _PEAK,
        "kernel-memory": _KERNEL,
        "cpu-unseen": _UNSEEN,
        "init-process": "Before Linux 6.12 it can be signalled where the caller is an ordinary user.",
        "disk": "Each file is bounded; their sum is looked at every 3 to 20 ms.",
        "processes": "Exact where the caller is root; for others the kernel counts all processes of the user, which change.",
        "host-processes": "Before Linux 6.12 a program can signal other processes of an ordinary user; whether a number is one "
        "can always be asked.",
        "host-files-unreadable": "Not their content; names that are guessed, sizes and times can be seen.",
    },
    {
        "spawned-processes": "multiprocessing's 'spawn', 'forkserver', managers need /dev/shm or sockets. Pools of forks work.",
        "chmod": "Changing a file's mode, owner or times does nothing, and says it did.",
        "/tmp": "Only the work folder can be written; TMPDIR names it.",
        "sockets": "None but connected pairs.",
    },
    "It needs Linux 5.13 or later with landlock switched on (lsm=landlock,… on the kernel command line).",
)
"""Does not hold: memory-summed-peak and kernel-memory where no control group can be made, cpu-unseen, init-process, disk,
processes, host-processes, host-files-unreadable (names and sizes), and `GAPS`."""
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
    "limits and a watch; no isolation",
    {name: "There is no isolation." for name in GUARANTEES if name not in _KEPT_BARE},
)
"""Does not hold: every guarantee about the host's files, network, processes, kernel and later runs."""
TIERS = {tier.name: tier for tier in (BUBBLEWRAP, LANDLOCK, UNSAFE_NONE)}


@functools.cache
def trouble_with(name: str) -> str | None:
    """Why this machine does not have a tier, or None if it has. The tier is tried once, by running a program in it."""
    return trial(name) if sys.platform.startswith("linux") else f"it needs Linux, and this is {sys.platform}"


def trial(name: str) -> str | None:
    """Run a harmless program in a tier, now: what went wrong, or None."""
    job = job_spec.python("print(6 * 7)", {}, Limits(), name)
    try:
        output = monitor.run(job.payload, b"", 1000, job.most_s, fork_server(job.key).launch)
    except (SandboxError, monitor.SandboxStalledError, OSError) as error:
        return str(error)
    stdout, stderr, _ = output.streams
    return None if stdout == b"42\n" else stderr.decode(errors="replace") or "a program printed nothing"


@functools.cache
def trouble_with_cgroups(name: str) -> str | None:
    """Why memory in a tier is not held by a control group, or None if it is. Tried once, by running a program in one."""
    job = job_spec.python("print(6 * 7)", {}, Limits(), name)
    try:
        with cgroups.places(job.memory_mib) as places:
            monitor.run(job.payload, b"", 1000, job.most_s, fork_server(job.key).launch, [place.entry for place in places])
            used = all(place.number("cpu.stat", "usage_usec") for place in places)
    except (SandboxError, monitor.SandboxStalledError, OSError) as error:
        return str(error)
    return None if used else "a program that should run in one did not"


def memory_held_by(name: str) -> str:
    """What holds the memory of all processes of a run together: a control group, or a watch and why no group."""
    why = trouble_with_cgroups(name)
    return f"a watch, which is no guarantee; no control group: {why}" if why else "a control group"


def not_held(tier: Tier) -> dict[str, str]:
    """The guarantees that a tier does not keep on this machine, each with what is lost."""
    more = () if trouble_with_cgroups(tier.name) else _BY_CGROUP
    return {name: lost for name, lost in tier.does_not_hold.items() if name not in more}


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
        "Where the machine itself is disposable, you can say --unsafe-no-sandbox, or tier='unsafe-none' in Python."
    )
