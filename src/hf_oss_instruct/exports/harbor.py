"""Rows as Harbor tasks: a folder for each, whose own scripts were run before it is written.

    tasks/ID/instruction.md            the problem, and the file to write
    tasks/ID/task.toml                 limits
    tasks/ID/environment/Dockerfile    a pinned image with the language's toolchain
    tasks/ID/tests/test.sh             writes 1 or 0 to /logs/verifier/reward.txt
    tasks/ID/solution/solve.sh         writes the solution

A row is exported if the solution gets 1 and doing nothing gets 0 from these very scripts, run in the sandbox.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.code.toolchains import TOOLCHAINS
from hf_oss_instruct.exports.harbor_tests import solution_name, verifier_files
from hf_oss_instruct.exports.rows import ExportableRows, ExportRow
from hf_oss_instruct.exports.templates import render
from hf_oss_instruct.sandbox.limits import Limits
from hf_oss_instruct.sandbox.run import run_program
from hf_oss_instruct.storage.workdir import write_atomically
from hf_oss_instruct.verification.suites.core import SuiteRefusedError

# With a date, so that a task stays the same when Debian is updated.
IMAGE = "debian:bookworm-20241202-slim"
LIMITS = Limits(cpu_s=120.0, wall_s=300.0, memory_mib=8192, processes=256, disk_mib=512)


def write_harbor(rows: ExportableRows, out: Path) -> int:
    """Write a task for each row that its own scripts confirm, and a list of them; return how many."""
    listed: list[str] = []
    with ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="harbor") as pool:
        for row, confirmed in pool.map(_confirmed, rows):
            if isinstance(confirmed, str):
                rows.skip(confirmed)
                continue
            folder = out / "tasks" / row.id
            for name, text in confirmed.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, text)
                if name.endswith(".sh"):
                    path.chmod(0o755)
            rows.counts.done += 1
            listed.append(json.dumps({"id": row.id, "lang": row.tests.language, "instruction": confirmed["instruction.md"]}))
    write_atomically(out / "tasks.jsonl", "".join(f"{line}\n" for line in listed))
    return len(listed)


def task_files(row: ExportRow) -> dict[str, str] | str:
    """The files of a task, or why there is none.

    Args:
        row: the row.

    Returns:
        Path in the task's folder → text; or the reason, in a few words.
    """
    language = row.tests.language
    if language not in TOOLCHAINS:
        return f"no toolchain for {language}"
    try:
        tests = verifier_files(row.tests)
    except SuiteRefusedError as refused:
        return f"tests that cannot be run: {refused.reason}"
    name = solution_name(row.tests)
    says = f"Write your solution to `/app/{name}`."
    return {
        "instruction.md": f"{_problem(row)}\n\n{says}\n",
        "task.toml": render("task.toml", language=named(language).name, id=row.id),
        "environment/Dockerfile": render("Dockerfile", image=IMAGE, install=_install(language)),
        "solution/solve.sh": render("solve.sh", file=name),
        f"solution/{name}": row.tests.solution,
        **{f"tests/{path}": text for path, text in tests.items()},
    }


def _install(language: str) -> str:
    """The command that installs a language's toolchain, and Python, which runs the tests of all languages, without asking."""
    return TOOLCHAINS[language].install.replace("apt-get install", "apt-get install --yes python3", 1)


def confirm(files: dict[str, str]) -> str:
    """Run the scripts of a task in the sandbox: doing nothing must get 0, the solution 1. Empty if they do.

    Raises:
        SandboxError: no sandbox works on this machine.
    """
    shell_files = {f"task/{name}": text.encode("utf-8", "surrogatepass") for name, text in files.items()}
    ran = run_program(_BOTH, "shell", files=shell_files, limits=LIMITS)
    output = ran.stdout.split()
    if output[:2] == ["0", "1"]:
        return ""
    if ran.status == "sandbox_error":
        return "the sandbox failed"
    return "doing nothing passes its tests" if output[:1] == ["1"] else "its solution does not pass its own tests"


# Doing nothing comes first, as a solution cannot be taken back. All other output is dropped: only rewards are read.
_BOTH = """mkdir app logs
export APP=$PWD/app LOGS=$PWD/logs
sh task/tests/test.sh > /dev/null 2>&1; cat logs/reward.txt
sh task/solution/solve.sh > /dev/null 2>&1
sh task/tests/test.sh > /dev/null 2>&1; cat logs/reward.txt
"""


def _confirmed(row: ExportRow) -> tuple[ExportRow, dict[str, str] | str]:
    files = task_files(row)
    return row, files if isinstance(files, str) else confirm(files) or files


def _problem(row: ExportRow) -> str:
    """The instruction without its last line, which asks for a Markdown block."""
    return row.instruction.rpartition("\n\n")[0]
