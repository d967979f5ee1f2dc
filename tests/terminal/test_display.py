"""Text of strangers, shown."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from hf_oss_instruct.terminal.display import fenced, markdown, one_line, plural, visible

TERMINAL = ["\x1b[2J", "\x1b]0;owned\x07", "\r", "\b", "\x9b31m", "\0", "\u202e", "\u2066", "\u061c", "\u200f", "\u2028"]
INLINE = ["*", "_", "**", "__", "~~", "`", "```", "[a](b)", "![i](j)", "[a]: b", "<b>", "<!--", "<a@b.c>", "&lt;", "&#35;", "$"]
BLOCKS = ["|", "\\", "\\|", "#", "\n", "\n\n", "---", "===", "~~~", "> ", "- ", "1. ", "a", " ", "\t", "https://a.b"]
TRICKS = st.sampled_from(TERMINAL) | st.sampled_from(INLINE) | st.sampled_from(BLOCKS) | st.text(max_size=5)
TEXTS = st.lists(TRICKS, max_size=12).map("".join)

BIDI_CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def test_a_count_agrees_with_its_noun() -> None:
    assert [plural(count, "row") for count in (0, 1, 2, 12345)] == ["0 rows", "1 row", "2 rows", "12,345 rows"]


def render(text: str) -> list[Token]:
    """Blocks and what is in them, with tables and strikethrough as on the Hub."""
    blocks = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    return [token for block in blocks for token in (block, *(block.children or ()))]


@pytest.mark.parametrize("character", BIDI_CONTROLS)
def test_a_character_that_turns_the_reading_direction_is_spelled_out(character: str) -> None:
    assert visible(f"a{character}b") == f"a\\u{ord(character):04x}b"


def test_a_terminal_escape_is_shown_and_does_nothing() -> None:
    assert visible("\x1b[31mred\x1b[0m\x9b2J\x07\x7f") == "\\x1b[31mred\\x1b[0m\\x9b2J\\x07\\x7f"


def test_what_no_encoding_or_xml_has_is_spelled_out() -> None:
    assert visible("caf\udce9 \ufffe\uffff") == "caf\\udce9 \\ufffe\\uffff"


def test_code_is_shown_as_it_is() -> None:
    code = "def f(x):\n\treturn 'é ü 漢字 🙂 العربية'  # {*_*}\n"
    assert visible(code) == code


@given(TEXTS)
def test_no_control_character_is_left_but_new_line_and_tab(text: str) -> None:
    shown = visible(text)
    assert not [c for c in shown if unicodedata.category(c) == "Cc" and c not in "\n\t"]
    assert not set(shown) & {*BIDI_CONTROLS, "\u2028", "\u2029"}
    assert visible(shown) == shown


@given(TEXTS, st.integers(1, 40))
def test_one_line_is_one_line_of_bounded_length(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    if len(whole := " ".join(visible(text).split())) > limit:
        assert line.endswith("…")
    else:
        assert line == whole


@given(TEXTS)
@example("```\n# Not a heading\n````")
@example("~~~\n```")
def test_a_code_block_holds_all_of_the_text_and_cannot_be_left(text: str) -> None:
    [block] = render(fenced(text, "text"))
    assert (block.type, block.info, block.content) == ("fence", "text", visible(text) + "\n")


@given(TEXTS)
@example("[click](javascript:alert(1)) <img src=x onerror=alert(1)> **bold** `code` &lt;b&gt;")
def test_in_a_sentence_nothing_but_the_text_is_seen(text: str) -> None:
    shown = render(f"Made from {markdown(text)}, lines 1 to 2.")
    assert {token.type for token in shown} == {"paragraph_open", "inline", "text", "paragraph_close"}
    assert "".join(token.content for token in shown if token.type == "text") == f"Made from {one_line(text)}, lines 1 to 2."


@given(TEXTS)
@example("a|b\\|c\\\\|d")
def test_in_a_table_the_text_fills_one_cell(text: str) -> None:
    shown = render(f"| name | count |\n|---|---|\n| {markdown(text)} | 7 |\n")
    kinds = [token.type for token in shown]
    assert {"_".join(kind.split("_")[:-1]) for kind in kinds} == {"table", "thead", "tbody", "tr", "th", "td", ""}
    assert {kind for kind in kinds if "_" not in kind} == {"inline", "text"}
    assert (kinds.count("tr_open"), kinds.count("td_open")) == (2, 2)
    [cell, number] = [token for token in shown if token.type == "inline"][2:]
    assert ("".join(token.content for token in cell.children or ()), number.content) == (one_line(text), "7")


@given(TEXTS)
def test_in_a_heading_the_text_opens_nothing_else(text: str) -> None:
    shown = render(f"# {markdown(text)}\n\nnext")
    assert {token.type for token in shown} <= {
        "heading_open",
        "heading_close",
        "paragraph_open",
        "paragraph_close",
        "inline",
        "text",
    }
