"""The taskset for verifiers, where verifiers is installed: loaded by its own loader and scored by its own task."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hf_oss_instruct.exports.templates import render
from hf_oss_instruct.rewards.grading.tests_of_row import RowTests

pytest.importorskip("verifiers.v1", reason="verifiers is not installed")

TASKS = [{"id": "one", "prompt": "Write one().", "tests": RowTests(code=("assert one() == 1",)).to_json()}]


def taskset(folder: Path, text: str) -> Any:
    """The taskset of an exported package, found by name as `eval NAME` finds it."""
    from verifiers.v1.utils.loaders import load_taskset, taskset_class

    (folder / "exported_tasks").mkdir()
    (folder / "exported_tasks" / "__init__.py").write_text(render("taskset.py", name="exported-tasks"))
    (folder / "exported_tasks" / "tasks.jsonl").write_text(text)
    sys.path.insert(0, str(folder))
    try:
        importlib.invalidate_caches()
        sys.modules.pop("exported_tasks", None)
        config = importlib.import_module("hf_oss_instruct.rewards.integrations.verifiers").CodeConfig(id="exported-tasks")
        assert taskset_class("exported-tasks").__name__ == "Taskset"
        return load_taskset(config)
    finally:
        sys.path.remove(str(folder))


def test_the_exported_package_is_loaded_and_scored(tmp_path: Path) -> None:
    (task,) = taskset(tmp_path, json.dumps(TASKS[0]) + "\n")
    assert (task.data.id, task.data.prompt) == ("one", "Write one().")
    for answer, reward in (("```python\ndef one():\n    return 1\n```", 1.0), ("```python\ndef one():\n    return 2\n```", 0.0)):
        assert asyncio.run(task.code_reward(SimpleNamespace(last_reply=answer))) == reward


def test_a_line_that_is_no_task_is_named(tmp_path: Path) -> None:
    from hf_oss_instruct.errors import UsageError

    with pytest.raises(UsageError, match="Line 1 of"):
        list(taskset(tmp_path, '{"id": "x"}\n'))
