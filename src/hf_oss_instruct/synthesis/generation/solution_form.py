"""Whether a solution has the requested form: functions alone, a script that reads its input, or a class.

A parsed program is looked at, without its comments and strings. Solutions that cannot be parsed here are not judged: other
languages, programs with many syntax errors, and forms that a language does not have (a class in C or shell).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hf_oss_instruct.code.languages import named
from hf_oss_instruct.code.syntax import MAX_SOURCE_CHARS, parse, text_of, why_unsuitable
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.spec.prompts import CLASS, FUNCTION, SCRIPT
from hf_oss_instruct.verification.programs import program_in

if TYPE_CHECKING:
    from tree_sitter import Node

WRONG_STYLE = "wrong_style"
"""The reason for rejecting a solution of another form."""


@dataclass(frozen=True)
class _Forms:
    """What shows the forms in a language.

    Attributes:
        reads: reading standard input.
        prints: printing.
        classes: node types of classes; empty for a language without them.
        has_main: whether programs begin in a function `main`, rather than with the first statement.
    """

    reads: str
    prints: str
    classes: str = ""
    has_main: bool = False


_JAVASCRIPT = _Forms(
    r"process\.stdin|\breadline\b|readFileSync\s*\(\s*0\b|(?:Bun|Deno)\.stdin",
    r"console\.|process\.stdout|Deno\.stdout",
    "class_declaration|class|abstract_class_declaration",
)
_C = _Forms(
    r"\b(?:f?scanf|f?gets|f?getc|getchar)\s*\(|\bstdin\b|STDIN_FILENO",
    r"printf|\bf?puts\b|\bf?putc|\bputchar|\bstdout\b",
    has_main=True,
)
_FORMS = {
    "python": _Forms(r"\binput\s*\(|\bstdin\b|\bfileinput\b|\bopen\s*\(\s*0\b", r"\bprint\b|\bstdout\b", "class_definition"),
    "javascript": _JAVASCRIPT,
    "typescript": _JAVASCRIPT,
    "java": _Forms(
        r"System\s*\.\s*in\b", r"System\s*\.\s*out\b", "class_declaration|record_declaration|enum_declaration", has_main=True
    ),
    "c": _C,
    "cpp": _Forms(rf"\bcin\b|{_C.reads}", rf"\bcout\b|{_C.prints}", "class_specifier|struct_specifier", has_main=True),
    "go": _Forms(r"os\.Stdin|fmt\.Scan", r"fmt\.F?[Pp]rint|os\.Stdout", "method_declaration", has_main=True),
    "rust": _Forms(r"\bstdin\b|read_to_string", r"\bprint(?:ln)?!|\bstdout\b|\bwrite(?:ln)?!", "impl_item", has_main=True),
    "csharp": _Forms(
        r"Console\s*\.\s*(?:Read|In\b|OpenStandardInput)",
        r"Console\s*\.\s*(?:Write|Out\b)",
        "class_declaration|record_declaration|struct_declaration",
    ),
    "php": _Forms(r"\bSTDIN\b|\breadline\s*\(|\bstdin\b", r"\becho\b|\bprint|\bfwrite|\bfprintf", "class_declaration"),
    "ruby": _Forms(
        r"\bgets\b|\$stdin|\bSTDIN\b|\bARGF\b|\breadlines?\b", r"\bputs\b|\bprintf?\b|\bp\b|\$stdout|\bSTDOUT\b", "class"
    ),
    "swift": _Forms(r"\breadLine\s*\(|standardInput", r"\bprint\s*\(|standardOutput", "class_declaration"),
    "shell": _Forms(r"\bread\b", ""),
}
_STDIN_BY_NAME = re.compile(r"/dev/stdin|php://stdin")
"""Standard input as a file, whose name is a string."""
# Node types of the grammars that the core has. `_DECLARED` lacks expressions: an arrow function may be called on the spot.
_FUNCTION = re.compile(
    r"(?:generator_)?function_(?:definition|declaration|item)|method(?:_declaration|_definition)?|singleton_method|"
    r"local_function_statement|arrow_function|function_expression|lambda"
)
_DECLARED = re.compile(
    r"(?:generator_)?function_(?:definition|declaration|item)|method(?:_declaration|_definition)?|singleton_method|local_function_statement"
)
# What is not code; a pattern in a comment or string says nothing about the program.
_TEXT = re.compile(r".*(?:comment|string|char(?:acter)?_literal|heredoc).*")
# What may stand at the top of a file without doing anything when the file is run.
_NO_STATEMENT = re.compile(
    r".*(?:comment|import|include|using|package|namespace|_definition|_declaration|_item|_specifier|php_tag|directive|pragma|text).*|"
    r"method|singleton_method|class|module|use_declaration|export_statement|lexical_declaration|hash_bang_line|ERROR"
)


def check_form(solution: str, language: str, style: str) -> None:
    """Reject a solution that does not have the requested form.

    Args:
        solution: Markdown with the program, or the program.
        language: its language, as in `languages.LANGUAGES`.
        style: `function`, `script` or `class`.

    Raises:
        RowRejectedError: `wrong_style`, with the part that is missing or superfluous.
    """
    program = program_in(solution, language)
    forms = _FORMS.get(program.language)
    if (
        forms is None
        or len(program.text) > MAX_SOURCE_CHARS
        or why_unsuitable(program.text, program.language) == "does_not_parse"
    ):
        return
    checks: dict[str, Callable[[_Parsed], str | None]] = {FUNCTION: _of_functions, SCRIPT: _of_script, CLASS: _of_class}
    if wrong := checks[style](_Parsed(program.text, program.language, forms)):
        raise RowRejectedError(WRONG_STYLE, f"the {named(program.language).title} program is not a {style}: {wrong}")


class _Parsed:
    """A parsed program, and its text without comments and strings."""

    def __init__(self, text: str, language: str, forms: _Forms) -> None:
        self.language, self.forms = language, forms
        self._source = text.encode(errors="replace")
        self.root = parse(self._source, language).root_node
        self.names_stdin = _STDIN_BY_NAME.search(text) is not None

    def nodes(self) -> Iterator[Node]:
        """All nodes, in order; not recursive, since sources nest deeper than Python's stack allows."""
        stack = [self.root]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))

    def code(self, *, at_top: bool = False) -> str:
        """The text without comments and strings; with `at_top`, also without functions and methods other than `main`."""
        blanked, stack = bytearray(self._source), [self.root]
        while stack:
            node = stack.pop()
            inside = at_top and _DECLARED.fullmatch(node.type) and node.is_named and not _is_main(node)
            if inside or (_TEXT.fullmatch(node.type) and node is not self.root):
                # Blanked instead of cut, so that the byte offsets of all other nodes stay valid.
                blanked[node.start_byte : node.end_byte] = b" " * (node.end_byte - node.start_byte)
            else:
                stack.extend(node.children)
        return blanked.decode(errors="replace")

    def runs(self) -> bool:
        """Whether anything happens when the program is started."""
        if self.forms.has_main:
            return any(_DECLARED.fullmatch(node.type) and _is_main(node) for node in self.nodes())
        # A C# program begins in `Main` or with statements at the top of the file.
        main = any(_DECLARED.fullmatch(node.type) and _is_main(node) for node in self.nodes()) and self.language == "csharp"
        return main or any(not _NO_STATEMENT.fullmatch(node.type) for node in self.root.named_children)


def _of_functions(program: _Parsed) -> str | None:
    if not any(node.is_named and _FUNCTION.fullmatch(node.type) and not _is_main(node) for node in program.nodes()):
        return "it defines no function"
    if re.search(program.forms.reads, program.code(at_top=True)):
        return "it reads standard input by itself"
    return None


def _of_script(program: _Parsed) -> str | None:
    if not program.runs():
        return "nothing in it runs"
    # In shell, commands read and print unnoticed.
    if not program.forms.prints:
        return None
    code = program.code()
    if not program.names_stdin and not re.search(program.forms.reads, code):
        return "it does not read standard input"
    return None if re.search(program.forms.prints, code) else "it prints nothing"


def _of_class(program: _Parsed) -> str | None:
    if not program.forms.classes:
        return None
    kinds = re.compile(program.forms.classes)
    if any(node.is_named and kinds.fullmatch(node.type) for node in program.nodes()):
        return None
    return "it defines no class"


def _is_main(function: Node) -> bool:
    name = function.child_by_field_name("name") or function.child_by_field_name("declarator")
    return re.match(r"(?:\w+\s+)?main\b", text_of(name), re.IGNORECASE) is not None
