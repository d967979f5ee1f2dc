"""Which bytes are text, in which encoding; what is certain is decoded, and nothing is guessed."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hf_oss_instruct.charsets import charset
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.seeds.reading import NotTextError, decode

ENCODED = {
    "plain": ("name = 'é'\n".encode(), "name = 'é'\n", "utf-8"),
    "byte order mark": (codecs.BOM_UTF8 + b"x = 1\n", "x = 1\n", "utf-8"),
    "byte order mark alone": (codecs.BOM_UTF8, "", "utf-8"),
    "a mark inside": ("x\ufeffy".encode(), "x\ufeffy", "utf-8"),
    "utf-16 of Windows": ("class P { }\r\n".encode("utf-16"), "class P { }\r\n", "utf-16-le"),
    "utf-16 big endian": (codecs.BOM_UTF16_BE + "é\n".encode("utf-16-be"), "é\n", "utf-16-be"),
    "utf-32": ("x = '日'\n".encode("utf-32"), "x = '日'\n", "utf-32-le"),
    "PEP 263": (b"# -*- coding: latin-1 -*-\nx = '\xe9'\n", "# -*- coding: latin-1 -*-\nx = 'é'\n", "iso8859-1"),
    "on the second line": (b"#!/bin/sh\n# vim: set fileencoding=cp1252 :\n\x80\n", "€\n", "cp1252"),
    "after a blank line": (b"\r\n# encoding: koi8-r\r\n\xc1\r\n", "а\r\n", "koi8-r"),
    "in C": ("/* -*- coding: shift_jis -*- */\n// 日本\n".encode("shift_jis"), "// 日本\n", "shift_jis"),
    "escape sequences are ASCII": ("# coding: iso-2022-jp\n# 日本\n".encode("iso-2022-jp"), "# 日本\n", "iso2022_jp"),
    "an encoding nobody has": (b"# coding: klingon\nx\n", "x\n", "utf-8"),
    "a codec that is none of text": (b"# coding: rot13\nuryyb\n", "uryyb\n", "utf-8"),
    "a codec that takes its time": (b"# coding: punycode\nabc\n", "abc\n", "utf-8"),
}


@pytest.mark.parametrize("name", ENCODED)
def test_what_says_its_encoding_is_decoded_by_it(name: str) -> None:
    data, text, encoding = ENCODED[name]
    decoded, found = decode(data)
    assert (decoded[-len(text) :] if text else decoded, found) == (text, encoding)


@pytest.mark.parametrize(
    ("data", "encoding", "reason"),
    [
        (b"caf\xe9\n", None, "not_utf8"),
        (b"x = 'coding: latin-1'\ny = '\xe9'\n", None, "not_utf8"),  # no comment
        (b"a\nb\n# coding: latin-1\n\xe9\n", None, "not_utf8"),  # the third line
        (b"# coding: utf-8\n\xe9\n", None, "undecodable"),
        (b"# coding: ascii\n\xc3\xa9\n", None, "undecodable"),
        (codecs.BOM_UTF16_LE + b"a", None, "undecodable"),  # half a character
        (b"\xef\xbb\xbf\xe9", None, "undecodable"),
        ("x = 1\n".encode("utf-16-le"), None, "binary"),  # without its mark it could be anything
        (b"\x7fELF\0\0", None, "binary"),
        (b"\x7fELF\0\0", "latin-1", "binary"),
        (codecs.BOM_UTF16_LE + b"a\0\0\0", None, "binary"),
        (b"\xff", "ascii", "undecodable"),
    ],
)
def test_what_does_not_is_refused_with_its_reason(data: bytes, encoding: str | None, reason: str) -> None:
    with pytest.raises(NotTextError) as refused:
        decode(data, encoding)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("text", "written", "named"),
    [
        ("é", "latin-1", "latin1"),
        ("é", "utf-8", "latin-1"),
        ("日", "utf-16-le", "utf-16-le"),
        ("日本", "iso-2022-jp", "iso-2022-jp"),
    ],
)
def test_a_named_encoding_is_for_what_is_not_utf8(text: str, written: str, named: str) -> None:
    assert decode(text.encode(written), charset(named))[0] == text


@pytest.mark.parametrize("name", ["klingon", "rot13", "zlib", "idna", "unicode_escape", "", "../os", "x" * 10_000])
def test_a_name_of_no_character_set_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"Unknown encoding.*latin-1, cp1252"):
        charset(name)


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff")),
    st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]),
)
def test_text_with_a_byte_order_mark_comes_back_whole(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding))[0] == text


@given(st.binary() | st.binary().map(lambda data: b"# coding: gb18030\n" + data), st.sampled_from([None, "cp1252", "euc_jp"]))
def test_any_bytes_are_text_that_utf8_holds_or_are_refused(data: bytes, encoding: str | None) -> None:
    try:
        text, _ = decode(data, encoding)
    except NotTextError:
        return
    assert "\0" not in text
    assert text.encode().decode() == text
