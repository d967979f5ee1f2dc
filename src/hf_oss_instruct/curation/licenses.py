"""Permissive licenses, and the SPDX expressions that free-text license names mean."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from hf_oss_instruct.errors import UsageError

if TYPE_CHECKING:
    from license_expression import Licensing

PERMISSIVE = frozenset(
    "0BSD AFL-2.1 AFL-3.0 Apache-1.1 Apache-2.0 Artistic-2.0 BlueOak-1.0.0 BSD-1-Clause BSD-2-Clause BSD-2-Clause-Patent "
    "BSD-2-Clause-Views BSD-3-Clause BSD-3-Clause-Clear BSD-3-Clause-LBNL BSD-3-Clause-Modification BSD-4-Clause "
    "BSD-4-Clause-UC BSD-Source-Code BSL-1.0 CC0-1.0 CNRI-Python curl ECL-2.0 FSFAP FSFUL FSFULLR HPND "
    "HPND-sell-variant ICU ISC Libpng libtiff MIT MIT-0 MIT-CMU MIT-Modern-Variant MS-PL NCSA NTP OLDAP-2.8 "
    "OpenSSL PHP-3.0 PHP-3.01 PostgreSQL PSF-2.0 Python-2.0 Python-2.0.1 SMLNJ TCL Unicode-3.0 Unicode-DFS-2016 "
    "Unlicense UPL-1.0 Vim W3C WTFPL X11 Xnet ZPL-2.0 ZPL-2.1 Zlib zlib-acknowledgement".split()
)
"""SPDX names of licenses that require attribution at most: a subset of Blue Oak's and The Stack's lists, with PSF-2.0."""
PERMISSIVE_EXCEPTIONS = frozenset({"LLVM-exception", "Swift-exception"})
"""Exceptions that may follow `WITH`."""
PERMISSIVE_BY_CONSTRUCTION = frozenset({"bigcode/starcoderdata"})
"""Datasets that contain only permissive code and state no license per row (starcoderdata's card)."""

ALIASES = {
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "asl 2.0": "Apache-2.0",
    "boost": "BSL-1.0",
    "boost software license 1.0": "BSL-1.0",
    "boost software license 1.0 (bsl-1.0)": "BSL-1.0",
    "bsd": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "bsd 2-clause": "BSD-2-Clause",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd-2-clauses": "BSD-2-Clause",
    "bsd-3-clauses": "BSD-3-Clause",
    "3-clause bsd": "BSD-3-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "2-clause bsd": "BSD-2-Clause",
    "modified bsd": "BSD-3-Clause",
    "modified bsd license": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "simplified bsd": "BSD-2-Clause",
    "cc0": "CC0-1.0",
    "cc0 1.0 universal (cc0 1.0) public domain dedication": "CC0-1.0",
    "expat": "MIT",
    "expat license": "MIT",
    "mit license": "MIT",
    "mit licence": "MIT",
    "the mit license": "MIT",
    "the mit license (mit)": "MIT",
    "mit no attribution license (mit-0)": "MIT-0",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "historical permission notice and disclaimer (hpnd)": "HPND",
    "psf": "PSF-2.0",
    "psf license": "PSF-2.0",
    "psfl": "PSF-2.0",
    "python": "PSF-2.0",
    "python software foundation license": "PSF-2.0",
    "the unlicense": "Unlicense",
    "the unlicense (unlicense)": "Unlicense",
    "zlib/libpng license": "Zlib",
    "zlib license": "Zlib",
    "zope public license": "ZPL-2.1",
    "zope public license 2.1": "ZPL-2.1",
    "gpl": "GPL-1.0-or-later",
    "gpl-1": "GPL-1.0-only",
    "gpl-1+": "GPL-1.0-or-later",
    "gpl-2": "GPL-2.0-only",
    "gpl-2+": "GPL-2.0-or-later",
    "gplv2": "GPL-2.0-only",
    "gplv2+": "GPL-2.0-or-later",
    "gpl-3": "GPL-3.0-only",
    "gpl-3+": "GPL-3.0-or-later",
    "gplv3": "GPL-3.0-only",
    "gplv3+": "GPL-3.0-or-later",
    "gnu gpl": "GPL-1.0-or-later",
    "gnu general public license (gpl)": "GPL-1.0-or-later",
    "gnu general public license v2 (gplv2)": "GPL-2.0-only",
    "gnu general public license v2 or later (gplv2+)": "GPL-2.0-or-later",
    "gnu general public license v3 (gplv3)": "GPL-3.0-only",
    "gnu general public license v3 or later (gplv3+)": "GPL-3.0-or-later",
    "lgpl": "LGPL-2.0-or-later",
    "lgpl-2": "LGPL-2.0-only",
    "lgpl-2+": "LGPL-2.0-or-later",
    "lgpl-2.1": "LGPL-2.1-only",
    "lgpl-2.1+": "LGPL-2.1-or-later",
    "lgpl-3": "LGPL-3.0-only",
    "lgpl-3+": "LGPL-3.0-or-later",
    "gnu lesser general public license v2 or later (lgplv2+)": "LGPL-2.1-or-later",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only",
    "gnu lesser general public license v3 or later (lgplv3+)": "LGPL-3.0-or-later",
    "gnu library or lesser general public license (lgpl)": "LGPL-2.0-or-later",
    "gnu affero general public license v3": "AGPL-3.0-only",
    "gnu affero general public license v3 or later (agplv3+)": "AGPL-3.0-or-later",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "mpl 2.0": "MPL-2.0",
    "mpl2": "MPL-2.0",
    "eclipse public license 2.0 (epl-2.0)": "EPL-2.0",
}
"""Free text in lower case → SPDX name, as in package metadata, classifiers and Debian. Plain `BSD` means three clauses
in most packages, and every BSD license is permissive; plain `GPL` may be any version."""


def spdx(text: str | None) -> str | None:
    """The SPDX expression that a text means, or None: `Apache 2.0` → `Apache-2.0`, `expat or psf` → `MIT OR PSF-2.0`."""
    return _spdx(" ".join(text.split())) if text and len(text) < 500 else None


# Millions of rows have few distinct license texts.
@lru_cache(maxsize=2**14)
def _spdx(text: str) -> str | None:
    if named := ALIASES.get(text.lower()):
        return named
    # Split at brackets and operators, so that each name in between may be an alias; the `or` of `GPL-2.0-or-later` is none.
    parts = re.split(r"(\(|\)|(?<![\w-])(?:and|or|with)(?![\w-]))", text, flags=re.IGNORECASE)
    words = [ALIASES.get(part.strip(" ,;").lower(), part) for part in parts]
    tree = _parsed(" ".join(words))
    # The parser accepts any words as the name of a license.
    return None if tree is None or _licensing().unknown_license_keys(tree) else str(tree)


def is_permissive(licenses: Iterable[str] | None, allowed: Collection[str] = PERMISSIVE) -> bool:
    """Whether code under these licenses is permissively licensed.

    Args:
        licenses: names or expressions as the source states them, all of which apply. None or empty: unknown.
        allowed: SPDX names that are permissive.
    """
    expressions = [spdx(text) for text in licenses or ()]
    return bool(expressions) and all(
        expression is not None and _allows(expression, frozenset(allowed)) for expression in expressions
    )


def allowed_names(names: Iterable[str]) -> frozenset[str]:
    """Parse a list of SPDX names.

    Raises:
        UsageError: a name is not an SPDX name.
    """
    spdx_names = {name: spdx(name) for name in names}
    if unknown := sorted(name for name, known in spdx_names.items() if known is None):
        raise UsageError(
            f"Not SPDX license names: {', '.join(unknown)}. Use 'permissive', 'any', or names such as MIT,Apache-2.0."
        )
    return frozenset(map(str, spdx_names.values()))


@lru_cache(maxsize=2**14)
def _allows(expression: str, allowed: frozenset[str]) -> bool:
    """OR needs one permissive side, AND both; the exception after WITH must be one that only grants rights."""
    return _is_satisfied(_parsed(expression), allowed)


def _is_satisfied(node: Any, allowed: frozenset[str]) -> bool:
    from license_expression import LicenseWithExceptionSymbol

    # An operator; names of licenses have no arguments.
    if getattr(node, "args", ()):
        combine = any if node.__class__.__name__ == "OR" else all
        return combine(_is_satisfied(part, allowed) for part in node.args)
    if isinstance(node, LicenseWithExceptionSymbol):
        return node.license_symbol.key in allowed and node.exception_symbol.key in PERMISSIVE_EXCEPTIONS
    return node is not None and node.key in allowed


def _parsed(expression: str) -> Any:
    try:
        return _licensing().parse(expression)
    except Exception:  # the text is untrusted and the parser may fail in other ways; the license is then unknown
        return None


@cache
def _licensing() -> Licensing:
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()
