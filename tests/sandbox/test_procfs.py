"""A program cannot hide from the watch behind its name or its first thread: /proc is read as bytes, or counts as over."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.sandbox.backends import why_unavailable
from hf_oss_instruct.sandbox.inside import folders, procfs
from hf_oss_instruct.sandbox.run import run_program

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is for Linux")
SET_NAME = 15
names = st.binary(max_size=15).filter(lambda name: b"\0" not in name) | st.sampled_from(
    [b")", b"(", b"a) S 1 2", b"\n", b") R 0\n", b"\xff\xfe", b" ", b"", b"VmRSS:", b"\xe2\x80\xa8", b"x (y) z", b"Name:\n"]
)
numbers = st.integers(0, 2**63)


@pytest.fixture
def own_name() -> Iterator[None]:
    before = Path("/proc/self/comm").read_bytes().rstrip(b"\n")
    yield
    ctypes.CDLL(None).prctl(SET_NAME, before)


@pytest.mark.usefixtures("own_name")
def test_a_process_of_any_name_is_seen() -> None:
    libc = ctypes.CDLL(None)

    @given(names)
    def any_name(name: bytes) -> None:
        libc.prctl(SET_NAME, name)
        line, sizes = procfs.stat(os.getpid()), procfs.parse_sizes(procfs.read("/proc/self/status") or b"")
        assert line is not None
        assert (line.state, line.parent) == ("R", os.getppid())
        assert line.threads >= 1
        assert line.own_cpu_s > 0
        assert sizes[b"RssAnon"] > 1000
        assert sizes[b"VmSize"] > sizes[b"RssAnon"]
        assert sizes[b"VmPTE"] > 0

    any_name()


@given(names, st.sampled_from("RSDZTX"), st.lists(numbers, min_size=19, max_size=48))
def test_the_line_of_any_process_is_understood(name: bytes, state: str, fields: list[int]) -> None:
    text = b"7 (" + name + b") " + " ".join([state, *map(str, fields)]).encode() + b"\n"
    line = procfs.parse_stat(text)
    assert (line.state, line.parent, line.threads, line.start_ticks) == (state, fields[0], fields[16], fields[18])
    assert line.own_cpu_s == (fields[10] + fields[11]) * procfs.TICK_S
    assert line.children_cpu_s == (fields[12] + fields[13]) * procfs.TICK_S


@given(st.binary())
def test_any_other_line_is_unreadable(text: bytes) -> None:
    try:
        procfs.parse_stat(text)
    except procfs.UnreadableProcessError:
        pass


@given(st.binary())
def test_any_text_of_sizes_is_read(text: bytes) -> None:
    assert all(size >= 0 for size in procfs.parse_sizes(text).values())


def test_a_name_is_no_size() -> None:
    assert procfs.parse_sizes(b"RssAnon:\t 5 kB\nVmPTE:\t      12 kB\nUid:\t0\nRssAnon: 7 kB\n") == {b"VmPTE": 12, b"RssAnon": 7}


def test_what_is_gone_says_nothing_and_what_is_closed_is_an_error(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    assert procfs.stat(gone.pid) is None
    assert procfs.read(f"/proc/{gone.pid}/status") is None
    if os.geteuid() == 0:
        pytest.skip("nothing is closed to root")
    with pytest.raises(procfs.UnreadableProcessError):
        procfs.read("/proc/1/smaps_rollup")


def test_a_process_whose_first_thread_has_ended_is_seen_by_another() -> None:
    leave = 60 if os.uname().machine == "x86_64" else 93
    rest = "import ctypes, threading, time\nthreading.Thread(target=time.sleep, args=(20,)).start()\n"
    code = f"{rest}ctypes.CDLL(None).syscall({leave})"
    left = subprocess.Popen([sys.executable, "-c", code])
    until = time.monotonic() + 10
    while (line := procfs.stat(left.pid)) is None or line.state != "Z":
        assert time.monotonic() < until
        time.sleep(0.005)
    assert b"RssAnon" not in procfs.parse_sizes(procfs.read(f"/proc/{left.pid}/status") or b"")
    place = procfs.proc_folder(left.pid, line)
    assert procfs.parse_sizes(procfs.read(f"{place}/status") or b"")[b"RssAnon"] > 1000
    left.kill()
    left.wait()


def test_a_folder_with_too_many_files_is_too_large(tmp_path: Path) -> None:
    assert folders.file_sizes(str(tmp_path)) == {}
    (tmp_path / "a").write_bytes(bytes(100_000))
    os.link(tmp_path / "a", tmp_path / "b")
    assert sum(folders.file_sizes(str(tmp_path)).values()) in range(100_000, 130_000)
    (tmp_path / "many").mkdir()
    for number in range(folders.MAX_FILES):
        os.link(tmp_path / "a", tmp_path / "many" / str(number))
    assert folders.file_sizes(str(tmp_path)) == {0: folders.TOO_LARGE}


def test_the_file_by_which_inodes_are_compared_is_gone_afterwards(tmp_path: Path) -> None:
    folders.inodes_match(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(bool(why_unavailable("bubblewrap")), reason="this machine has no bubblewrap: hf-oss-instruct env says why")
def test_a_process_is_alone_until_it_starts_another() -> None:
    says = "import os, time\nfrom inside.procfs import cpu_s, is_alone\nme = os.getpid()\nprint(is_alone(me))\n"
    starts = "if not os.fork():\n    os._exit(0)\nos.wait()\nprint(is_alone(me), abs(cpu_s(me) - time.process_time()) < 1)\n"
    assert run_program(says + starts, tier="bubblewrap").stdout == "True\nFalse True\n"
