"""The map in ARCHITECTURE.md names every module and package, and only those that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "hf_oss_instruct"
TOP = {"cli", "api"}
"""Top-level modules above the packages; all other top-level modules are the base."""
ONE_FILE_PER_CASE = set("languages suites sample_files benchmarks templates tamper_protection vendor".split())
"""Folders with a file for each language or format: the map names the folder."""
IGNORED = {"__init__", "__main__", "__pycache__"}


def map_rows() -> dict[str, list[tuple[str, str]]]:
    """Package → the cells `module` and `contents` of its rows."""
    table = (ROOT / "ARCHITECTURE.md").read_text("utf-8").partition("| package |")[2].partition("\n\n")[0]
    rows: dict[str, list[tuple[str, str]]] = {}
    package = ""
    for line in table.splitlines()[2:]:
        name, modules, text = (cell.strip() for cell in line.strip("|").split("|", 2))
        package = name.strip("*") or package
        rows.setdefault(package, []).append((modules, text))
    return rows


MAP = map_rows()


def folder(package: str) -> Path:
    return PACKAGE if package in ("top", "base") else PACKAGE / package


def contents(path: Path) -> set[str]:
    """Names of the modules and folders right below a folder."""
    return {inner.stem for inner in path.iterdir() if inner.is_dir() or inner.suffix == ".py"} - IGNORED


def names_in(text: str) -> set[str]:
    """Names in code quotes, without suffix: `driver` of `engine/driver.py`, and `engine`."""
    return {part for name in re.findall(r"`([\w/]+)(?:\.py)?`", text) for part in name.split("/") if part}


def test_the_map_has_every_package() -> None:
    packages = {path.name for path in PACKAGE.iterdir() if path.is_dir()} - IGNORED
    assert MAP.keys() == packages | {"top", "base"}


@pytest.mark.parametrize("package", sorted(MAP))
def test_the_map_names_every_module(package: str) -> None:
    modules = contents(folder(package))
    if package in ("top", "base"):
        modules = TOP if package == "top" else {path.stem for path in PACKAGE.glob("*.py")} - TOP - IGNORED
    assert modules <= {name for cell, _ in MAP[package] for name in names_in(cell)}


@pytest.mark.parametrize("package", sorted(MAP.keys() - {"top", "base"}))
def test_the_map_names_every_module_of_a_folder_in_a_package(package: str) -> None:
    folders = [path for path in folder(package).iterdir() if path.is_dir() and path.name not in ONE_FILE_PER_CASE | IGNORED]
    inner = {name for path in folders for name in contents(path)} - {"templates"}
    assert inner <= {name for row in MAP[package] for name in names_in(" ".join(row))}


@pytest.mark.parametrize("package", sorted(MAP))
def test_every_module_on_the_map_exists(package: str) -> None:
    for cell, _ in MAP[package]:
        inner = [folder(package), *(folder(package) / name for name in names_in(cell) if (folder(package) / name).is_dir())]
        existing = {name for path in inner for name in contents(path)}
        if package == "top":
            existing.add("command")  # each package's own
        assert names_in(cell) <= existing, cell
