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
from pathlib import Path

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


@pytest.fixture(scope="session")
def ordinary_user(public_copy: Path) -> Iterator[Callable[[str], list[list[str]]]]:
    """Gives the cells of a case, from a process of an ordinary user that serves all of them."""
    become = ["setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups"] if os.geteuid() == 0 else []
    command = [*become, PYTHON, "-m", "tests.sandbox.conformance", "--serve"]
    world = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=public_copy, env=world, stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdin
        assert server.stdout

        def found(name: str) -> list[list[str]]:
            print(name, file=server.stdin, flush=True)
            answer = server.stdout.readline()
            assert answer, f"the process ended with {server.wait()}"
            cells: list[list[str]] = json.loads(answer)
            return cells

        yield found


def _rounds() -> Iterator[tuple[str, str, bool]]:
    """Each case with each user, and whether `make test` runs it: each case once, by the user who had less of its guarantee and language."""
    had = Counter[tuple[str, str]]()
    for name, case in CASES.items():
        guarantee, language = guarantee_of(case), _language(case)
        users = ["root"] if "root" in getattr(case, "needs", ()) and "root" in USERS else USERS
        chosen = min(users, key=lambda user: (had[guarantee, user], had[language, user]))
        had.update([(guarantee, chosen), (language, chosen)])
        for user in USERS:
            yield name, user, user == chosen


def _language(case: object) -> str:
    return getattr(case, "language", "python")


ROUNDS = list(_rounds())


@pytest.mark.parametrize(
    ("name", "user"),
    [pytest.param(name, user, id=f"{name}-{user}", marks=() if now else pytest.mark.long) for name, user, now in ROUNDS],
)
def test_attacks_work_bare_and_tiers_hold_them(name: str, user: str, request: pytest.FixtureRequest) -> None:
    found = list(cells(name)) if user == "root" else request.getfixturevalue("ordinary_user")(name)
    honest = not guarantee_of(CASES[name])
    assert found
    for column, result, detail in found:
        if result == "not here":
            pytest.skip(f"{name}: {detail}")
        expected = (
            ({"right"} if column == BARE else {"right", "broken"})
            if honest
            else {"harm"}
            if column == BARE
            else {"held", "not held"}
        )
        assert result in expected, f"{column}: {result}. {detail}"


def test_the_suite_is_as_large_as_it_says_and_attacks_every_promise() -> None:
    assert len(CASES) == len(ATTACKS) + len(FUNCTIONS) + len(PROGRAMS) + len(CONTROLS)
    assert len(ATTACKS) >= 60
    assert len(CONTROLS) >= 10
    assert {attack.language for attack in ATTACKS} == {"python", "c", "javascript", "shell"}
    attacked = Counter(guarantee_of(case) for case in CASES.values() if guarantee_of(case))
    assert set(attacked) == set(GUARANTEES)
    now = [(CASES[name], user) for name, user, short in ROUNDS if short]
    assert len(now) == len(CASES)
    assert len({(_language(case), user) for case, user in now}) == 4 * len(USERS)
    several = {guarantee for guarantee, count in attacked.items() if count > 1}
    assert {(guarantee, user) for guarantee in several for user in USERS} <= {(guarantee_of(case), user) for case, user in now}
