"""Find the license of a file: the one in its header, else the one of the nearest folder above it.

In a folder, package metadata comes first (`pyproject.toml`, `package.json`, `Cargo.toml`, `composer.json`, an installed or packed
distribution's own), then a Debian copyright file, then the text of a LICENSE.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from importlib.metadata import Distribution, PathDistribution, distributions
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from hf_oss_instruct.curation.licenses import spdx

HEADER = re.compile(rb"SPDX-License-Identifier:[ \t]*([\w.+() -]+)")
HEADER_BYTES = 4096
"""Bytes at the beginning of a file in which its license header is expected."""
LICENSE_NAMES = re.compile(r"(LICEN[CS]E|COPYING|UNLICENSE)([-.](txt|md|rst|\w+))?", re.I)
MAX_FILE_BYTES = 200_000
"""Maximum size in bytes of a metadata or license file; a larger one is something else."""

Found: TypeAlias = tuple[str, ...] | None
"""SPDX expressions that all apply; None if no license is stated."""


def header_license(head: bytes) -> Found:
    """The license in an `SPDX-License-Identifier:` line near the beginning of a file."""
    match = HEADER.search(head[:HEADER_BYTES])
    return _one_license(match[1].decode()) if match else None


class FolderLicenses:
    """Licenses of the files below a folder. Nothing above the folder is read.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        # A plain dict, so that a source can be pickled for worker processes.
        self._folders: dict[PurePosixPath, _Folder] = {}

    def of(self, path: PurePosixPath, content: str) -> Found:
        """The license of a file.

        Args:
            path: its path, relative to the root.
            content: its text.
        """
        if license := header_license(content[:HEADER_BYTES].encode(errors="replace")):
            return license
        for folder in path.parents:
            if license := self._folder(folder).of(path.relative_to(folder)):
                return license
        return None

    def _folder(self, folder: PurePosixPath) -> _Folder:
        if folder not in self._folders:
            self._folders[folder] = _Folder(self._root / folder)
        return self._folders[folder]


class _Folder:
    """The license that one folder states for the files below it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, file: PurePosixPath) -> Found:
        return self._of_distributions.get(str(file)) or self._of_metadata or self._of_debian(file) or self._of_text

    @cached_property
    def _names(self) -> frozenset[str]:
        with suppress(OSError):
            return frozenset(entry.name for entry in self._path.iterdir())
        return frozenset()

    @cached_property
    def _of_distributions(self) -> dict[str, Found]:
        """Installed file → license of its distribution; few files in packages state their own license."""
        if not any(name.endswith((".dist-info", ".egg-info")) for name in self._names):
            return {}
        return {
            file.as_posix(): license
            for distribution in distributions(path=[str(self._path)])
            if (license := _distribution_license(distribution))
            for file in distribution.files or ()
        }

    @cached_property
    def _of_metadata(self) -> Found:
        for name, read in METADATA.items():
            if name in self._names and (text := _read(self._path / name)) is not None:
                with suppress(
                    ValueError, TypeError, AttributeError, KeyError, RecursionError
                ):  # metadata is untrusted and may have any shape
                    if license := read(text):
                        return license
        if "PKG-INFO" in self._names:
            return _distribution_license(PathDistribution(self._path))
        return None

    @cached_property
    def _debian(self) -> Any:
        from debian.copyright import Copyright, NotMachineReadableError

        if "debian" not in self._names or (text := _read(self._path / "debian" / "copyright")) is None:
            return None
        with suppress(NotMachineReadableError, ValueError, TypeError):
            return Copyright(text.splitlines(keepends=True), strict=False)
        return None

    def _of_debian(self, file: PurePosixPath) -> Found:
        paragraph = self._debian.find_files_paragraph(str(file)) if self._debian else None
        license = paragraph.license if paragraph else None
        return _one_license(re.sub(r",|\band/or\b", " and ", license.synopsis).replace("  ", " ")) if license else None

    @cached_property
    def _of_text(self) -> Found:
        from identify.identify import license_id

        for name in sorted(self._names):
            path = self._path / name
            if LICENSE_NAMES.fullmatch(name) and _read(path) is not None and (license := _one_license(license_id(str(path)))):
                return license
        return None


def _distribution_license(distribution: Distribution) -> Found:
    try:
        metadata = distribution.metadata
    except Exception:  # a broken installation states no license
        return None
    declared = metadata.json
    classified = [line.rpartition("::")[2] for line in declared.get("classifier", ()) if line.startswith("License ::")]
    # The most precise field first: of 136 installed distributions, 59 had an expression, 68 only text, 9 only classifiers.
    return _one_license(declared.get("license_expression")) or _one_license(declared.get("license")) or _all_licenses(classified)


def _pyproject(text: str) -> Found:
    project = tomllib.loads(text)["project"]
    license = project.get("license")
    declared = license.get("text") if isinstance(license, dict) else license
    classified = [line.rpartition("::")[2] for line in project.get("classifiers", ()) if line.startswith("License ::")]
    return _one_license(declared) or _all_licenses(classified)


def _json(text: str) -> Found:
    license = json.loads(text).get("license")
    return _one_license(" OR ".join(license) if isinstance(license, list) else license)


def _cargo(text: str) -> Found:
    return _one_license(tomllib.loads(text)["package"]["license"].replace("/", " OR "))


METADATA: dict[str, Callable[[str], Found]] = {
    "pyproject.toml": _pyproject,
    "package.json": _json,
    "Cargo.toml": _cargo,
    "composer.json": _json,
}
"""Name of a metadata file → how to read the package's license from it."""


def _one_license(text: Any) -> Found:
    expression = spdx(text) if isinstance(text, str) else None
    return (expression,) if expression else None


def _all_licenses(texts: Iterable[str]) -> Found:
    """All classifiers apply; an unknown one makes the license unknown."""
    # "OSI Approved" by itself names no license.
    names = [spdx(text) for text in texts if text.strip() != "OSI Approved"]
    return tuple(_sorted_names(names)) if names and None not in names else None


def _sorted_names(names: Iterable[str | None]) -> Iterator[str]:
    yield from sorted({name for name in names if name})


def _read(path: Path) -> str | None:
    """A file's text; None if it is missing, a symbolic link, too large or not text."""
    with suppress(OSError, UnicodeDecodeError):
        # A link may lead out of the folder.
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= MAX_FILE_BYTES:
            return path.read_text("utf-8")
    return None
