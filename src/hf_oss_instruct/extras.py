"""How to install an extra of this package: from where the package itself came."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from typing import Any
from urllib.parse import unquote, urlsplit

NAME = "hf-oss-instruct"


def install_command(extra: str, installed: Distribution | None = None) -> str:
    """Return the command that installs an extra.

    pip notes where a package came from, if not from an index (https://packaging.python.org/specifications/direct-url).

    Args:
        extra: its name in `pyproject.toml`.
        installed: the installed package; the one that is running by default.
    """
    origin = _origin(installed)
    if "dir_info" in origin:
        editable = ["-e"] if origin["dir_info"].get("editable") else []
        return shlex.join(["pip", "install", *editable, f"{unquote(urlsplit(origin['url']).path)}[{extra}]"])
    return shlex.join(["pip", "install", _requirement(f"{NAME}[{extra}]", origin)])


def missing_packages(modules: Mapping[str, str]) -> str:
    """Return which packages are not installed, as the end of a sentence: `nltk and scipy, which are not installed`.

    Args:
        modules: package → the module that it installs.

    Returns:
        The end of the sentence; empty if all are installed.
    """
    missing = [package for package, module in modules.items() if find_spec(module) is None]
    if len(missing) < 2:
        return f"{missing[0]}, which is not installed" if missing else ""
    return f"{', '.join(missing[:-1])} and {missing[-1]}, which are not installed"


def requirement(installed: Distribution | None = None) -> str | None:
    """Return what another machine installs to have this version of the package; None if it came from a folder of this one.

    Args:
        installed: the installed package; the one that is running by default.
    """
    origin = _origin(installed)
    if "dir_info" in origin:
        return None
    return _requirement(NAME, origin) if origin else f"{NAME}=={(installed or distribution(NAME)).version}"


def _origin(installed: Distribution | None) -> dict[str, Any]:
    try:
        noted = (installed or distribution(NAME)).read_text("direct_url.json")
    except PackageNotFoundError:  # run from its source folder
        noted = None
    return json.loads(noted) if noted else {}


def _requirement(named: str, origin: dict[str, Any]) -> str:
    if "vcs_info" in origin:
        vcs = origin["vcs_info"]
        return f"{named} @ {vcs['vcs']}+{origin['url']}@{vcs['commit_id']}"
    return f"{named} @ {origin['url']}" if origin.get("url") else named
