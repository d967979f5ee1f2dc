"""An equivalent program with different text. Tests that fail on it inspect the text of the solution, not its behavior."""

from __future__ import annotations

from hf_oss_instruct.code.syntax import parse, text_of
from hf_oss_instruct.verification.grammars import CODE

COMMENT = {"python": "#", "ruby": "#", "shell": "#", "php": "//"}


def equivalent(solution: str, language: str) -> str:
    """The solution with values of `return` in parentheses and comments after statements; as it is without a grammar.

    Args:
        solution: the program.
        language: as in `languages.LANGUAGES`.
    """
    if language not in CODE:
        return solution
    source = solution.encode(errors="replace")
    stack, edits = [parse(source, language).root_node], []
    while stack:
        node = stack.pop()
        if node.type in ("return_statement", "return", "return_expression"):
            values = [child for child in node.named_children if "comment" not in child.type]
            if len(values) == 1 and _can_be_wrapped(text_of(values[0]), values[0].type):
                edits.append((values[0].start_byte, values[0].end_byte))
        stack.extend(node.children)
    # A returned value may hold a function that returns something: edits must not overlap.
    outermost: list[tuple[int, int]] = []
    for start, end in sorted(edits):
        if not outermost or start >= outermost[-1][1]:
            outermost.append((start, end))
    for start, end in reversed(outermost):
        source = source[:start] + b" (" + source[start:end] + b")" + source[end:]
    text = source.decode(errors="replace").rstrip("\n")
    # After `?>`, a comment would be printed.
    if language == "php" and "?>" in text:
        return text
    return f"{text}\n{COMMENT.get(language, '//')} the same in other words\n"


def _can_be_wrapped(text: str, kind: str) -> bool:
    # Lists of initializers and of several results are not expressions.
    return not text.startswith("{") and kind not in ("initializer_list", "expression_list", "literal_value")
