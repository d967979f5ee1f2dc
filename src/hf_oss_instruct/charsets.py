"""Names of text encodings."""

from __future__ import annotations

import codecs
import re

from hf_oss_instruct.errors import UsageError

CHARSET = re.compile(
    r"ascii|utf-(?:8|16|32)(?:-sig|-[bl]e)?|iso8859-\d+|cp\d+|koi8-[rtu]|gb\w+|big5\w*|shift_jis\w*|euc_\w+|iso2022_\w+|johab|hz|"
    r"mac-\w+|tis-620|kz1048|ptcp154"
)
"""Python's names of character sets. Its other codecs are not encodings of files, and some take quadratic time."""


def charset(name: str) -> str:
    """Python's name of a character set.

    Raises:
        UsageError: there is none of this name.
    """
    known = known_charset(name)
    if known is None:
        raise UsageError(f"Unknown encoding {name!r}. Use a name such as latin-1, cp1252, shift_jis, gb18030 or utf-16-le.")
    return known


def known_charset(name: str) -> str | None:
    """Python's name of a character set, or None."""
    try:
        charset = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return charset if CHARSET.fullmatch(charset) else None
