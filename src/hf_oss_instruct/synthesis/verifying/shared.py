"""What the tasks of one verification share: what was asked for, teachers, verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from hf_oss_instruct.spec.sampling import Sampling
from hf_oss_instruct.spec.verification import ANSWER, GIVEN, VerificationSpec
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.verification.lent_packages import identity_of
from hf_oss_instruct.verification.memo import Verdicts
from hf_oss_instruct.verification.verify import Options


@dataclass(frozen=True, eq=False)
class Verification:
    """What the tasks of verification share.

    Attributes:
        spec: what was asked for.
        verdicts: what is known of programs, and where new verdicts go.
        teacher: who repairs, and writes tests and solutions unless another does.
        tester, solver: teachers of their own for these; None for the teacher.
        sampling: sampling parameters of requests.
        exclusive: whether nothing else in this process uses the sandbox, so that stopping may end all programs in it.
    """

    spec: VerificationSpec
    verdicts: Verdicts
    teacher: Teacher
    tester: Teacher | None = None
    solver: Teacher | None = None
    sampling: Sampling = field(default_factory=Sampling)
    exclusive: bool = False

    @cached_property
    def options(self) -> Options:
        """How rows are run."""
        spec = self.spec
        return Options(select=spec.select, mutants=spec.mutants, tier=spec.tier, packages=spec.packages)

    @cached_property
    def packages(self) -> tuple[str, ...]:
        """What verdicts depend on of the packages that programs may import."""
        return identity_of(self.options.package_folders)

    @property
    def writes_tests(self) -> bool:
        """Whether tests are asked for where a row has none."""
        asks = self.tester is not None or not self.teacher.embedded
        return self.spec.tests not in (ANSWER, GIVEN) and asks

    def described(self) -> list[str]:
        """What `run.json` lists: the tasks that ask somebody, with the teacher of each."""
        asked = [("tests", self.tester or self.teacher)] if self.writes_tests else []
        asked += [("solve", self.solver or self.teacher)] if self.spec.solutions > 1 else []
        asked += [("repair", self.teacher)] if self.spec.repair else []
        return [f"{name}: {teacher.identity}" for name, teacher in asked]

    def requests_per_row(self) -> tuple[int, int]:
        """The fewest and the most requests that a row costs beside the one for the pair."""
        asked = int(self.writes_tests) + self.spec.solutions - 1
        return asked, asked + self.spec.repair
