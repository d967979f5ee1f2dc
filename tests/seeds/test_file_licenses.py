"""Under which license a file of a folder stands, and which of several sources says it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from hf_oss_instruct.seeds.file_licenses import FolderLicenses

APACHE = (Path(__file__).parents[2] / "LICENSE").read_text()
DEP5 = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
Copyright: 2020 A
License: GPL-2+

Files: lib/*
Copyright: 2020 B
License: Expat or GPL-2+
"""


def license_of(root: Path, files: dict[str, str], path: str = "lib/a.py", content: str = "x = 1\n") -> tuple[str, ...] | None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return FolderLicenses(root).of(PurePosixPath(path), content)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"LICENSE": APACHE}, ("Apache-2.0",)),
        ({"COPYING.txt": APACHE.replace("   ", " ")}, ("Apache-2.0",)),
        ({"LICENSE": "You may not."}, None),
        ({"pyproject.toml": '[project]\nlicense = "MIT OR Apache-2.0"\n', "LICENSE": APACHE}, ("MIT OR Apache-2.0",)),
        ({"pyproject.toml": '[project]\nlicense = {text = "BSD"}\n'}, ("BSD-3-Clause",)),
        ({"pyproject.toml": '[project]\nclassifiers = ["License :: OSI Approved :: MIT License"]\n'}, ("MIT",)),
        ({"pyproject.toml": "[project\n", "LICENSE": APACHE}, ("Apache-2.0",)),
        ({"package.json": '{"license": "ISC"}'}, ("ISC",)),
        ({"package.json": '["a list"]'}, None),
        ({"Cargo.toml": '[package]\nlicense = "MIT/Apache-2.0"\n'}, ("MIT OR Apache-2.0",)),
        ({"composer.json": '{"license": ["MIT", "GPL-3.0-only"]}'}, ("MIT OR GPL-3.0-only",)),
        ({"PKG-INFO": "Metadata-Version: 2.1\nName: a\nVersion: 1\nLicense: Apache 2.0\n"}, ("Apache-2.0",)),
        ({"debian/copyright": DEP5, "LICENSE": APACHE}, ("MIT OR GPL-2.0-or-later",)),
        ({"debian/copyright": "Free text.", "LICENSE": APACHE}, ("Apache-2.0",)),
        ({"lib/package.json": '{"license": "MIT"}', "LICENSE": APACHE}, ("MIT",)),
    ],
)
def test_metadata_come_before_debian_before_a_license_text_and_the_nearest_folder_first(
    tmp_path: Path, files: dict[str, str], expected: tuple[str, ...] | None
) -> None:
    assert license_of(tmp_path, files) == expected


def test_a_files_own_header_comes_first(tmp_path: Path) -> None:
    content = "/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */\nint a;\n"
    assert license_of(tmp_path, {"LICENSE": APACHE}, content=content) == ("BSD-2-Clause OR GPL-2.0-only",)
    assert license_of(tmp_path, {}, content="x\n" * 5000 + "# SPDX-License-Identifier: MIT\n") == ("Apache-2.0",)


def test_a_file_of_site_packages_stands_under_its_distributions_license(tmp_path: Path) -> None:
    files = {
        "a-1.dist-info/METADATA": "Metadata-Version: 2.4\nName: a\nVersion: 1\nLicense-Expression: ISC\n",
        "a-1.dist-info/RECORD": "a/x.py,,\na-1.dist-info/METADATA,,\n",
        "a/x.py": "x = 1\n",
        "b/x.py": "x = 1\n",
    }
    assert license_of(tmp_path, files, "a/x.py") == ("ISC",)
    assert license_of(tmp_path, files, "b/x.py") is None
