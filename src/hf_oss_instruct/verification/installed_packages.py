"""Installed packages that programs in the sandbox may import: the folders that a path means, and a key that changes with them."""

from __future__ import annotations

import functools
import sys
from pathlib import Path

from hf_oss_instruct.errors import UsageError

_HERE = f"python{sys.version_info.major}.{sys.version_info.minor}"


@functools.cache
def folders(path: str | Path) -> tuple[str, ...]:
    """The folders of packages that a path means.

    Args:
        path: a folder of packages, such as `pip install --target` makes, or a virtual environment.

    Raises:
        UsageError: the folder does not exist, or is an environment of another version of Python.
    """
    root = Path(path).expanduser().resolve()
    if not root.is_dir():
        raise UsageError(f"The package folder {str(path)!r} does not exist. Create it: pip install --target {path} numpy")
    own = root / "lib" / _HERE / "site-packages"
    if own.is_dir():
        return (str(own),)
    # Compiled modules of another version would fail to import one by one, far from the cause.
    if others := sorted(site_packages.parent.name for site_packages in root.glob("lib/python3*/site-packages")):
        raise UsageError(
            f"{str(path)!r} is an environment for {others[0]}, but programs run with {_HERE}. "
            f"Create one for it: {_HERE} -m venv {path}"
        )
    return (str(root),)


@functools.cache
def identity_of(packages: tuple[str, ...]) -> tuple[str, ...]:
    """The packages that a verdict depends on: names and versions of the packages, or names and times of the folder's content."""
    names = []
    for folder in map(Path, packages):
        named = sorted(info.name for info in folder.glob("*.dist-info"))
        names += named or sorted(f"{entry.name} {entry.stat().st_mtime_ns}" for entry in folder.iterdir())
    return tuple(names)
