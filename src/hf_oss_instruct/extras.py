"""How to install an extra of this package: from where the package itself came."""

from __future__ import annotations

import json
import shlex
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from urllib.parse import unquote, urlsplit

NAME = "hf-oss-instruct"


def install_command(extra: str, installed: Distribution | None = None) -> str:
    """Return the command that installs an extra.

    pip notes where a package came from, if not from an index (https://packaging.python.org/specifications/direct-url).

    Args:
        extra: its name in `pyproject.toml`.
        installed: the installed package; the one that is running by default.
    """
    try:
        noted = (installed or distribution(NAME)).read_text("direct_url.json")
    except PackageNotFoundError:  # run from its source folder
        noted = None
    origin = json.loads(noted) if noted else {}
    named, url = f"{NAME}[{extra}]", origin.get("url", "")
    if "dir_info" in origin:
        editable = ["-e"] if origin["dir_info"].get("editable") else []
        return shlex.join(["pip", "install", *editable, f"{unquote(urlsplit(url).path)}[{extra}]"])
    if "vcs_info" in origin:
        vcs = origin["vcs_info"]
        return shlex.join(["pip", "install", f"{named} @ {vcs['vcs']}+{url}@{vcs['commit_id']}"])
    return shlex.join(["pip", "install", f"{named} @ {url}" if url else named])
