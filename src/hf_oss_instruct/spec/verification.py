"""Options of verification: tests, further solutions, and which rows are kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.spec.declare import ANYONE, CALLER, Interface, documented, normalize, option, options_of
from hf_oss_instruct.spec.option_types import Choice, Folder, Integer, ModelOrTeacher, Number, Switch
from hf_oss_instruct.terminal.unsafe import UNSAFE_HELP

METHODS = ("own", "majority", "codet", "codet-sqrt", "b4", "aces")
"""Ways to select one of several solutions: the keys of `verification.selection.METHODS`."""
PASSING, ALL = "passing", "all"
ANSWER, APART, GIVEN = "answer", "apart", "given"
# In Python, these options are the fields of a `VerificationSpec`, and no arguments of their own.
_NOT_BY_REPOSITORIES = ANYONE & ~Interface.REPO_CONFIG


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationSpec:
    """Whether and how pairs are verified by running them.

    A run config from a repository sets neither what runs programs nor what costs requests.

    Raises:
        UsageError: a value is none of those allowed.
    """

    verify: bool = option(
        False,
        Switch(),
        "Run every solution with tests in the sandbox, and measure the quality of the tests.",
        flag="--verify",
        yaml="verify",
        rare=True,
        set_by=_NOT_BY_REPOSITORIES,
    )
    tests: str | None = option(
        None,
        Choice((ANSWER, APART, GIVEN), "Tests cannot come from {value!r}"),
        "Where tests come from: answer (the pair's own answer), apart (a separate request that sees problem and signatures, "
        "never the solution), given (the rows' own tests). Default: given for rows that have tests, else apart.",
        python_help="Where tests come from: `answer` (the pair's own answer), `apart` (a separate request that sees problem and "
        "signatures, never the solution), `given` (the rows' own tests). Default: `given` for rows that have tests, else "
        "`apart`.",
        flag="--tests",
        yaml="tests",
        rare=True,
        auto=True,
        set_by=_NOT_BY_REPOSITORIES,
    )
    solutions: int = option(
        1,
        Integer(1),
        "Total number of solutions: the pair's own, and others written from the problem alone. Default: 1.",
        flag="--solutions",
        metavar="K",
        yaml="solutions",
        rare=True,
        set_by=_NOT_BY_REPOSITORIES,
    )
    solver: Any = option(
        None,
        ModelOrTeacher(),
        "Model that writes the further solutions. Default: the teacher. --base-url MODEL=URL sets its server.",
        python_help="Teacher that writes the further solutions. Default: the teacher of the run.",
        flag="--solver",
        metavar="MODEL",
        set_by=CALLER,
    )
    tester: Any = option(
        None,
        ModelOrTeacher(),
        "Model that writes the tests of --tests apart. Default: the teacher. --base-url MODEL=URL sets its server.",
        python_help="Teacher that writes the tests of `apart`. Default: the teacher of the run.",
        flag="--tester",
        metavar="MODEL",
        set_by=CALLER,
    )
    select: str = option(
        "majority",
        Choice(METHODS, "Unknown selection method {value!r}"),
        "Which of several solutions is kept: own, majority (most tests passed), or agreement of solutions and tests. "
        "Default: majority.",
        python_help="Which of several solutions is kept: `own`, `majority` (most tests passed), or by agreement of solutions and "
        "tests `codet`, `codet-sqrt`, `b4` or `aces`. Default: `majority`.",
        flag="--select",
        yaml="select",
        rare=True,
    )
    keep: str = option(
        PASSING,
        Choice((PASSING, ALL), "--keep does not accept {value!r}"),
        "passing (default) keeps rows whose solution passes tests of sufficient quality; all also keeps the "
        "others, with their status.",
        python_help="`passing` (default) keeps rows whose solution passes tests of sufficient quality; `all` also keeps the "
        "others, with their status.",
        flag="--keep",
        yaml="keep",
        rare=True,
    )
    min_pass_rate: float | None = option(
        None,
        Number(0, 1),
        "Keep rows whose solution passes at least this share of the tests. Default: all of them with --keep passing.",
        python_help="Keep rows whose solution passes at least this share of the tests, 0 to 1. Default: all of them with "
        "`keep='passing'`.",
        flag="--min-pass-rate",
        yaml="min_pass_rate",
        rare=True,
    )
    min_tests: int | None = option(
        None,
        Integer(1),
        "Keep rows with at least this many tests.",
        flag="--min-tests",
        yaml="min_tests",
        rare=True,
    )
    min_mutation_score: float | None = option(
        None,
        Number(0, 1),
        "Keep rows whose tests kill at least this share of the solution's mutants.",
        python_help="Keep rows whose tests kill at least this share of the solution's mutants, 0 to 1.",
        flag="--min-mutation-score",
        yaml="min_mutation_score",
        rare=True,
    )
    mutants: int = option(
        8,
        Integer(0),
        "Maximum number of mutants per solution. Default: 8.",
        flag="--mutants",
        metavar="M",
        yaml="mutants",
        rare=True,
    )
    repair: int = option(
        0,
        Integer(0),
        "Send a failing solution back with its failed tests, up to R times. Default: 0.",
        python_help="How often a failing solution is sent back with its failed tests. Default: 0.",
        flag="--repair",
        metavar="R",
        yaml="repair",
        rare=True,
        set_by=_NOT_BY_REPOSITORIES,
    )
    unverifiable: str = option(
        "drop",
        Choice(("drop", "keep"), "Unverifiable rows cannot be {value!r}"),
        "What to do with rows that cannot be verified on this machine (third-party modules, network, no toolchain): drop "
        "(default) or keep.",
        python_help="What to do with rows that cannot be verified on this machine (third-party modules, network, no toolchain): "
        "`drop` (default) or `keep`.",
        flag="--unverifiable",
        yaml="unverifiable",
        rare=True,
    )
    packages: str | Path | None = option(
        None,
        Folder(),
        "Folder of installed packages, or a virtual environment, that programs may import.",
        flag="--packages",
        metavar="DIR",
        set_by=CALLER,
    )
    unsafe_no_sandbox: bool = option(
        False,
        Switch(),
        UNSAFE_HELP,
        flag="--unsafe-no-sandbox",
        set_by=CALLER,
    )

    def __post_init__(self) -> None:
        normalize(self)

    @property
    def tier(self) -> str | None:
        """The sandbox tier; None for the best of this machine."""
        return "unsafe-none" if self.unsafe_no_sandbox else None

    def require_switch(self) -> None:
        """Check that no option of verification was given without it.

        Raises:
            UsageError: one was.
        """
        if self.verify:
            return
        for setting in options_of(VerificationSpec):
            if getattr(self, setting.name) != setting.default:
                raise UsageError(f"{setting.flag} configures verification. Pass --verify (verify=True) as well.")
