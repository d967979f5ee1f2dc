"""Options of `evolve`: rounds, operations, and how much an evolved problem must differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.spec.declare import Interface, documented, normalize, option
from hf_oss_instruct.spec.option_types import Integer, ModelOrTeacher, Names, Number, Switch

OPERATIONS = ("constraint", "rare_requirement", "reasoning", "wrong_code", "complexity")
"""Operations of Evol-Instruct for code: names of the templates in `methods/evolution/templates/`."""
MAX_ROUNDS = 4
_BOTH = Interface.COMMAND | Interface.PYTHON


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class EvolutionSpec:
    """How rows are evolved.

    Raises:
        UsageError: a value is out of range, or an operation is unknown.

    Source:
        WizardCoder, arXiv 2306.08568, section 2.1: five operations, up to four rounds.
    """

    rounds: int = option(
        1,
        Integer(1, MAX_ROUNDS),
        "How often each problem is evolved, 1 to 4; the output has the rows of all rounds. Default: 1.",
        flag="--rounds",
        metavar="1..4",
        yaml="rounds",
        set_by=_BOTH,
    )
    operations: Sequence[str] = option(
        OPERATIONS,
        Names(),
        f"Operations to choose from, by a hash of row and round. Default: {', '.join(OPERATIONS)}.",
        flag="--operations",
        metavar="O,…",
        yaml="operations",
        set_by=_BOTH,
    )
    keep_parents: bool = option(
        False,
        Switch(),
        "Also write the rows that were evolved. Default: no, since Magicoder trains on them in its first stage.",
        flag="--keep-parents",
        yaml="keep_parents",
        set_by=_BOTH,
    )
    solver: Any = option(
        None,
        ModelOrTeacher(),
        "Model that solves the evolved problems. Default: the teacher. --base-url MODEL=URL sets its server.",
        python_help="Teacher that solves the evolved problems. Default: the teacher of the run.",
        flag="--solver",
        metavar="MODEL",
        set_by=_BOTH,
    )
    max_similarity: float = option(
        0.7,
        Number(0, 1, low_open=True),
        "Reject evolved problems with at least this Jaccard similarity of word 5-grams: to their parent as unchanged, to "
        "another row as near_duplicate. Default: 0.7.",
        flag="--max-similarity",
        yaml="max_similarity",
        set_by=_BOTH,
    )

    def __post_init__(self) -> None:
        normalize(self)
        unknown = [name for name in self.operations if name not in OPERATIONS]
        if unknown or not self.operations:
            what = f"Unknown operation {unknown[0]!r}" if unknown else "No operation is given"
            raise UsageError(f"{what}. Use any of: {', '.join(OPERATIONS)}.")
