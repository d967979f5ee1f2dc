"""When the sandbox itself fails, no program does: the run is made again, or the failure is said."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hf_oss_instruct.errors import SandboxError
from hf_oss_instruct.sandbox import fork_servers
from hf_oss_instruct.sandbox.inside import procfs
from hf_oss_instruct.sandbox.judging.whole_programs import judge_program
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.sandbox.monitor import SLACK_S
from hf_oss_instruct.sandbox.run import Job, run_program, run_programs

from .conftest import ISOLATING
from .descendants import all_ended, children, descendants, parents_of

pytestmark = pytest.mark.skipif(not ISOLATING, reason="this machine has no sandbox: hf-oss-instruct env says why")


def test_a_dead_worker_is_replaced_and_no_run_fails_for_it(isolating: str) -> None:
    run_program("pass", tier=isolating)
    worker = fork_servers.fork_server((isolating, (), (), (), None))
    everything = descendants(worker._process.pid)
    for pid in (*everything, worker._process.pid):
        with contextlib.suppress(ProcessLookupError):  # one of them takes others with it
            os.kill(pid, signal.SIGKILL)
    worker._process.wait()
    assert all_ended(everything)
    assert run_program("print(1)", tier=isolating).stdout == "1\n"
    assert fork_servers.fork_server((isolating, (), (), (), None)) is not worker


def test_a_sandbox_that_fails_is_no_failure_of_the_program(isolating: str) -> None:
    # No file can have such a name: the init_process cannot write it.
    ended = run_program("pass", files={"a" * 300: b""}, tier=isolating)
    assert ended.status == "sandbox_error"
    assert ended.stderr
    assert run_program("print(1)", tier=isolating).stdout == "1\n"


def test_a_run_whose_sandbox_fails_takes_no_other_with_it(isolating: str) -> None:
    long = Job("import time; time.sleep(6); print('done')")
    started = time.monotonic()
    first, broken, last = run_programs([long, Job("pass", files={"a" * 300: b""}), long], workers=3, tier=isolating)
    assert (first.stdout, broken.status, last.stdout) == ("done\n", "sandbox_error", "done\n")
    assert time.monotonic() - started < 11  # none was run twice


def _kill_the_inits_of(mark: str, done: threading.Event) -> None:
    """Kill the parent of every process with these words as its last argument, until all is over."""
    while not done.wait(0.02):
        for parent in parents_of(mark).values():
            with contextlib.suppress(OSError):
                os.kill(parent, signal.SIGKILL)


def test_a_program_that_breaks_its_sandbox_each_time_has_failed_and_is_told_why(isolating: str) -> None:
    # None of ours can: a helper outside kills what watches over it.
    mark = f"30.{secrets.randbelow(10**9):09}"
    broken = f"import os; os.execv('/bin/sleep', ['sleep', '{mark}'])"
    done = threading.Event()
    helper = threading.Thread(target=_kill_the_inits_of, args=(mark, done))
    helper.start()
    try:
        ended = run_program(broken, tier=isolating)
        judged = judge_program(broken, tier=isolating)
    finally:
        done.set()
        helper.join()
    assert (ended.status, ended.exit_code) == ("failed", None)
    assert "broke its sandbox 3 times, while others ran in it" in ended.reason
    assert (judged.status, judged.per_input) == ("runtime_error", [False])
    assert "broke its sandbox" in judged.detail


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user has no other to give")
def test_a_program_of_root_is_another_user_than_its_container_init(isolating: str) -> None:
    mark = f"30.{secrets.randbelow(10**9):09}"
    users: list[set[str]] = []

    def look() -> None:
        while not users:
            for pair in parents_of(mark).items():
                with contextlib.suppress(OSError):
                    lines = [Path(f"/proc/{pid}/status").read_text().split("Uid:")[1] for pid in pair]
                    users.extend(set(line.partition("\n")[0].split()) for line in lines)

    helper = threading.Thread(target=look)
    helper.start()
    run_program(f"import os; os.execv('/bin/sleep', ['sleep', '{mark}'])", limits=Limits(wall_s=1), tier=isolating)
    helper.join()
    program, init_process = users
    assert len(program) == 1
    assert not program & (init_process | {"0"})


def test_the_wall_limit_is_held_from_outside_when_the_container_init_cannot(isolating: str) -> None:
    mark = f"30.{secrets.randbelow(10**9):09}"
    stopped: list[int] = []

    def stop_the_container_init() -> None:
        while not stopped:
            for pid, parent in parents_of(mark).items():
                with contextlib.suppress(OSError):
                    os.kill(parent, signal.SIGSTOP)
                    stopped.append(pid)

    helper = threading.Thread(target=stop_the_container_init)
    helper.start()
    started = time.monotonic()
    source = f"import os; os.execv('/bin/sleep', ['sleep', '{mark}'])"
    ended = run_program(source, limits=Limits(wall_s=1), tier=isolating)
    seconds = time.monotonic() - started
    helper.join()
    assert ended.status == "timeout"
    assert "held from outside" in ended.reason
    assert 1 + SLACK_S < seconds < 20
    left = procfs.stat(stopped[0])
    assert left is None or left.state in "ZX"


def test_a_container_init_that_dies_while_it_waits_is_replaced(isolating: str) -> None:
    run_program("pass", tier=isolating)
    worker = fork_servers.fork_server((isolating, (), (), (), None))
    (inner,) = children(worker._process.pid) if isolating == "bubblewrap" else [worker._process.pid]
    for spare in children(inner):
        os.kill(spare, signal.SIGKILL)
        while Path(f"/proc/{spare}").exists():
            time.sleep(0.001)
    assert [run_program(f"print({n})", tier=isolating).stdout for n in range(3)] == ["0\n", "1\n", "2\n"]
    assert fork_servers.fork_server((isolating, (), (), (), None)) is worker


def test_a_machine_that_cannot_fork_fails_no_program() -> None:
    if "bubblewrap" not in ISOLATING:
        pytest.skip("this machine does not have the tier bubblewrap")
    run_program("pass", tier="bubblewrap")
    worker = fork_servers.fork_server(("bubblewrap", (), (), (), None))
    (inner,) = children(worker._process.pid)  # bwrap's
    uid = os.stat(f"/proc/{inner}").st_uid
    become = [] if uid == os.geteuid() else ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    subprocess.run([*become, "prlimit", f"--pid={inner}", "--nproc=0:0"], check=True)
    assert [run_program(f"print({n})", tier="bubblewrap").stdout for n in range(3)] == ["0\n", "1\n", "2\n"]
    assert fork_servers.fork_server(("bubblewrap", (), (), (), None)) is not worker


def test_a_caller_without_descriptors_gets_no_verdict_for_it(isolating: str) -> None:
    code = (
        "import os, resource\nfrom hf_oss_instruct.errors import SandboxError\n"
        "from hf_oss_instruct.sandbox.judging.judge import judge\n"
        f"def judged():\n    try:\n        return judge('def f(x): return x', 'f', [[1]], [1], tier={isolating!r}).status\n"
        "    except SandboxError:\n        return 'raised'\n"
        "print(judged())\nsoft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir('/proc/self/fd')) + 3, hard))\nprint(judged())\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))\nprint(judged())"
    )
    first, starved, last = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert (first, last) == ("passed", "passed")
    assert starved in ("sandbox_error", "raised")


def test_bubblewrap_that_is_gone_half_way_is_raised_and_no_failure(tmp_path: Path) -> None:
    if "bubblewrap" not in ISOLATING:
        pytest.skip("this machine does not have the tier bubblewrap")
    code = (
        "import os\nfrom hf_oss_instruct.errors import SandboxError\nfrom hf_oss_instruct.sandbox import fork_servers\n"
        "from hf_oss_instruct.sandbox.judging.whole_programs import judge_program\n"
        "print(judge_program('x = 1', 'assert x == 1', tier='bubblewrap').status)\n"
        f"os.environ['PATH'] = {str(tmp_path)!r}\n"
        "fork_servers.close_all()\n"
        "try:\n    print(judge_program('x = 1', 'assert x == 1', tier='bubblewrap').status)\n"
        "except SandboxError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "passed\nbwrap (bubblewrap) is not installed\n"


def test_a_worker_does_not_outlive_its_caller(isolating: str) -> None:
    code = (
        "import os, signal, threading, time\nfrom hf_oss_instruct.sandbox.run import run_program\n"
        f"run_program('pass', tier={isolating!r})\n"
        f"long = lambda: run_program('import time; time.sleep(60)', tier={isolating!r})\n"
        "threading.Thread(target=long, daemon=True).start()\n"
        "time.sleep(1); print('ready', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"ready\n"
    started = descendants(process.pid)
    assert len(started) > 1  # the fork server and the program
    process.kill()
    process.wait()
    process.stdout.close()
    assert all_ended(started)


def test_a_machine_without_a_sandbox_refuses_and_says_how_to_get_one(tmp_path: Path) -> None:
    # A machine where nothing can be isolated: no bwrap on the path, and a kernel filter that refuses landlock.
    code = (
        "import os\nfrom hf_oss_instruct.sandbox.inside import seccomp\nfrom hf_oss_instruct.sandbox.run import run_program\n"
        "seccomp.CALLS.clear(); seccomp.CALLS['landlock_create_ruleset'] = (444, 444)\n"
        "seccomp.apply(seccomp.build(os.uname().machine, namespaces=True))\nrun_program('pass')"
    )
    env = {"PATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.returncode == 1
    assert SandboxError.__name__ in done.stderr
    assert "apt-get install bubblewrap" in done.stderr
    assert "--unsafe-no-sandbox" in done.stderr
