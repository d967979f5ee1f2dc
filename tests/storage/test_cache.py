"""The cache lies where huggingface_hub has its own, and files in it are whole."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from hf_oss_instruct.storage.atomic import atomic_write
from hf_oss_instruct.storage.cache import cache_folder, write_cached

ROOT = Path(__file__).parents[2]
SOURCES = [path for folder in ("src", "benchmarks") for path in (ROOT / folder).rglob("*.py")]


@pytest.mark.parametrize(
    "set_to",
    [
        {},
        {"HF_HOME": "/data/hf"},
        {"HF_HOME": "~/hf"},
        {"HF_HOME": "$SCRATCH/hf", "XDG_CACHE_HOME": "/not/this"},
        {"XDG_CACHE_HOME": "/data/caches"},
        {"XDG_CACHE_HOME": "~/caches"},
    ],
    ids=str,
)
def test_its_place_is_beside_the_caches_of_huggingface_hub(monkeypatch: pytest.MonkeyPatch, set_to: dict[str, str]) -> None:
    for name in ("HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"HOME": "/home/someone", "SCRATCH": "/scratch"} | set_to).items():
        monkeypatch.setenv(name, value)
    code = "import huggingface_hub.constants as constants; print(constants.HF_HOME)"
    theirs = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert cache_folder("journal", "a") == Path(theirs, "oss-instruct", "journal", "a")


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    for name in ("HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, "")
    assert cache_folder() == Path("/home/someone/.cache/huggingface/oss-instruct")


def test_no_other_module_computes_the_place() -> None:
    assert [path.name for path in SOURCES if 'environ.get("HF_HOME' in path.read_text()] == ["cache.py"]


def test_a_file_is_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    write_cached(path, b"old")
    with suppress(RuntimeError), atomic_write(path) as file:
        file.write(b"half of the n")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    write_cached(path, b"new")
    assert [(one.name, one.read_bytes()) for one in path.parent.iterdir()] == [("file", b"new")]
    mask = os.umask(0o022)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
