"""Perl: drop everything after `__END__` and the script's own calls; export a package's function to `main`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar

from hf_oss_instruct.code.syntax import text_of
from hf_oss_instruct.evaluation.extraction.language import ExtractionRules
from hf_oss_instruct.evaluation.extraction.outline import ItemKind, OutlineItem, ParsedSource
from hf_oss_instruct.evaluation.problems import Problem


class Perl(ExtractionRules):
    """Rules for Perl."""

    name = "perl"
    node_kinds: ClassVar[Mapping[str, ItemKind]] = {
        "subroutine_declaration_statement": "function",
        "use_statement": "import",
        "use_version_statement": "import",
        "package_statement": "statement",
        "assignment_expression": "value",
        "variable_declaration": "value",
        "eof_marker": "package",
        "data_section": "package",
        "pod": "package",
    }
    wrapper_nodes = frozenset({"expression_statement"})
    needs_return = False
    prose_parses = True
    test_frameworks = re.compile(r"^use\s+Test\b")
    script_statements = re.compile(r"\bexit\b|\bcaller\b|@ARGV|\$ARGV|<STDIN>|__FILE__|^1$|^done_testing|^plan\b")
    code_line_start = re.compile(r"(?:sub|use|package|my|our)[ \t]|#|=\w")

    def unneeded(self, problem: Problem, source: ParsedSource, path: Sequence[OutlineItem]) -> list[OutlineItem]:
        """Also remove everything after `__END__`."""
        return [*super().unneeded(problem, source, path), *source.of_kind("package")]

    def entry_point_alias(self, problem: Problem, path: Sequence[OutlineItem]) -> str:
        """Make a function of a package, or one in a variable, callable in `main` by its plain name."""
        name = problem.entry_point
        if path and path[-1].kind == "value":
            return f"\nsub {name} {{ ${name}->(@_) }}\n"
        # The last `package` statement before the function says where it is.
        before, node = [], path[-1].node.prev_sibling if path else None
        while node is not None:
            if node.type == "package_statement":
                before.append(text_of(node.child_by_field_name("name")))
            node = node.prev_sibling
        if not before or before[0] == "main":
            return ""
        # A method: its first argument is an object or a class.
        if re.search(r"^\s*my\s*\(?\s*\$(?:self|class)\b", text_of(path[-1].inner).partition("{")[2]):
            made = f"{before[0]}->new" if re.search(r"\bsub\s+new\b", text_of(path[-1].node.parent)) else before[0]
            return f"\npackage main;\nsub {name} {{ return {made}->{name}(@_) }}\n"
        return f"\npackage main;\n{{ no strict 'refs'; no warnings; *main::{name} = \\&{before[0]}::{name}; }}\n"
