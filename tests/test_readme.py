"""What the README says works: its blocks run one after the other, as a reader would type them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.example import Example
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

from .support.teacher import LocalTeacher

ROOT = Path(__file__).parents[1]
SERVER = "http://localhost:8080/v1"
BIN = Path(sys.executable).parent
MY_CODE = '''def clamp(value, low, high):
    """Return the value, moved into the closed interval between low and high if it lies outside."""
    return max(low, min(value, high))


def window(items, size):
    """Yield every run of `size` neighbours of a list, from left to right, as tuples of that length."""
    for start in range(len(items) - size + 1):
        yield tuple(items[start : start + size])
'''


def run_shell(script: str) -> None:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(["bash", "-euc", script], env=os.environ | {"PATH": path}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"


def test_every_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_code").mkdir()
    (tmp_path / "my_code" / "tools.py").write_text(MY_CODE)
    with LocalTeacher() as teacher:

        def shell(example: Example) -> None:
            run_shell(str(example.parsed).replace(SERVER, teacher.base_url))

        parsers = [SkipParser(), PythonCodeBlockParser(), CodeBlockParser("sh", shell)]
        document = Sybil(parsers=parsers, path=str(ROOT)).parse(ROOT / "README.md")
        ran = 0
        for example in document.examples():
            example.evaluate()
            ran += 1
    assert ran >= 6
    assert len(teacher.requests) == 20


def test_make_quickstart_prints_pairs_and_leaves_a_data_set(tmp_path: Path) -> None:
    recipe = subprocess.run(
        ["make", "-n", "quickstart", f"VENV={BIN.parent}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    commands = [line for line in recipe.stdout.splitlines() if "/hf-oss-instruct " in line]
    done = [
        subprocess.run(["bash", "-euc", line], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True)
        for line in commands
    ]
    assert done[0].stdout.count("── problem") >= 2
    assert "pairs kept of 200 seeds" in done[1].stdout
    assert list((tmp_path / "quickstart-pairs" / "data").glob("*.parquet"))
