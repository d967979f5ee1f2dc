"""Memory held by a control group: on this machine where it has one to divide, and in any case on a kernel of our own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hf_oss_instruct.sandbox import cgroups
from hf_oss_instruct.sandbox.backends import BUBBLEWRAP, memory_held_by, not_held, why_no_cgroups
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.sandbox.run import Job, run_program, run_programs

from . import uml
from .conformance.__main__ import cells
from .conformance.runners import PYTHON
from .conftest import ISOLATING

ROOT = Path(__file__).parents[2]
TROUBLE = why_no_cgroups(ISOLATING[0]) if ISOLATING else "no sandbox"
ORDINARY = 60123

needs_group = pytest.mark.skipif(bool(TROUBLE), reason=f"no control group can be divided here: {TROUBLE}")
needs_sandbox = pytest.mark.skipif(not ISOLATING, reason="this machine has no sandbox: hf-oss-instruct env says why")


def groups() -> list[Path]:
    """The control groups of this process's runs."""
    return [path for path in cgroups._own_group(os.getpid()).iterdir() if path.is_dir()]


@needs_group
def test_what_lies_in_memory_is_counted_together_and_all_of_it_is_ended() -> None:
    # No process holds it, so no watch over processes sees it.
    fill = "for n in range(90):\n    open('big', 'ab').write(bytes(1 << 20))\n    print('REACHED', n + 1, flush=True)"
    limits = Limits(memory_mib=60, disk_mib=100)
    ended = run_program(fill, limits=limits)
    assert (ended.status, ended.exit_code, ended.signal) == ("memory", None, 9)
    assert 20 < int(ended.stdout.split()[-1]) < 60
    assert run_program(fill, limits=Limits(memory_mib=200, disk_mib=100)).status == "ok"


@needs_group
def test_each_step_has_its_own_limit() -> None:
    small = Limits(memory_mib=20)  # less than any compiler needs
    ended = run_program("int main(void) { return 3; }", "c", limits=small)
    assert (ended.status, ended.exit_code) == ("failed", 3)


@needs_group
def test_many_processes_are_over_the_limit_not_even_for_a_moment() -> None:
    found = {column: result for column, result, _ in cells("grows-in-many-processes-for-a-moment")}
    assert found.pop("bare subprocess") == "succeeded"
    assert set(found.values()) == {"blocked"}
    assert "memory-summed-peak" not in not_held(BUBBLEWRAP)
    assert memory_held_by(ISOLATING[0]) == "a control group"


@needs_group
def test_runs_leave_no_group() -> None:
    leave = "import os, time\nos.fork() or time.sleep(3600)"
    assert [ended.status for ended in run_programs([Job(leave)] * 8, workers=4)] == ["ok"] * 8
    assert groups() == []


@needs_group
def test_groups_of_a_caller_that_was_killed_are_removed_by_the_next() -> None:
    ours = cgroups._own_group(os.getpid())
    code = "from hf_oss_instruct.sandbox.run import run_program\n"
    hangs = "run_program('pass'); print(1, flush=True); run_program('import time; time.sleep(60)')"
    hung = subprocess.Popen([sys.executable, "-c", code + hangs], stdout=subprocess.PIPE)
    assert hung.stdout
    hung.stdout.readline()
    left = ours.with_name(f"{cgroups.PREFIX}{hung.pid}")
    assert left.is_dir()
    hung.kill()
    hung.wait()
    hung.stdout.close()
    subprocess.run([sys.executable, "-c", code + "run_program('print(1)')"], check=True)
    assert not left.exists()
    assert [path.name for path in ours.parent.glob(f"{cgroups.PREFIX}*")] == [ours.name]


@needs_group
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can delegate a control group")
def test_an_ordinary_user_uses_a_group_that_was_delegated() -> None:
    given = cgroups._own_group(os.getpid()).with_name("given")
    inner = given / "main"
    inner.mkdir(parents=True)
    for path in (given, inner):
        for name in (path, path / "cgroup.procs", path / "cgroup.subtree_control"):
            os.chown(name, ORDINARY, ORDINARY)
    copy = Path(tempfile.mkdtemp(prefix="copy-"))
    copy.chmod(0o755)
    shutil.copytree(ROOT / "src/hf_oss_instruct", copy / "hf_oss_instruct", ignore=shutil.ignore_patterns("__pycache__"))
    code = (
        "import json\nfrom hf_oss_instruct.sandbox.backends import memory_held_by\n"
        "from hf_oss_instruct.sandbox.run import run_program\nfrom hf_oss_instruct.sandbox.limits import Limits\n"
        "fill = \"for n in range(90): open('big', 'ab').write(bytes(1 << 20))\"\n"
        "print(json.dumps([memory_held_by('bubblewrap'), run_program(fill, limits=Limits(memory_mib=60, disk_mib=100)).status]))"
    )
    become = ["setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups", PYTHON, "-c", code]
    shell = f'echo $$ > {inner}/cgroup.procs && exec "$@"'
    world = {"PATH": "/usr/bin:/bin", "TMPDIR": tempfile.gettempdir()}
    done = subprocess.run(["sh", "-c", shell, "sh", *become], cwd=copy, env=world, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["a control group", "memory"]
    assert [path.name for path in given.iterdir() if path.is_dir()] == ["main"]
    inner.rmdir()
    given.rmdir()
    shutil.rmtree(copy)


@needs_sandbox
def test_without_a_group_the_watch_is_listed_as_no_guarantee_and_why() -> None:
    if not TROUBLE:
        pytest.skip("this machine has a control group")
    assert memory_held_by(ISOLATING[0]) == f"polling, which is not a guarantee; no control group: {TROUBLE}"
    assert "memory-summed-peak" in not_held(BUBBLEWRAP)
    shown = subprocess.run(
        [Path(sys.executable).with_name("hf-oss-instruct"), "env"], capture_output=True, text=True, check=True
    ).stdout
    assert "- memory of programs: polling, which is not a guarantee; no control group:" in shown
    assert "not guaranteed: memory-summed-peak" in shown


@pytest.mark.parametrize(
    "chosen", ["in_memory or no_group", pytest.param("not in_memory and not no_group", marks=pytest.mark.long)]
)
def test_all_of_this_holds_on_a_kernel_with_control_groups(chosen: str) -> None:
    if not uml.KERNEL and not os.environ.get("CI"):
        pytest.skip(f"linux.uml is not installed. Install it with: {uml.INSTALL}")
    words = [sys.executable, "-m", "pytest", "-q", "--disable-plugin-autoload", "-p", "no:cacheprovider", __file__]
    try:
        code, said = uml.run([*words, "-k", f"({chosen}) and not without_a_group and not on_a_kernel"], ROOT)
    except uml.UnknownProcessorError:
        pytest.skip("linux.uml is too old for this processor")
    assert code == 0, said
    assert "skipped" not in said, said
