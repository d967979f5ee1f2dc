"""How a program is run: on a bare subprocess, as careless graders do, or in a tier of the sandbox."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import tty
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .attack import LIMITS, Attack, Outcome
from .fakes import Fake, FakeProgram
from .scene import Scene

BARE = "bare subprocess"
SAFETY_S = 60
"""A bare run is ended after this many seconds; every attack stops by itself before."""
PYTHON = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin") or sys.executable
COMMANDS: Mapping[str, tuple[str, list[list[str]]]] = {
    "python": ("program.py", [[PYTHON, "program.py"]]),
    "javascript": ("program.js", [["node", "program.js"]]),
    "shell": ("program.sh", [["bash", "program.sh"]]),
    "c": ("program.c", [["gcc", "-w", "-o", "program", "program.c", "-lm"], ["./program"]]),
}
CONDITIONS = {
    "root": lambda: os.geteuid() == 0,
    "tiocsti": lambda: _tunable("dev/tty/legacy_tiocsti", "1") or os.geteuid() == 0,
    "interface": lambda: any(name != "lo" for _, name in socket.if_nameindex()),
}
"""What an attack may need of the machine and the user."""


def _tunable(name: str, value: str) -> bool:
    path = Path("/proc/sys") / name
    return not path.exists() or path.read_text().strip() == value


def sandbox_tiers() -> list[str]:
    """The tiers of this machine; none while there is no sandbox."""
    try:
        from hf_oss_instruct.sandbox.backends import available_tiers
    except ImportError:
        return []
    return [getattr(tier, "name", tier) for tier in available_tiers()]


def holds(tier: str, guarantee: str) -> bool:
    """Whether the tier claims to hold the guarantee on this machine."""
    from hf_oss_instruct.sandbox.backends import TIERS, not_held

    return guarantee not in not_held(TIERS[tier])


def breaks(tier: str, use: str) -> bool:
    """Whether the tier says that this legitimate use fails in it."""
    from hf_oss_instruct.sandbox.backends import TIERS

    return use in TIERS[tier].breaks


def run(column: str, source: str, language: str, scene: Scene, limits: Mapping[str, float] = LIMITS, **given: Any) -> Outcome:
    """Run a program in a column of the table: bare, or the name of a tier."""
    return _bare(source, language, scene, **given) if column == BARE else _in_tier(column, source, language, limits, **given)


def _bare(source: str, language: str, scene: Scene, stdin: str = "", files: Mapping[str, bytes] | None = None) -> Outcome:
    name, commands = COMMANDS[language]
    for file, content in {name: source.encode(), **(files or {})}.items():
        (scene.work / file).write_bytes(content)
    started = time.monotonic()
    for command in commands:
        outcome = _command(command, scene, stdin, started)
        if outcome.status != "ok":
            return Outcome("compile_error", outcome.stdout, outcome.stderr) if command is not commands[-1] else outcome
    return outcome


def _command(command: list[str], scene: Scene, stdin: str, started: float) -> Outcome:
    child = subprocess.Popen(
        command, cwd=scene.work, env=os.environ | {"HOME": str(scene.home)}, close_fds=False, process_group=0,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        stdout, stderr = child.communicate(stdin, timeout=SAFETY_S if "STOP" not in _text(scene, command) else 4)
        status = "ok" if child.returncode == 0 else "failed"
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        (stdout, stderr), status = child.communicate(), "timeout"
    return Outcome(status, stdout, stderr, time.monotonic() - started)


def _text(scene: Scene, command: list[str]) -> str:
    """The program that a command runs, as far as it is text."""
    path = scene.work / command[-1]
    return path.read_text() if path.suffix else ""


def _in_tier(tier: str, source: str, language: str, limits: Mapping[str, float], **given: Any) -> Outcome:
    from hf_oss_instruct.sandbox.limits import Limits
    from hf_oss_instruct.sandbox.run import run_program

    started = time.monotonic()
    ran = run_program(source, language, limits=Limits(**{**LIMITS, **limits}), tier=tier, **given)
    return Outcome(ran.status, ran.stdout, ran.stderr, time.monotonic() - started)


def attacked(attack: Attack, column: str) -> tuple[bool, Outcome]:
    """Run one attack, and its victim after it: whether it did harm, and what its caller saw."""
    with Scene() as scene:
        if attack.guarantee == "network":
            scene.watch_port()
        source = scene.fill(attack.source, "" if column == BARE else "os.getppid()")
        outcome = run(column, source, attack.language, scene, attack.limits)
        if attack.victim:
            outcome = run(column, scene.fill(attack.victim), "python", scene)
        outcome = Outcome(**asdict(outcome) | {"typed": _typed() if attack.terminal else ""})
        if attack.terminal and (screen := os.environ.get("CONFORMANCE_SCREEN")):
            os.write(int(screen), scene.mark.encode())  # tells the owner of the terminal what to look for
        return attack.harm(scene, outcome), outcome


def _typed() -> str:
    """What waits in the input of our terminal."""
    waiting = b""
    while select.select([0], [], [], 0.1)[0] and (more := os.read(0, 1024)):
        waiting += more
    return waiting.decode("utf-8", "replace")


def attacked_at_a_terminal(attack: Attack, column: str) -> tuple[bool, Outcome]:
    """The same in a process of its own whose controlling terminal is one of ours, so that we see its keys and its screen."""
    screen, slave = pty.openpty()
    marks, mark = os.pipe()
    tty.setraw(slave)
    command = [sys.executable, "-m", "tests.sandbox.conformance", "--only", attack.name, "--column", column, "--json"]
    os.set_inheritable(mark, True)
    ran = subprocess.run(
        ["setsid", "--ctty", "--wait", *command], stdin=slave, capture_output=True, text=True, timeout=60,
        pass_fds=[mark], env=os.environ | {"CONFORMANCE_SCREEN": str(mark)},
    )  # fmt: skip
    os.close(mark)
    try:
        ((_, harm, *_),) = json.loads(ran.stdout)
    except ValueError:
        raise AssertionError(ran.stderr) from None
    marked, shown = os.read(marks, 64), b""
    while select.select([screen], [], [], 0)[0]:
        with suppress(OSError):
            shown += os.read(screen, 4096)
            continue
        break
    for descriptor in (screen, slave, marks):
        os.close(descriptor)
    return harm == "succeeded" or marked in shown, Outcome("ok", shown=repr(shown))


def judged(fake: Fake, column: str) -> tuple[bool, str]:
    """Whether a function that is not right passes, or makes its grader run its code, and what was said."""
    with Scene() as scene:
        source = scene.fill(fake.source)
        if column == BARE:
            outcome = run(BARE, source + "\n" + fake.bare, "python", scene)
            passed = "PASSED" in outcome.stdout if "PASSED" in fake.bare else outcome.status == "ok"
            return passed or scene.files_touched(), outcome.status + outcome.stderr[-300:]
        from hf_oss_instruct.sandbox.judging.judge import judge

        found = judge(source, fake.entry_point, [list(row) for row in fake.inputs], list(fake.expected), tier=column)
        return found.status == "passed" or any(found.per_input) or scene.files_touched(), found.status


def judged_program(fake: FakeProgram, column: str) -> tuple[bool, str]:
    """Whether a program whose tests fail passes."""
    with Scene() as scene:
        if column == BARE:
            outcome = run(BARE, fake.program + fake.tests, fake.language, scene)
            return outcome.status == "ok", outcome.status + outcome.stderr[-300:]
        from hf_oss_instruct.sandbox.judging.whole_programs import judge_program

        found = judge_program(fake.program, fake.tests, fake.language, tier=column)
        return found.status == "passed", found.status
