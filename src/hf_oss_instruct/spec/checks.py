"""Options of the checks that rows must pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hf_oss_instruct.spec.declare import ANYONE, Interface, documented, normalize, option
from hf_oss_instruct.spec.name_types import BenchmarkNames
from hf_oss_instruct.spec.option_types import Choice, Switch

ON_A_WHOLE_SET = ANYONE & ~Interface.LOAD_DATASET
"""A stream yields rows before the dataset is complete, so it cannot run these checks."""
DEFAULT = "default"
"""Every benchmark that has a name (`benchmarks.registry`)."""


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """Which checks rows must pass.

    Raises:
        UsageError: a rule or policy does not exist.
    """

    duplicates: bool = option(
        True,
        Switch(),
        "Reject rows whose seed, problem or solution occurred before.",
        yaml="duplicates",
        set_by=ON_A_WHOLE_SET & ~Interface.COMMAND,
    )
    near_duplicates: bool = option(
        True,
        Switch(),
        "Reject near duplicates of earlier rows. Default: yes.",
        flag="--near-duplicates/--no-near-duplicates",
        yaml="near_duplicates",
        set_by=ON_A_WHOLE_SET,
        after="contaminated",
    )
    benchmarks: Sequence[str] = option(
        (DEFAULT,),
        BenchmarkNames(),
        "Benchmarks that no row may quote: names (humaneval, mbpp, multipl_e, …), files, folders, Hub datasets; "
        "'default' is every small one, 'none' disables the check.",
        python_help="Benchmarks that no row may quote: names (humaneval, mbpp, multipl_e, …), files, folders, Hub datasets; "
        "`default` is every small one, an empty list disables the check.",
        flag="--benchmarks",
        metavar="B,…|none",
        yaml="benchmarks",
        set_by=ON_A_WHOLE_SET,
    )
    rule: str = option(
        "default",
        Choice(("default", "magicoder"), "Unknown decontamination rule {value!r}"),
        "How quotes are found. magicoder: the paper's substrings, with identical decisions.",
        python_help="How quotes are found: `default`, or `magicoder` for the paper's substrings, with identical decisions.",
        flag="--rule",
        yaml="rule",
        set_by=ON_A_WHOLE_SET,
        section="2.2",
    )
    contaminated: str = option(
        "drop",
        Choice(("drop", "flag"), "Contaminated rows cannot be {value!r}"),
        "drop (default) rejects rows that quote a benchmark; flag only fills contaminated_by.",
        python_help="`drop` (default) rejects rows that quote a benchmark; `flag` only fills their column `contaminated_by`.",
        flag="--contaminated",
        yaml="contaminated",
        set_by=ON_A_WHOLE_SET,
    )

    def __post_init__(self) -> None:
        normalize(self)
