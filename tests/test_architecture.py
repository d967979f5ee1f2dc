"""The map in ARCHITECTURE.md names every module and package, and only those that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "hf_oss_instruct"
ROOF = {"cli", "api"}
"""Files of the package itself that stand above the rooms; all its other files are the ground."""
ONE_FILE_PER_CASE = set("languages suites call_tests sample_files benchmarks templates tamper_protection vendor".split())
"""Folders with a file for each language or format: the map names the folder."""
IGNORED = {"__init__", "__main__", "__pycache__"}


def rows_of_the_map() -> dict[str, list[tuple[str, str]]]:
    """Room → the cells `module` and `the question it answers` of its rows."""
    table = (ROOT / "ARCHITECTURE.md").read_text("utf-8").partition("| floor |")[2].partition("\n\n")[0]
    rows: dict[str, list[tuple[str, str]]] = {}
    room = ""
    for line in table.splitlines()[2:]:
        floor, modules, question = (cell.strip() for cell in line.strip("|").split("|", 2))
        room = floor.strip("*") or room
        rows.setdefault(room, []).append((modules, question))
    return rows


MAP = rows_of_the_map()


def folder(room: str) -> Path:
    return PACKAGE if room in ("roof", "ground") else PACKAGE / room


def contents(path: Path) -> set[str]:
    """Names of the modules and folders right below a folder."""
    return {inner.stem for inner in path.iterdir() if inner.is_dir() or inner.suffix == ".py"} - IGNORED


def names_in(text: str) -> set[str]:
    """Names in code quotes, without suffix: `driver` of `engine/driver.py`, and `engine`."""
    return {part for name in re.findall(r"`([\w/]+)(?:\.py)?`", text) for part in name.split("/") if part}


def test_the_map_has_every_room() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir()} - IGNORED
    assert MAP.keys() == rooms | {"roof", "ground"}


@pytest.mark.parametrize("room", sorted(MAP))
def test_the_map_names_every_module(room: str) -> None:
    modules = contents(folder(room))
    if room in ("roof", "ground"):
        modules = ROOF if room == "roof" else {path.stem for path in PACKAGE.glob("*.py")} - ROOF - IGNORED
    assert modules <= {name for cell, _ in MAP[room] for name in names_in(cell)}


@pytest.mark.parametrize("room", sorted(MAP.keys() - {"roof", "ground"}))
def test_the_map_names_every_module_of_a_folder_in_a_room(room: str) -> None:
    folders = [path for path in folder(room).iterdir() if path.is_dir() and path.name not in ONE_FILE_PER_CASE | IGNORED]
    inner = {name for path in folders for name in contents(path)} - {"templates"}
    assert inner <= {name for row in MAP[room] for name in names_in(" ".join(row))}


@pytest.mark.parametrize("room", sorted(MAP))
def test_every_module_on_the_map_exists(room: str) -> None:
    for cell, _ in MAP[room]:
        inner = [folder(room), *(folder(room) / name for name in names_in(cell) if (folder(room) / name).is_dir())]
        existing = {name for path in inner for name in contents(path)}
        if room == "roof":
            existing.add("command")  # each room's own
        assert names_in(cell) <= existing, cell
