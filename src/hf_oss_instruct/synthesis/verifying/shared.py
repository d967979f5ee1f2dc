"""State shared by the tasks of one verification: options, teachers, verdicts."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import cached_property
from types import TracebackType

from hf_oss_instruct.sandbox.fork_servers import give_up
from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.spec.verification import ANSWER, GIVEN, VerificationSpec
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.verification.installed_packages import identity_of
from hf_oss_instruct.verification.memo import Verdicts
from hf_oss_instruct.verification.verify import VerificationOptions

END_AGAIN_S = 0.05
"""Seconds after which programs that were started in the meantime are ended, too."""


class ActiveRows:
    """Counts the rows whose programs run now; a context for each of them."""

    def __init__(self) -> None:
        self._number, self._changed = 0, threading.Condition()

    def __enter__(self) -> None:
        with self._changed:
            self._number += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._changed:
            self._number -= 1
            self._changed.notify_all()

    def stop_programs(self) -> None:
        """End all programs of this process, again and again until no row is left: one may be about to start its next program.

        Where some run, a thread does so: the caller is an event loop, which does not wait for them.
        """
        if self._ended_within(0):
            give_up()
        else:
            threading.Thread(target=self._stop_all_programs, name="oss-instruct-end-programs").start()

    def _stop_all_programs(self) -> None:
        give_up()
        while not self._ended_within(END_AGAIN_S):
            give_up()

    def _ended_within(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._number, seconds)


@dataclass(frozen=True, eq=False)
class Verification:
    """State shared by the tasks of verification.

    Attributes:
        spec: the options.
        verdicts: known verdicts of programs, and where new ones go.
        teacher: who repairs, and writes tests and solutions unless another does.
        tester, solver: separate teachers for these; None for the teacher.
        sampling: sampling parameters of requests.
        exclusive: whether nothing else in this process uses the sandbox, so that stopping may end all programs in it.
        active: the rows whose programs run now.
    """

    spec: VerificationSpec
    verdicts: Verdicts
    teacher: Teacher
    tester: Teacher | None = None
    solver: Teacher | None = None
    sampling: Sampling = field(default_factory=Sampling)
    exclusive: bool = False
    active: ActiveRows = field(default_factory=ActiveRows)

    @cached_property
    def options(self) -> VerificationOptions:
        """How rows are run."""
        spec = self.spec
        return VerificationOptions(select=spec.select, mutants=spec.mutants, tier=spec.tier, packages=spec.packages)

    @cached_property
    def packages(self) -> tuple[str, ...]:
        """What verdicts depend on of the packages that programs may import."""
        return identity_of(self.options.package_folders)

    @property
    def writes_tests(self) -> bool:
        """Whether tests are requested for rows without any."""
        can_write = self.tester is not None or not self.teacher.embedded
        return self.spec.tests not in (ANSWER, GIVEN) and can_write

    def stop(self) -> None:
        """Make no more verdicts, and end the programs that run."""
        if not self.verdicts.closed:
            # Before programs are ended, so that no row starts the next one.
            self.verdicts.closed = True
            if self.exclusive:
                self.active.stop_programs()

    def described(self) -> list[str]:
        """What `run.json` lists: the tasks that send requests, with the teacher of each."""
        tasks = [("tests", self.tester or self.teacher)] if self.writes_tests else []
        tasks += [("solve", self.solver or self.teacher)] if self.spec.solutions > 1 else []
        tasks += [("repair", self.teacher)] if self.spec.repair else []
        return [f"{name}: {teacher.identity}" for name, teacher in tasks]

    def requests_per_row(self) -> tuple[int, int]:
        """The fewest and the most requests that a row costs in addition to the one for the pair."""
        requests = int(self.writes_tests) + self.spec.solutions - 1
        return requests, requests + self.spec.repair
