from __future__ import annotations

import os
from pathlib import Path

import pytest

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.verification.memo import Verdicts
from hf_oss_instruct.verification.verify import VerificationOptions, verify_row

SOLUTION = "import installed_shapes\n\ndef area(side):\n    return installed_shapes.square(side)\n"
TESTS = """import installed_shapes.names
from solution import area

def test_area():
    assert area(3) == 9 and installed_shapes.names.ALL == ['square']
"""


def install(folder: Path, body: str = "side * side") -> Path:
    """A package as `pip install --target` leaves it."""
    package = folder / "installed_shapes"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"def square(side):\n    return {body}\n")
    (package / "names.py").write_text("ALL = ['square']\n")
    (folder / "installed_shapes-1.0.dist-info").mkdir()
    return folder


def test_installed_packages_can_be_imported_by_solution_and_tests_and_are_part_of_the_key(tmp_path: Path) -> None:
    verdicts = Verdicts()
    alone = verify_row([SOLUTION], TESTS, "python", verdicts=verdicts)
    assert (alone.status, alone.cause) == ("not_verifiable", "third_party")
    assert "installed_shapes" in alone.detail
    with_it = verify_row([SOLUTION], TESTS, "python", VerificationOptions(packages=install(tmp_path / "one")), verdicts)
    assert with_it.status == "passed"
    count = verdicts.made
    (tmp_path / "one").rename(tmp_path / "moved")
    assert verify_row([SOLUTION], TESTS, "python", VerificationOptions(packages=tmp_path / "moved"), verdicts) == with_it
    assert verdicts.made == count
    other = install(tmp_path / "two", "side + side")
    (other / "installed_shapes-1.0.dist-info").rename(other / "installed_shapes-2.0.dist-info")
    assert verify_row([SOLUTION], TESTS, "python", VerificationOptions(packages=str(other)), verdicts).status == "tests_failed"


def test_a_program_cannot_change_an_installed_package(tmp_path: Path) -> None:
    folder = install(tmp_path / "packages")
    os.chmod(folder / "installed_shapes" / "names.py", 0o666)
    hostile = """import installed_shapes

try:
    with open(installed_shapes.__path__[0] + '/names.py', 'w') as file:
        file.write('ALL = []')
except OSError:
    pass

def area(side):
    return side * side
"""
    assert verify_row([hostile], TESTS, "python", VerificationOptions(packages=folder)).status == "passed"
    assert (folder / "installed_shapes" / "names.py").read_text() == "ALL = ['square']\n"


def test_a_virtual_environment_is_its_packages_and_one_of_another_python_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        VerificationOptions(packages=tmp_path / "nowhere")
    (tmp_path / "old" / "lib" / "python3.2" / "site-packages").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"python3\.2.*-m venv"):
        VerificationOptions(packages=tmp_path / "old")
