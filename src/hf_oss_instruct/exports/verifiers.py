"""Rows as a taskset of verifiers: a package that `pip install` takes, with the tasks in it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hf_oss_instruct.exports.rows import ExportableRows
from hf_oss_instruct.exports.templates import render
from hf_oss_instruct.storage.workdir import write_atomically


def write_verifiers(rows: ExportableRows, out: Path) -> int:
    """Write a package whose module has the taskset; return the number of its tasks."""
    name = re.sub(r"[^a-z0-9]+", "-", out.resolve().name.lower()).strip("-") or "code-tasks"
    module = name.replace("-", "_")
    tasks = [{"id": row.id, "prompt": row.instruction, "tests": row.tests.to_json()} for row in rows]
    (out / module).mkdir(parents=True, exist_ok=True)
    write_atomically(out / module / "tasks.jsonl", "".join(f"{json.dumps(task)}\n" for task in tasks))
    write_atomically(out / module / "__init__.py", render("taskset.py", name=name))
    write_atomically(out / "pyproject.toml", render("pyproject.toml", name=name, module=module))
    return len(tasks)
