"""What a run may use, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, fields

from hf_oss_instruct.errors import UsageError

STATUSES = ("ok", "failed", "timeout", "memory", "output", "processes", "compile_error", "sandbox_error")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use. A compilation before it has limits of its own (`COMPILE`).

    Attributes:
        cpu_s: seconds of processor time, summed over its processes.
        wall_s: seconds from start to end.
        memory_mib: MiB of memory, summed over its processes; files in the work folder and `/dev/shm` that lie in memory
            count too where a control group holds the limit.
        processes: processes and threads alive at once.
        disk_mib: MiB of files in the work folder, and as much again in `/dev/shm`.
        output_bytes: bytes of stdout and stderr together.
    """

    cpu_s: float = 10.0
    wall_s: float = 20.0
    memory_mib: int = 1024
    processes: int = 64
    disk_mib: int = 64
    output_bytes: int = 1 << 20

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value < 1 << 40:
                raise UsageError(
                    f"The limit {field.name} is {value!r}; it must be a positive number. Leave it out for the default."
                )


# Compilers are not the program: a slow or hungry one must not fail a sample. Go and Rust are the measure.
COMPILE = Limits(cpu_s=120.0, wall_s=120.0, memory_mib=4096, processes=256, disk_mib=1024)


@dataclass(frozen=True, slots=True)
class Execution:
    """What became of a run.

    Attributes:
        status: `ok` (exit code 0), `failed`, `timeout` (wall or CPU), `memory`, `output`, `processes`: the limit that ended it,
            `compile_error`, or `sandbox_error`: the sandbox itself failed, and nothing is known about the program.
        exit_code: the exit code, or None where a signal or a limit ended it.
        signal: the number of the signal that ended it, or None.
        stdout: standard output as bytes decoded from UTF-8, with U+FFFD for what is not.
        stderr: standard error alike; what the compiler said for `compile_error`, the reason for `sandbox_error`.
        wall_s: seconds from start to end.
        cpu_s: processor seconds of all its processes.
        peak_memory_mib: the most memory seen, in MiB: of the largest process, or sampled over all of them.
        truncated: whether output was cut at the limit.
        tier: name of the tier that ran it.
        reason: what is behind the status where the program's words do not say: how it broke its sandbox, or its sandbox failed.
    """

    status: str
    exit_code: int | None = None
    signal: int | None = None
    stdout: str = ""
    stderr: str = ""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_memory_mib: float = 0.0
    truncated: bool = False
    tier: str = ""
    reason: str = ""
