"""The program in a completion: reasoning is cut off, then the last whole code block that fits, as `score` reads answers."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

from hf_oss_instruct.code.python_syntax import parse_module
from hf_oss_instruct.code.syntax import MINED_LANGUAGES, parses
from hf_oss_instruct.data import storable
from hf_oss_instruct.evaluation.extraction import extract
from hf_oss_instruct.evaluation.extraction.code_blocks import blocks, has_fence, plain
from hf_oss_instruct.evaluation.extraction.languages import is_supported
from hf_oss_instruct.evaluation.extraction.selection import is_aside, may_be_in_language
from hf_oss_instruct.evaluation.problems import Problem
from hf_oss_instruct.reasoning import split_reasoning, strip_end_tokens


def answer_in(completion: str) -> str:
    """The answer without reasoning and end tokens."""
    return strip_end_tokens(split_reasoning(storable(completion))[1])


def function_program(completion: str, language: str, names: Sequence[str], prompt: str = "") -> str:
    """The program of an answer that defines a function or class; empty if there is none.

    Args:
        completion: the model's text.
        language: as in `languages.LANGUAGES`.
        names: names that the program may define, the likeliest first.
        prompt: a prompt in plain text; where it is code that ends inside the function, the completion continues it.
    """
    if not is_supported(language):
        return whole_program(completion, language, names)
    text = answer_in(completion)
    name = next((candidate for candidate in names if re.search(rf"(?<![\w.]){re.escape(candidate)}\b", text)), "")
    if prompt and not has_fence(text) and (open_name := _open_function(prompt, language)):
        # A model that continues code often goes on with its own tests or the next prompt: the answer ends there.
        problem = Problem("", language, prompt, open_name, ("\n@@", "\nassert ", "\nprint("), "")
        return extract(problem, text, "completion").program
    return extract(Problem("", language, "", name or next(iter(names), ""), (), ""), text, "answer").program


def whole_program(completion: str, language: str, names: Sequence[str] = ()) -> str:
    """The last whole program of an answer, with all of its statements; empty if there is none.

    Args:
        completion: the model's text.
        language: as in `languages.LANGUAGES`.
        names: if not empty, a block that has one of these words comes before one that has none.
    """
    text = plain(answer_in(completion))
    if not has_fence(text):
        return text if text.strip() else ""

    def is_whole(code: str) -> bool:
        return language not in MINED_LANGUAGES or parses(code, language)

    candidates = blocks(text, is_whole, is_whole)
    # If no tag fits, the model tagged its blocks wrongly, and all of them are candidates.
    fitting = [block for block in candidates if may_be_in_language(block.tag, language)] or candidates
    named = [block for block in fitting if any(re.search(rf"\b{re.escape(name)}\b", block.code) for name in names)]
    whole = [block for block in named or fitting if is_whole(block.code)]
    # A later program replaces an earlier one, unless the text before it says that it is an aside, such as an example of use.
    last = next((block for block in reversed(whole) if not is_aside(block.lead)), whole[-1] if whole else None)
    if last is None and fitting:
        last = (named or fitting)[-1]
    return last.code if last else ""


def _open_function(prompt: str, language: str) -> str:
    """The name of the Python function in which a prompt ends; empty if it does not end in one."""
    heads = re.findall(r"^(?:async )?def (\w+)\(", prompt, re.MULTILINE) if language == "python" else []
    if not heads:
        return ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parse_module(f"{prompt}\n    pass\n")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    return str(heads[-1])


_CALLED = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
_IMPORTED = re.compile(r"^\s*from\s+[\w.]+\s+import\s+\(?([\w, ]+)", re.MULTILINE)
_KNOWN = frozenset(
    "assert if while for return def class func fn function describe it test expect check candidate main setUp tearDown "
    "assertEquals assertEqual assertTrue assertFalse assertThrows assertNull print println list dict set tuple len sorted str "
    "int float bool range sum min max abs any all isinstance type repr round zip map filter enumerate raises approx open super "
    "not and or in is switch catch new public void static TEST EXPECT_EQ ASSERT_EQ EXPECT_TRUE EXPECT_FALSE ASSERT_TRUE "
    "require import".split()
)


def names_in(tests: Sequence[str], entry_point: str = "") -> tuple[str, ...]:
    """Names that tests call or import and that a program may therefore define, the likeliest first.

    Args:
        tests: source code of the tests, in any language.
        entry_point: the name that the row gives.
    """
    text = "\n".join(tests)
    imported = [name for line in _IMPORTED.findall(text) for name in re.findall(r"[A-Za-z_]\w*", line.partition("#")[0])]
    own = set(re.findall(r"\b(?:def|class|func|fn|function)\s+(\w+)", text))
    called: dict[str, int] = {}
    for name in _CALLED.findall(text):
        if name not in _KNOWN and name not in own and not name.lower().startswith(("test", "assert")):
            called[name] = called.get(name, 0) + 1
    counted = sorted(called, key=lambda name: (name not in imported, -called[name]))
    return tuple(dict.fromkeys([*([entry_point] if entry_point else []), *counted, *imported]))
