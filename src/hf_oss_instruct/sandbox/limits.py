"""The resource limits of a run, and its result."""

from __future__ import annotations

from dataclasses import dataclass, fields

from hf_oss_instruct.errors import UsageError

STATUSES = ("ok", "failed", "timeout", "memory", "output", "processes", "compile_error", "sandbox_error")


@dataclass(frozen=True, slots=True)
class Limits:
    """Resource limits of one run of a program. Its compilation has limits of its own: 120 s and 4,096 MiB, for example.

    Attributes:
        cpu_s: CPU time in seconds, summed over its processes.
        wall_s: wall time in seconds.
        memory_mib: memory in MiB, summed over its processes; with a control group, in-memory files in the working folder and
            `/dev/shm` count too.
        processes: maximum number of processes and threads alive at once.
        disk_mib: size of the working folder in MiB, and the same amount again for `/dev/shm`.
        output_bytes: size of stdout and stderr together, in bytes.
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
            if not isinstance(value, (int, float)) or not 0 < value < 1 << 40:
                raise UsageError(
                    f"The limit {field.name} is {value!r}; it must be a positive number. Leave it out for the default."
                )


# A slow or memory-hungry compiler must not fail a sample; Go and Rust need the most.
COMPILE = Limits(cpu_s=120.0, wall_s=120.0, memory_mib=4096, processes=256, disk_mib=1024)


@dataclass(frozen=True, slots=True)
class Execution:
    """The result of a run.

    Attributes:
        status: `ok` (exit code 0), `failed`, the limit that was exceeded (`timeout` for wall or CPU time, `memory`, `output`,
            `processes`), `compile_error`, or `sandbox_error`: the sandbox itself failed, which says nothing about the program.
        exit_code: the exit code, or None if a signal or a limit ended it.
        signal: the number of the signal that ended it, if any.
        stdout: standard output decoded as UTF-8; invalid bytes become U+FFFD.
        stderr: standard error, decoded the same way; the compiler's output for `compile_error`, the reason for `sandbox_error`.
        wall_s: wall time in seconds.
        cpu_s: CPU time of all its processes, in seconds.
        peak_memory_mib: peak memory in MiB: that of the largest process, or sampled over all of them.
        truncated: whether the output was cut at the limit.
        tier: the sandbox tier that ran it.
        reason: explanation of a status that the output does not explain, such as how the program broke its sandbox.
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
