"""Source code that runs of these tests read."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A folder of 12 Python files with ten functions each."""
    folder = tmp_path / "my_code"
    folder.mkdir()
    for number in range(12):
        lines = [f"def task_{number}_{line}(x):\n    return x + {number * 100 + line}\n" for line in range(10)]
        (folder / f"tasks_{number}.py").write_text("\n".join(lines))
    return folder
