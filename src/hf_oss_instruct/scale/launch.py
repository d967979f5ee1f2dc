"""Start the shards of a plan on this machine, a Slurm cluster or Ray, with datatrove's executors."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hf_oss_instruct.credentials import redacted
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.extras import install_command
from hf_oss_instruct.scale.plan import Plan
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.spec.teacher import TeacherSpec

LOGS = "logs"
"""Folder of a plan in which datatrove keeps logs, statistics and what is completed."""
EXECUTORS = {
    "local": "LocalPipelineExecutor",
    "slurm": "SlurmPipelineExecutor",
    "ray": "RayPipelineExecutor",
}
NEEDED = {"slurm": ("time", "partition")}
"""Settings that datatrove requires."""


@dataclass(frozen=True)
class Launch:
    """How the shards of a plan are started.

    Attributes:
        plan: the plan.
        on: `local`, `slurm` or `ray`.
        teacher: which teacher, where, and how many requests of one shard at once.
        limits: what all shards together may spend.
        workers: shards that run at the same time; None for all.
        seeds: the source, where it is elsewhere on the machines that run the shards.
        settings: further arguments of datatrove's executor, such as `partition` and `time` of Slurm.

    Raises:
        UsageError: the executor is unknown, or a setting that it needs is missing.
    """

    plan: Plan
    on: str
    teacher: TeacherSpec = field(default_factory=TeacherSpec)
    limits: RunLimits = field(default_factory=RunLimits)
    workers: int | None = None
    seeds: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.on not in EXECUTORS:
            raise UsageError(f"{self.on!r} is not an executor. Use one of: {', '.join(EXECUTORS)}.")
        if missing := [name for name in NEEDED.get(self.on, ()) if name not in self.settings]:
            example = {"time": "04:00:00", "partition": "cpu"}
            words = " ".join(f"--set {name}={example[name]}" for name in missing)
            raise UsageError(f"--on {self.on} needs {' and '.join(missing)}. Pass {words}.")

    def executor(self) -> Any:
        """Datatrove's executor, ready to `run()`.

        Raises:
            UsageError: datatrove is not installed, or does not know a setting.
        """
        try:
            import datatrove.executor as executors

            from hf_oss_instruct.scale.steps import RunShard
        except ImportError as error:
            raise UsageError(f"launch needs datatrove ({error}). Install it with: {install_command('scale')}") from error
        given: dict[str, Any] = {"logging_dir": str((self.plan.folder / LOGS).absolute())} | dict(self.settings)
        if self.on == "slurm":  # sbatch may start in another folder, and with another environment
            given = {"env_command": f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH", "qos": ""} | given
            given.setdefault("slurm_logs_folder", str((self.plan.folder / LOGS / "slurm").absolute()))
        step = RunShard(self.plan.folder.absolute(), seeds=self.seeds, teacher=self.teacher, limits=self.limits)
        try:
            return getattr(executors, EXECUTORS[self.on])([step], tasks=self.plan.shards, workers=self.workers or -1, **given)
        except TypeError as error:
            raise UsageError(f"datatrove's {EXECUTORS[self.on]} does not take this: {error}. See its documentation.") from error

    def describe(self) -> list[str]:
        """What will be started, as lines."""
        spec, servers = self.plan.spec, ", ".join(map(redacted, self.teacher.base_url))
        at_once = min(self.workers or self.plan.shards, self.plan.shards)
        lines = [
            f"{spec.seeds.requested:,} seeds, {self.plan.shards:,} shards, in {str(self.plan.folder)!r}",
            f"shards at the same time: {at_once:,}, each with up to {self.teacher.in_flight:,} requests in flight: "
            f"{at_once * self.teacher.in_flight:,} together",
            f"teacher {self.plan.teacher}{f' at {servers}' if servers else ''}",
            f"on {self.on}: datatrove's {EXECUTORS[self.on]}"
            + "".join(f", {name}={value}" for name, value in sorted(self.settings.items())),
        ]
        limits = {name: getattr(self.limits, name) for name in ("max_requests", "max_total_tokens", "max_cost")}
        spending = ", ".join(f"{name} {value:,}" for name, value in limits.items() if value is not None)
        return [*lines, f"limits of all shards together: {spending or 'none'}"]
