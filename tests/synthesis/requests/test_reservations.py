"""Reservations on disk: whenever a process is killed, the next one finds at least what was spent, and no limit is exceeded."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.data import Completion, Provenance, Request, Seed
from hf_oss_instruct.errors import RunError
from hf_oss_instruct.spec.limits import RunLimits
from hf_oss_instruct.synthesis.requests.budget import Budget, Usage
from hf_oss_instruct.synthesis.requests.reservations import FILE, Reservations

REQUEST = Request(
    Seed("x", 1, 1, Provenance("corpus", "v1", "a.py", 0, "python"), "hash/1", 0),
    ({"role": "user", "content": "Why?"},),
    {"max_tokens": 100},
)
PROMPT, COMPLETION = REQUEST.most_tokens


def found_in(folder: Path) -> tuple[bool, Usage]:
    """What the next session finds: whether the last one was killed, and its numbers."""
    with Reservations(folder) as reservations:
        return reservations.killed, reservations.found


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A disk on which a file may not grow beyond this many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def between_kills(steps: list[tuple[int, int] | str]) -> list[list[tuple[int, int] | str]]:
    """What happens in each session."""
    sessions: list[list[tuple[int, int] | str]] = [[]]
    for step in steps:
        if step == "kill":
            sessions.append([])
        else:
            sessions[-1].append(step)
    return sessions


def test_the_last_numbers_survive_kill_9(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys\n"
        "from hf_oss_instruct.synthesis.requests.reservations import Reservations\n"
        "with Reservations(pathlib.Path(sys.argv[1])) as reservations:\n"
        "    reservations.write(12, 3456, 10**9)\n"
        "    reservations.write(13, 3, 70)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False).returncode == -9
    assert found_in(tmp_path) == (True, Usage(13, 3, 70))


def test_a_session_that_ends_by_itself_leaves_nothing(tmp_path: Path) -> None:
    with suppress(ZeroDivisionError), Reservations(tmp_path) as reservations:
        assert (reservations.killed, reservations.found) == (False, Usage())
        reservations.write(1, 2, 3)
        raise ZeroDivisionError  # an error is an end, too: the report has the numbers
    assert list(tmp_path.iterdir()) == []
    assert found_in(tmp_path) == (False, Usage())


@pytest.mark.parametrize(
    "content",
    [b"", b"%020d %020d" % (1, 2), b"%020d %020d %020d" % (1, 2, 3), b"\0" * 63],
    ids=["empty", "two numbers", "no end of line", "zeros"],
)
def test_a_torn_file_tells_of_a_kill_and_no_numbers(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert found_in(tmp_path) == (True, Usage())


def test_numbers_are_kept_until_the_first_request_of_the_next_session(tmp_path: Path) -> None:
    """A process that is killed between its start and its first request has spent nothing, and must forget nothing."""
    (tmp_path / FILE).write_bytes(b"%020d %020d %020d\n" % (5, 60, 700))
    with Reservations(tmp_path) as reservations:
        assert reservations.found == Usage(5, 60, 700)
        shutil.copytree(tmp_path, tmp_path / "as killed now")
    assert found_in(tmp_path / "as killed now") == (True, Usage(5, 60, 700))


@given(
    st.lists(
        st.tuples(st.integers(0, PROMPT), st.integers(0, COMPLETION)) | st.sampled_from(["send", "send", "kill"]), max_size=40
    ),
    st.integers(0, 8),
    st.integers(0, 1000),
)
def test_no_series_of_kills_exceeds_a_limit(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int] | str], requests: int, tokens: int
) -> None:
    limits, folder = RunLimits(max_requests=requests + 1, max_total_tokens=tokens + 1), tmp_path_factory.mktemp("run")
    (folder / "0").mkdir()
    sent = charged = 0  # as the server counts; what was in flight at a kill is charged in full
    before = Usage()
    for number, session in enumerate(between_kills(steps)):
        out, in_flight = folder / str(number), 0
        with Reservations(out) as reservations:
            if reservations.killed:
                assert reservations.found.requests_sent >= sent
                assert reservations.found.prompt_tokens + reservations.found.completion_tokens >= charged
                before = reservations.found
            budget = Budget(limits, before, reservations.write)
            for step in session:
                if isinstance(step, tuple) and in_flight:
                    in_flight -= 1
                    charged += sum(step)
                    budget.settle(REQUEST, Completion("", "stop", prompt_tokens=step[0], completion_tokens=step[1]))
                elif step == "send" and budget.reserve(REQUEST):
                    in_flight, sent = in_flight + 1, sent + 1
                assert sent <= requests + 1
                assert charged + in_flight * (PROMPT + COMPLETION) <= tokens + 1
            charged += in_flight * (PROMPT + COMPLETION)
            shutil.copytree(out, folder / str(number + 1))  # as a kill leaves it


def test_numbers_are_kept_through_a_session_without_limits_but_do_not_count_its_requests(tmp_path: Path) -> None:
    with Reservations(tmp_path) as reservations:
        reservations.write(5, 60, 700)
        shutil.copytree(tmp_path, tmp_path / "with limits")
    for name, bounded in (("without", False), ("without, again", False), ("with limits again", True)):
        with Reservations(tmp_path / "with limits", bounded=bounded) as reservations:
            assert (reservations.killed, reservations.found) == (True, Usage(5, 60, 700))
            assert reservations.complete == (name == "without")
            shutil.copytree(tmp_path / "with limits", tmp_path / name)
        shutil.copytree(tmp_path / name, tmp_path / "with limits", dirs_exist_ok=True)


def test_a_request_must_not_be_sent_if_its_reservation_is_not_on_disk(tmp_path: Path) -> None:
    for size in (0, 10):  # the disk was full before the line, and in the middle of it
        with Reservations(tmp_path) as reservations, files_of_at_most(size):
            with pytest.raises(RunError, match=r"\.reserved' cannot be written: .*free disk space"):
                reservations.write(1, 2, 3)


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(RunError, match=r"cannot be written: Is a directory\. It keeps the run within its limits"):
        Reservations(tmp_path)
