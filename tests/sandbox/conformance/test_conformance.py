"""Does every attack work on a bare subprocess and on no tier that claims to hold it, as root and as an ordinary user?"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import pytest

from hf_oss_instruct.sandbox.guarantees import GUARANTEES

from .__main__ import ATTACKS, CASES, cells, guarantee_of
from .controls import CONTROLS
from .fakes import FUNCTIONS, PROGRAMS
from .runners import BARE, PYTHON

ROOT = Path(__file__).parents[3]
ORDINARY = 60123
"""A user id that owns nothing."""
USERS = ["root", "ordinary"] if os.geteuid() == 0 else ["ordinary"]

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is for Linux"),
    # Attacks leave sockets, files and children open on purpose, in processes of their own.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="session")
def public_copy() -> Iterator[Path]:
    """The package and this suite where every user may read them; the checkout and pytest's folders may be private."""
    copy = Path(tempfile.mkdtemp(prefix="conformance-copy-"))
    copy.chmod(0o755)
    shutil.copytree(ROOT / "src/hf_oss_instruct", copy / "hf_oss_instruct", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests/sandbox", copy / "tests/sandbox", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "tests/__init__.py").touch()
    yield copy
    shutil.rmtree(copy)


class Round(NamedTuple):
    """A case that a user tries: in every tier, or only in those that claim to hold its guarantee."""

    name: str
    user: str
    claimed: bool


Found = list[tuple[str, str, str]]


@pytest.fixture(scope="session")
def ordinary_user(public_copy: Path) -> Iterator[Callable[[Round], Found]]:
    """Gives the cells of a round, from a process of an ordinary user that serves all of them."""
    become = ["setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups"] if os.geteuid() == 0 else []
    command = [*become, PYTHON, "-m", "tests.sandbox.conformance", "--serve"]
    world = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=public_copy, env=world, stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdin
        assert server.stdout

        def found(one: Round) -> Found:
            print(json.dumps([one.name, None, one.claimed]), file=server.stdin, flush=True)
            answer = server.stdout.readline()
            assert answer, f"the process ended with {server.wait()}"
            return [tuple(cell) for cell in json.loads(answer)]

        yield found


def _rounds() -> Iterator[Round]:
    """Each case once, by the user who had less of its guarantee and language, in the tiers that claim to hold it."""
    had = Counter[tuple[str, str]]()
    for name, case in CASES.items():
        guarantee, language = guarantee_of(case), _language(case)
        users = ["root"] if "root" in getattr(case, "needs", ()) and "root" in USERS else USERS
        chosen = min(users, key=lambda user: (had[guarantee, user], had[language, user]))
        had.update([(guarantee, chosen), (language, chosen)])
        yield Round(name, chosen, True)


def _language(case: object) -> str:
    return getattr(case, "language", "python")


ROUNDS = list(_rounds())
ALL = [Round(name, user, False) for name in CASES for user in USERS]
ALONE = "starves-its-init-process"
"""It takes every processor for seconds, and what watches over another run's memory would be late."""


def _together(rounds: list[Round]) -> Iterator[list[Round]]:
    """Rounds of different users, two at once: they wait more than they compute, and are processes that share nothing."""
    yield from ([one] for one in rounds if one.name == ALONE)
    for several in zip_longest(*([one for one in rounds if one.user == user and one.name != ALONE] for user in USERS)):
        yield [one for one in several if one]


def _id(rounds: list[Round]) -> str:
    return "+".join(f"{one.name}-{one.user}" for one in rounds)


@pytest.mark.parametrize(
    "rounds",
    [
        *(pytest.param(several, id=_id(several)) for several in _together(ROUNDS)),
        *(pytest.param(several, id=f"all-{_id(several)}", marks=pytest.mark.long) for several in _together(ALL)),
    ],
)
def test_attacks_work_bare_and_tiers_hold_them(rounds: list[Round], request: pytest.FixtureRequest) -> None:
    with ThreadPoolExecutor(1) as elsewhere:
        ordinary = [
            (one, elsewhere.submit(request.getfixturevalue("ordinary_user"), one)) for one in rounds if one.user != "root"
        ]
        found = [(one, list(cells(one.name, claimed=one.claimed))) for one in rounds if one.user == "root"]
    found += [(one, waited.result()) for one, waited in ordinary]
    assert [said for one, columns in found if (said := _wrong(one, columns))] == []
    if nowhere := [f"{one.name}: {detail}" for one, columns in found for _, result, detail in columns if result == "not here"]:
        pytest.skip("; ".join(nowhere))


def _wrong(one: Round, found: Found) -> str:
    """What is not as it should be; nothing where all is, or where nobody can attack so."""
    control = not guarantee_of(CASES[one.name])
    for column, result, detail in found:
        bare, tier = ({"correct"}, {"correct", "unsupported"}) if control else ({"succeeded"}, {"blocked", "not guaranteed"})
        if result not in {"not here", *(bare if column == BARE else tier)}:
            return f"{one.name} of {one.user}, {column}: {result}. {detail}"
    return "" if found else f"{one.name} of {one.user} was not tried"


def test_the_suite_is_as_large_as_it_says_and_attacks_every_promise() -> None:
    assert len(CASES) == len(ATTACKS) + len(FUNCTIONS) + len(PROGRAMS) + len(CONTROLS)
    assert len(ATTACKS) >= 60
    assert len(CONTROLS) >= 10
    assert {attack.language for attack in ATTACKS} == {"python", "c", "javascript", "shell"}
    attacked = Counter(guarantee_of(case) for case in CASES.values() if guarantee_of(case))
    assert set(attacked) == set(GUARANTEES)
    now = [(CASES[one.name], one.user) for one in ROUNDS]
    assert len(now) == len(CASES)
    assert len({(_language(case), user) for case, user in now}) == 4 * len(USERS)
    several = {guarantee for guarantee, count in attacked.items() if count > 1}
    assert {(guarantee, user) for guarantee in several for user in USERS} <= {(guarantee_of(case), user) for case, user in now}
