"""`python -m tests.sandbox.conformance`: every attack and control in every column, as a Markdown table."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator

from . import evasions, files, kernel, network, processes, residue, resources
from .attack import Attack
from .controls import CONTROLS, Control
from .fakes import FUNCTIONS, PROGRAMS, Fake, FakeProgram
from .runners import BARE, CONDITIONS, attacked, attacked_at_a_terminal, breaks, holds, judged, judged_program, run, sandbox_tiers
from .scene import Scene

ATTACKS: tuple[Attack, ...] = tuple(
    attack for table in (files, network, processes, resources, evasions, kernel, residue) for attack in table.ATTACKS
)
Case = Attack | Fake | FakeProgram | Control
CASES: dict[str, Case] = {case.name: case for case in (*ATTACKS, *FUNCTIONS, *PROGRAMS, *CONTROLS)}
Cell = tuple[str, str, str]
"""Column; result; detail.

The result of an attack is `succeeded`, `blocked`, `not guaranteed` (it succeeded, and the tier says so) or `not here` (impossible on this
machine); that of a control is `correct`, `wrong` or `unsupported` (wrong, and the tier says so).
"""


def guarantee_of(case: Case) -> str:
    """The guarantee that an attack breaks; empty for a well-behaved program."""
    if isinstance(case, Attack):
        return case.guarantee
    return {Fake: "function-grading", FakeProgram: "program-grading", Control: ""}[type(case)]


def cells(name: str, only: str | None = None, claimed: bool = False) -> Iterator[Cell]:
    """What a case comes to in each column; where it fails on a bare subprocess for a named reason, nowhere else is tried.

    Args:
        name: the case.
        only: one column.
        claimed: whether to leave out the tiers that say that they do not hold its guarantee.
    """
    case = CASES[name]
    if isinstance(case, Attack) and (lacking := [need for need in case.needs if not CONDITIONS[need]()]):
        yield BARE, "not here", f"needs {', '.join(lacking)}"
        return
    for column in [only] if only else [BARE, *sandbox_tiers()]:
        if claimed and column != BARE and not holds(column, guarantee_of(case)):
            continue
        result, detail = _cell(case, column)
        if column == BARE and result == "blocked" and isinstance(case, Attack) and case.kernel:
            yield column, "not here", "the kernel refuses it"
            return
        if result == "succeeded" and column != BARE and not holds(column, guarantee_of(case)):
            result = "not guaranteed"
        if result == "wrong" and isinstance(case, Control) and column != BARE and breaks(column, case.use):
            result = "unsupported"
        yield column, result, detail


def _cell(case: Case, column: str) -> tuple[str, str]:
    if isinstance(case, Control):
        return _control(case, column)
    if isinstance(case, Attack):
        inner = not case.terminal or "CONFORMANCE_SCREEN" in os.environ
        for _ in range(3 if case.machine_wide and column != BARE else 1):
            harm, outcome = (attacked if inner else attacked_at_a_terminal)(case, column)
            if not harm:
                break
        detail = f"{outcome.status} in {outcome.seconds:.1f} s: {(outcome.stdout + outcome.stderr)[-300:]}"
        if outcome.status == "sandbox_error":
            return "wrong", detail
    elif isinstance(case, Fake):
        harm, detail = judged(case, column)
    else:
        harm, detail = judged_program(case, column)
    return ("succeeded" if harm else "blocked"), detail


def _control(control: Control, column: str) -> tuple[str, str]:
    with Scene() as scene:
        given = {"stdin": control.stdin, "files": dict(control.files)}
        outcome = run(column, control.source, control.language, scene, control.limits, **given)
    right = (outcome.status, outcome.stdout.strip()) == (
        control.status,
        control.stdout.strip(),
    ) and control.stderr in outcome.stderr
    return ("correct" if right else "wrong"), f"{outcome.status}: {(outcome.stdout + outcome.stderr)[-300:]}"


def main() -> None:
    """Print the table, or the cells of one case as JSON."""
    options = argparse.ArgumentParser(prog="python -m tests.sandbox.conformance", description=__doc__)
    options.add_argument("--only", choices=CASES, metavar="NAME", help="one case")
    options.add_argument("--column", help="one column: 'bare subprocess' or a tier")
    options.add_argument("--json", action="store_true", help="the cells as JSON, with details")
    options.add_argument(
        "--serve", action="store_true", help="the cells for each line of standard input: [name, column, claimed]"
    )
    chosen = options.parse_args()
    if chosen.json:
        print(json.dumps([cell for name in ([chosen.only] if chosen.only else CASES) for cell in cells(name, chosen.column)]))
        return
    if chosen.serve:
        for line in sys.stdin:
            print(json.dumps(list(cells(*json.loads(line)))), flush=True)
        return
    columns = [chosen.column] if chosen.column else [BARE, *sandbox_tiers()]
    print(f"| case | guarantee | {' | '.join(columns)} |\n|---|---|{'---|' * len(columns)}")
    for name in [chosen.only] if chosen.only else CASES:
        found = {column: result for column, result, _ in cells(name, chosen.column)}
        row = [found.get(column, "–") for column in columns]
        print(f"| {name} | {guarantee_of(CASES[name]) or '–'} | {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
