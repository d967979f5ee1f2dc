"""One program in, one execution out: what it prints and how it ends, on every tier this machine has."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import hf_oss_instruct
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.sandbox import backends, fork_servers
from hf_oss_instruct.sandbox.backends import BUBBLEWRAP, LANDLOCK, TIERS, chosen_tier
from hf_oss_instruct.sandbox.guarantees import GUARANTEES
from hf_oss_instruct.sandbox.limits import STATUSES, Limits
from hf_oss_instruct.sandbox.run import Job, run_many, run_program, run_program_async, run_programs, run_programs_async

from .conftest import ISOLATING, without_folder
from .descendants import ours

DEAF = "import signal\nfor n in set(range(1, 32)) - {9, 19}: signal.signal(n, signal.SIG_IGN)\nwhile True: pass"
SMALL = Limits(cpu_s=2, wall_s=3, memory_mib=200, processes=20, disk_mib=8, output_bytes=20_000)
NO_CPU, NO_TIME = replace(SMALL, cpu_s=0.5), replace(SMALL, wall_s=1)

pytestmark = pytest.mark.skipif(not ISOLATING, reason="this machine has no sandbox: hf-oss-instruct env says why")


def test_a_program_reads_its_input_and_files_and_says_how_it_ended(tier: str) -> None:
    source = "import sys\nprint(sys.stdin.read(), open('data/a.txt').read())\nprint('trouble', file=sys.stderr)\nsys.exit(3)"
    ended = run_program(source, stdin="in: é", files={"data/a.txt": b"file"}, tier=tier)
    assert (ended.status, ended.exit_code, ended.signal) == ("failed", 3, None)
    assert (ended.stdout, ended.stderr) == ("in: é file\n", "trouble\n")
    assert ended.tier == tier
    assert 0 < ended.cpu_s < 5
    assert ended.wall_s > 0
    assert 1 < ended.peak_memory_mib < 500
    assert not ended.truncated


@pytest.mark.parametrize("fresh", [False, True], ids=["forked", "fresh"])
@pytest.mark.parametrize(
    ("source", "code", "says"),
    [
        ("pass", 0, ""),
        ("import sys; sys.exit('no')", 1, "no"),
        ("raise SystemExit(False)", 0, ""),
        ("1 / 0", 1, "ZeroDivisionError: division by zero"),
        ("def f(:", 1, "SyntaxError"),
        ("import atexit; atexit.register(print, 'at exit')", 0, ""),
        ("import threading, time; threading.Thread(target=lambda: (time.sleep(0.1), print('at exit'))).start()", 0, ""),
        ("import sys; sys.stdout.write('at exit')", 0, ""),
        ("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError('x') from e", 1, "direct cause"),
    ],
)
def test_a_fork_of_the_worker_ends_as_a_new_python_does(source: str, code: int, says: str, fresh: bool) -> None:
    ended = run_program(source, fresh=fresh)
    assert ended.exit_code == code
    assert says in ended.stderr
    assert ended.stdout.strip() == ("at exit" if "at exit" in source else "")
    assert "inside" not in ended.stderr  # none of our own frames


def test_a_traceback_is_the_same_in_a_fork_and_in_a_new_python(tier: str) -> None:
    source = "def f(x):\n    return 1 / x\n\nf(0)\n"
    forked, fresh = (run_program(source, tier=tier, fresh=fresh).stderr for fresh in (False, True))
    assert "ZeroDivisionError" in forked
    assert without_folder(forked) == without_folder(fresh)


def test_where_bwrap_runs_the_tier_is_there() -> None:
    ordinary = {} if os.geteuid() else {"user": 65534, "group": 65534, "extra_groups": []}
    bare = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "/bin/true"]
    if not shutil.which("bwrap") or subprocess.run(bare, cwd="/", capture_output=True, **ordinary).returncode:
        pytest.skip("bwrap is not installed, or may not start here")
    assert backends.why_unavailable("bubblewrap") is None


def test_a_package_that_lies_in_tmp_runs_in_every_tier(isolating: str, tmp_path: Path) -> None:
    shutil.copytree(Path(hf_oss_instruct.__file__).parent, tmp_path / "hf_oss_instruct")
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from hf_oss_instruct.sandbox.run import run_program\n"
        "for fresh in (False, True):\n"
        "    print(run_program('print(6 * 7)', tier=sys.argv[2], fresh=fresh).stdout)\n"
    )
    said = subprocess.run([sys.executable, "-c", script, str(tmp_path), isolating], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["42", "42"]


def test_a_signal_is_told_from_an_exit_code(tier: str) -> None:
    ended = run_program("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", tier=tier)
    assert (ended.status, ended.exit_code, ended.signal) == ("failed", None, signal.SIGSEGV)


@pytest.mark.parametrize(
    ("source", "status", "limits"),
    [
        ("while True: pass", "timeout", NO_CPU),
        ("import time; time.sleep(60)", "timeout", NO_TIME),
        (DEAF, "timeout", NO_CPU),
        ("x = []\nwhile True: x.append(bytearray(1 << 20))", "memory", SMALL),
        ("x = bytearray(1 << 40)", "memory", SMALL),
        ("import os\nfor _ in range(4): os.fork()\nx = bytes(30 << 20) * 2\nimport time; time.sleep(9)", "memory", SMALL),
        ("import os, time\nfor _ in range(40): os.fork() or time.sleep(9)", "processes", SMALL),
        ("while True: print('x' * 1000)", "output", SMALL),
        ("import sys\nwhile True: sys.stderr.write('x' * 1000)", "output", SMALL),
        ("open('big', 'wb').write(bytes(20 << 20))", "failed", SMALL),
    ],
    ids=["cpu", "sleep", "deaf", "memory", "huge", "memory of many", "processes", "stdout", "stderr", "file"],
)
def test_every_limit_ends_the_run_and_names_itself(source: str, status: str, limits: Limits, isolating: str) -> None:
    started = time.monotonic()
    ended = run_program(source, limits=limits, tier=isolating)
    assert ended.status == status
    assert ended.status in STATUSES
    assert ended.truncated == (status == "output")
    assert len(ended.stdout) + len(ended.stderr) <= limits.output_bytes
    assert time.monotonic() - started < limits.wall_s + 15


def test_many_small_files_are_bounded_too(isolating: str) -> None:
    ended = run_program(
        "for i in range(100): open(str(i), 'wb').write(bytes(1 << 20))\nwhile True: pass", limits=SMALL, tier=isolating
    )
    assert ended.status == "failed"


def test_what_a_run_leaves_is_gone_with_it(isolating: str) -> None:
    leave = (
        "import os, time\nprint(os.getcwd())\nopen('left.txt', 'w').write('x')\n"
        "if not os.fork():\n    os.setsid()\n    if not os.fork():\n        time.sleep(3600.5)\n    os._exit(0)\n"
    )
    ended = run_program(leave, tier=isolating)
    assert ended.status == "ok"
    assert ended.wall_s < 5  # it was not waited for
    folder = Path(ended.stdout.strip())
    assert not (folder / "left.txt").exists()
    assert run_program("import os; print(os.listdir('.'))", tier=isolating).stdout == "['program.py']\n"


@pytest.mark.parametrize("count", [100, pytest.param(500, marks=pytest.mark.long)])
def test_many_runs_leave_nothing(count: int, isolating: str) -> None:
    run_program("pass", tier=isolating)  # starts the worker

    def state() -> tuple[int, int, int, int]:
        folders = [base for worker in fork_servers._kept.values() if (base := worker._base)]
        work, mounts = sum(len(os.listdir(base)) for base in folders), Path("/proc/self/mountinfo").read_text().count("\n")
        return len(ours()), mounts, len(os.listdir("/proc/self/fd")), work

    def settled() -> tuple[int, int, int, int]:
        last = state()
        while time.sleep(1) or (now := state()) != last:
            last = now
        return last

    before = settled()  # the init processes that wait for the next runs have their folders
    jobs = (Job(f"open('x', 'w').write('y'); print({n})") for n in range(count))
    outputs = [ended.stdout for ended in run_programs(jobs, workers=4, tier=isolating)]
    assert outputs == [f"{n}\n" for n in range(count)]
    deadline = time.monotonic() + 10
    while state() != before and time.monotonic() < deadline:  # the last init processes end and remove their folders
        time.sleep(0.05)
    assert state() == before


def test_nothing_one_run_changes_in_python_reaches_the_next(isolating: str) -> None:
    poison = "import builtins, json, os, sys\nbuiltins.len = lambda x: 7\njson.loads = None\n"
    poison += "os.environ['A'] = 'b'\nsys.path.insert(0, '/x')"
    assert run_program(poison, tier=isolating).status == "ok"
    look = "import json, os, sys\nprint(len([]), json.loads('1'), os.environ.get('A'), '/x' in sys.path)"
    assert run_program(look, tier=isolating).stdout == "0 1 None False\n"


def test_two_forks_draw_different_random_numbers() -> None:
    source = "import random; print(random.random())"
    assert run_program(source).stdout != run_program(source).stdout
    source = "import numpy; print(numpy.random.rand())"
    assert run_program(source).stdout != run_program(source).stdout


def test_numpy_and_pandas_are_there_for_programs_that_import_them(isolating: str) -> None:
    pytest.importorskip("pandas")
    ended = run_program(
        "import numpy as np\nimport pandas as pd\nprint(pd.DataFrame({'a': np.arange(4)}).a.sum())", tier=isolating
    )
    assert ended.stdout == "6\n", ended.stderr


def test_other_languages_are_compiled_and_run_inside(isolating: str) -> None:
    source = '#include <stdio.h>\nint main(void) { int n; scanf("%d", &n); printf("%d\\n", 2 * n); return 3; }'
    ended = run_program(source, "c", stdin="21", tier=isolating)
    assert (ended.status, ended.exit_code, ended.stdout) == ("failed", 3, "42\n"), ended
    broken = run_program("int main(void) { return x; }", "c", tier=isolating)
    assert broken.status == "compile_error"
    assert "undeclared" in broken.stderr
    assert run_program('read x; echo "got $x"', "shell", stdin="it\n", tier=isolating).stdout == "got it\n"


def test_asynchronous_code_waits_without_blocking() -> None:
    async def many() -> list[str]:
        return [ended.stdout for ended in await asyncio.gather(*(run_program_async(f"print({n})") for n in range(5)))]

    assert asyncio.run(many()) == ["0\n", "1\n", "2\n", "3\n", "4\n"]
    assert inspect.signature(run_program_async) == inspect.signature(run_program)


def test_asynchronous_code_runs_many_and_takes_them_only_a_little_ahead() -> None:
    taken = []

    def jobs() -> Iterator[Job]:
        for n in range(1000):
            taken.append(n)
            yield Job(f"print({n})")

    async def some() -> list[str]:
        found, beats = [], 0

        async def beat() -> None:
            nonlocal beats
            while True:
                await asyncio.sleep(0.001)
                beats += 1

        other = asyncio.create_task(beat())
        results = run_programs_async(jobs(), workers=2)
        async for ended in results:
            found.append(ended.stdout)
            if len(found) == 20:
                break
        await results.aclose()  # type: ignore[attr-defined]
        other.cancel()
        assert beats > 5  # the loop went on meanwhile
        return found

    assert asyncio.run(some()) == [f"{n}\n" for n in range(20)]
    assert len(taken) <= 25


def test_asynchronous_runs_are_no_more_at_once_than_there_are_processors() -> None:
    source = "import time; print(time.monotonic()); time.sleep(0.1); print(time.monotonic())"

    async def many() -> list[list[float]]:
        ended = await asyncio.gather(*(run_program_async(source) for _ in range(12)))
        return [list(map(float, one.stdout.split())) for one in ended]

    runs = asyncio.run(many())
    at_once = max(sum(start <= moment < end for start, end in runs) for moment, _ in runs)
    assert at_once <= len(os.sched_getaffinity(0))


def test_jobs_are_taken_only_a_little_ahead() -> None:
    taken = []

    def jobs() -> Iterator[Job]:
        for n in range(1000):
            taken.append(n)
            yield Job("pass")

    results = run_programs(jobs(), workers=2)
    next(results)
    assert len(taken) <= 5
    results.close()


@pytest.mark.parametrize("umask", [0o022, 0o577])
def test_folders_deeper_than_any_path_are_removed_too(umask: int, isolating: str) -> None:
    deep = "for _ in range(1500):\n    os.mkdir('d')\n    os.chdir('d')"
    ended = run_program(f"import os\nprint(os.getcwd(), flush=True)\nos.umask({umask})\n{deep}", tier=isolating)
    folder = Path(ended.stdout.split()[0])
    assert not (folder / "d").exists()
    assert folder == Path("/tmp") or not folder.exists()


def test_wrong_arguments_are_said_before_anything_runs() -> None:
    with pytest.raises(UsageError, match="Unknown sandbox tier 'docker'"):
        run_program("pass", tier="docker")
    with pytest.raises(UsageError, match="outside the working folder"):
        run_program("pass", files={"../x": b""})
    with pytest.raises(UsageError, match="'klingon'"):
        run_program("pass", "klingon")
    with pytest.raises(UsageError, match="cpu_s is 0"):
        Limits(cpu_s=0)


def test_each_tier_says_what_it_holds_and_what_not() -> None:
    for tier in TIERS.values():
        assert tier.holds
        assert set(tier.does_not_hold) < set(GUARANTEES)
    assert chosen_tier().name in ISOLATING  # never unsafe-none by itself
    text = Path(backends.__file__).read_text()
    for tier in (BUBBLEWRAP, LANDLOCK):
        docstring = text.partition(f"{tier.name.upper()} = Tier(")[2].partition('"""')[2].partition('"""')[0]
        assert {name for name in GUARANTEES if re.search(rf"(?<![\w-]){name}(?![\w-])", docstring)} == set(tier.does_not_hold)


def test_runs_may_share_their_time_so_that_a_hang_does_not_cost_it_for_each() -> None:
    program = "import sys\nif sys.stdin.read() == 'hang':\n    while True:\n        pass\nprint('done')\n"
    runs: list[tuple[dict[str, str], str]] = [({}, given) for given in ("go", *["hang"] * 4)]
    found = run_many(program, "python", runs, limits=Limits(cpu_s=1.0, wall_s=60.0), shares_time=True)
    assert [one.status for one in found[:2]] == ["ok", "timeout"]
    assert sum(one.cpu_s for one in found) < 2
