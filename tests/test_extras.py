"""Errors name a command that installs an extra from where the package came."""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import Distribution, metadata
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.extras import NAME, install_command, missing_packages, requirement
from hf_oss_instruct.terminal.console import view_commands

SOURCES = Path(__file__).parents[1] / "src/hf_oss_instruct"


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (None, "pip install 'hf-oss-instruct[train]'"),
        ({"url": "file:///home/me/oss%20instruct", "dir_info": {}}, "pip install '/home/me/oss instruct[train]'"),
        ({"url": "file:///src/it", "dir_info": {"editable": True}}, "pip install -e '/src/it[train]'"),
        (
            {"url": "https://github.com/you/it", "vcs_info": {"vcs": "git", "commit_id": "6e3f"}},
            "pip install 'hf-oss-instruct[train] @ git+https://github.com/you/it@6e3f'",
        ),
        (
            {"url": "https://host/it-1-py3-none-any.whl", "archive_info": {}},
            "pip install 'hf-oss-instruct[train] @ https://host/it-1-py3-none-any.whl'",
        ),
    ],
)
def test_an_extra_is_installed_from_where_the_package_came(origin: dict[str, Any] | None, command: str, tmp_path: Path) -> None:
    folder = tmp_path / "hf_oss_instruct-1.dist-info"
    folder.mkdir()
    if origin:
        (folder / "direct_url.json").write_text(json.dumps(origin))
    assert install_command("train", Distribution.at(folder)) == command


@pytest.mark.parametrize(
    ("origin", "needed"),
    [
        (None, "hf-oss-instruct==1"),
        ({"url": "file:///src/it", "dir_info": {"editable": True}}, None),
        (
            {"url": "https://github.com/you/it", "vcs_info": {"vcs": "git", "commit_id": "6e3f"}},
            "hf-oss-instruct @ git+https://github.com/you/it@6e3f",
        ),
    ],
)
def test_another_machine_installs_the_same_version(origin: dict[str, Any] | None, needed: str | None, tmp_path: Path) -> None:
    folder = tmp_path / "hf_oss_instruct-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: hf-oss-instruct\nVersion: 1\n")
    if origin:
        (folder / "direct_url.json").write_text(json.dumps(origin))
    assert requirement(Distribution.at(folder)) == needed


def test_a_command_that_needs_an_extra_is_named_with_the_one_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    report = "hf-oss-instruct report pairs"
    assert view_commands("pairs") == [report, "pairs/README.md"]
    monkeypatch.setitem(sys.modules, "vl_convert", None)  # as where it is not installed
    assert view_commands("pairs") == ["pairs/README.md", f"{report} (after {install_command('report')})"]


def test_all_missing_packages_are_named_at_once() -> None:
    modules = {"PyYAML": "yaml", "no-such": "no_such", "nor-this": "nor_this", "or-this": "or_this"}
    assert missing_packages(modules) == "no-such, nor-this and or-this, which are not installed"
    assert missing_packages({"no-such": "no_such"}) == "no-such, which is not installed"
    assert missing_packages({"PyYAML": "yaml"}) == ""


def test_every_extra_that_an_error_names_exists() -> None:
    sources = "".join(file.read_text("utf-8") for file in SOURCES.rglob("*.py"))
    assert "hf-oss-instruct[" not in sources, "use install_command, which knows where this package came from"
    named = set(re.findall(r"install_command\(['\"](\w+)['\"]\)", sources))
    assert named
    assert named <= set(metadata(NAME).get_all("Provides-Extra") or [])
