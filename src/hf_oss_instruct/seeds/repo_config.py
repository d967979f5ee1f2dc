"""Run configs (`*.ossi`) in a folder or Hub repository; the rows that they describe are generated when they are read.

Such a file is untrusted. It chooses seeds, prompt and checks; its seeds are the standard library, a Hub dataset at a
revision, or files inside its own folder. Everything that costs money or opens a connection is chosen by the caller.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from hf_oss_instruct.data import digest
from hf_oss_instruct.errors import SeedError, UsageError
from hf_oss_instruct.hub import HUB_ID, client, file_system, transport_error
from hf_oss_instruct.seeds.reading import DEFAULT, ReadOptions
from hf_oss_instruct.seeds.resolve import STDLIB_NAME, open_named, open_source
from hf_oss_instruct.seeds.source import Source, pinned
from hf_oss_instruct.spec.declare import Interface
from hf_oss_instruct.spec.run import MAX_CONFIG_BYTES, RunSpec
from hf_oss_instruct.storage.cache import cache_folder

HUB_PREFIX = "hf://"
FOLDER_PREFIX = "./"
"""Prefix with which a run config names files in its own folder: `./code`."""


@dataclass(frozen=True)
class RepoConfig:
    """A run config and the folder it was found in.

    Attributes:
        spec: the run.
        folder: its folder, on this machine or `hf://datasets/ns/name@commit`.
        version: hash of its bytes.
        token: the caller's Hub token.
    """

    spec: RunSpec
    folder: str
    version: str
    token: str | bool | None = None

    @property
    def is_remote(self) -> bool:
        """Whether it came from the Hub."""
        return self.folder.startswith(HUB_PREFIX)

    def open_seeds(self) -> Source:
        """The source that it names.

        Raises:
            UsageError: it names something that an untrusted file may not: a URL, another folder, a Hub dataset without a
                revision.
            SeedError: the source cannot be read.
            RunError: it has changed since the run config was made.
        """
        plan = self.spec.seeds
        name, reading = plan.source, ReadOptions.of(plan)
        if name in ("stdlib", STDLIB_NAME):
            return self._check_revision(open_source(name))
        if name.startswith(FOLDER_PREFIX):
            folder = _fetched(self, name) if self.is_remote else Path(self.folder)
            return self._check_revision(open_inside(folder, name, reading=reading))
        if not HUB_ID.fullmatch(name):
            raise UsageError(
                f"The run config names the seeds {name!r}. It may name 'stdlib', a Hub id, or files beside it as "
                f"{FOLDER_PREFIX}NAME; to read your own, pass seeds=."
            )
        if plan.revision is None:
            raise UsageError(f"The run config names {name!r} without a revision. Add seeds.revision, a commit or branch.")
        return open_named(name, plan.revision, reading=reading)

    def _check_revision(self, source: Source) -> Source:
        pinned(self.spec.seeds, source)
        return source


def open_inside(folder: Path, spec: str, *, reading: ReadOptions = DEFAULT) -> Source:
    """The files that a run config in `folder` names as `./…`.

    Args:
        folder: the run config's folder.
        spec: a path in it, such as `./code`.
        reading: how documents are read.

    Raises:
        UsageError: the path, or a link in it, leads out of the folder.
        SeedError: the file or folder does not exist, or contains no code.
    """
    root = folder.resolve()
    target = (root / spec).resolve()
    if not target.is_relative_to(root):
        raise UsageError(f"The run config names the seeds {spec!r}, which lie outside its folder. It may only name files inside.")
    if not target.exists():
        raise SeedError(f"The run config names the seeds {spec!r}, and its folder has none. Add them, or pass seeds=.")
    # Also links further inside: whoever wrote the repository may point one at any file of this machine.
    for path in (target, *target.rglob("*")):
        if path.is_symlink() and not path.resolve().is_relative_to(root):
            raise UsageError(
                f"The run config's {path.relative_to(root).as_posix()!r} links to a path outside its folder. Remove it."
            )
    return open_source(str(target), reading=reading)


def read_repo_config(path: str, base_path: str = "", token: str | bool | None = None) -> RepoConfig:
    """Read a run config from a file on this machine or on the Hub (`hf://datasets/ns/name@commit/NAME.ossi`).

    Args:
        path: the file.
        base_path: the folder that it was loaded from, and that it must lie in.
        token: token for the Hub.

    Raises:
        UsageError: it cannot be read, is too large, or sets an option that only the caller may set.
    """
    if "://" in path and not path.startswith(HUB_PREFIX):
        raise UsageError(f"{path!r} is a URL. A run config lies in a folder or on the Hub.")
    if base_path and not path.startswith(HUB_PREFIX) and not Path(path).resolve().is_relative_to(Path(base_path).resolve()):
        raise UsageError(
            f"The run config {path!r} lies outside {base_path!r}, which names it. Name it yourself with data_files=."
        )
    folder = (
        str(PurePosixPath(path).parent).replace("hf:/", HUB_PREFIX, 1) if path.startswith(HUB_PREFIX) else os.path.dirname(path)
    )
    text = _read(path, token)
    spec = RunSpec.from_yaml(text, repr(path))
    for part, option in spec.only_for(Interface.REPO_CONFIG):
        raise UsageError(
            f"The run config {path!r} sets {part}.{option.yaml}, which only the caller may set. Pass {option.keyword}= yourself."
        )
    return RepoConfig(spec, folder, digest(text), token)


def _read(path: str, token: str | bool | None) -> str:
    try:
        file: Any = file_system(token).open(path, "rb") if path.startswith(HUB_PREFIX) else Path(path).open("rb")
        with file:
            # One byte more than allowed shows that it is too large, however large it is.
            data = file.read(MAX_CONFIG_BYTES + 1)
        if len(data) > MAX_CONFIG_BYTES:
            raise UsageError(f"{path!r} has more than {MAX_CONFIG_BYTES:,} bytes. This is too large for a run config.")
        return str(data.decode())
    except (OSError, UnicodeDecodeError, transport_error()) as error:
        raise UsageError(f"The run config {path!r} cannot be read: {error}. Pass a YAML file.") from error


def _fetched(repo_config: RepoConfig, spec: str) -> Path:
    """Download the files that a run config on the Hub names, into a cache folder for its commit."""
    repo_id, _, rest = repo_config.folder.removeprefix(f"{HUB_PREFIX}datasets/").partition("@")
    commit, _, inner = rest.partition("/")
    folder = cache_folder("recipes", repo_id.replace("/", "--"), commit)
    name = str(PurePosixPath(inner, spec))
    try:
        # Into a folder of its own: the Hub's cache consists of links, which `open_inside` refuses.
        client(repo_config.token).snapshot_download(
            repo_id,
            repo_type="dataset",
            revision=commit,
            local_dir=folder,
            allow_patterns=[name, f"{name}/*"],
        )
    except (OSError, transport_error()) as error:
        raise SeedError(f"The seeds {spec!r} of {repo_id} cannot be fetched: {error}. Try again.") from error
    return folder / inner
