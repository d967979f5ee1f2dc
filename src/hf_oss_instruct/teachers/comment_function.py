"""The embedded teacher: extracts pairs of comment and function from the seeds, without a model.

In the paper's control experiment (section 5.2), such pairs alone taught a model next to nothing. They exist so that every
step can be tried, tested and debugged on any machine without a model.
"""

from __future__ import annotations

import re

from hf_oss_instruct.code.documented import DocumentedFunction, documented_functions
from hf_oss_instruct.code.languages import named
from hf_oss_instruct.data import EMBEDDED_TEACHER, Completion, Pair, Provenance, Request
from hf_oss_instruct.errors import RowRejectedError
from hf_oss_instruct.teachers.doctests import doctests, module_of, needs_its_class, standalone
from hf_oss_instruct.teachers.parsing import TESTS, parse, parse_with_tests
from hf_oss_instruct.teachers.protocol import Teacher
from hf_oss_instruct.terminal.display import code_block

MIN_WORDS = 8
"""Documentation with fewer words does not state a problem (our choice; the paper gives no bound)."""
CLASS_WRAPPERS = {
    "java": ("class Owner {\n", "\n}"),
    "csharp": ("class Owner {\n", "\n}"),
    "typescript": ("class Owner {\n", "\n}"),
    "javascript": ("class Owner {\n", "\n}"),
    "php": ("<?php class Owner {\n", "\n}"),
}
"""Text that makes a method parse although it was cut out of its class."""


class CommentFunctionTeacher(Teacher):
    """Converts a documented function to a pair: its documentation is the problem, its code the solution.

    It needs seeds of the sampler `functions`, and rejects functions that need their class or module. If the prompt asks for a
    section `[Tests]`, it returns the function's doctests.
    """

    identity = EMBEDDED_TEACHER
    embedded = True
    takes_schema = False

    async def complete(self, request: Request) -> Completion:
        """See `Teacher.complete`.

        Raises:
            RowRejectedError: `thin_documentation` (too few words to state a problem), `unparsable` (no documented function),
                `not_verifiable` (the function needs its class or module).
        """
        lang = request.seed.origin.lang
        function = _only_function(request.seed.snippet, lang)
        if function is None:
            raise RowRejectedError("unparsable", "the snippet holds no documented function (use the sampler 'functions')")
        words = len(re.findall(r"\w+", function.documentation))
        if words < MIN_WORDS:
            raise RowRejectedError("thin_documentation", f"{words} words of documentation, {MIN_WORDS} needed")
        asked_for_tests = any(TESTS in message["content"].lower() for message in request.messages)
        pair = _pair(function, request.seed.origin, with_tests=asked_for_tests)
        text = f"[Problem Description]\n{pair.problem}\n\n[Solution]\n{pair.solution}\n"
        text += f"\n[Tests]\n{pair.tests}\n" if pair.tests else ""
        completion = Completion(text, finish_reason="stop", model=self.identity)
        # Its text is parsed like that of any teacher: a marker inside the function would end a section early.
        if (parse_with_tests if asked_for_tests else parse)(completion) != pair:
            raise RowRejectedError("unparsable", "the function's own text holds a section marker")
        return completion


def _only_function(snippet: str, lang: str) -> DocumentedFunction | None:
    before, after = CLASS_WRAPPERS.get(lang, ("", ""))
    for source, first_line in ((snippet, 1), (f"{before}{snippet}{after}", 2)):
        for function in documented_functions(source, lang):
            # Not a function inside of a method that does not parse on its own.
            if function.start_line == first_line:
                return function
    return None


def _pair(function: DocumentedFunction, origin: Provenance, *, with_tests: bool) -> Pair:
    """The pair of a function that is self-contained, with its doctests on request."""
    code, tests, language = function.code, "", named(origin.lang)
    if origin.lang == "python":
        code, tests = standalone(function, module_of(origin)), doctests(function) if with_tests else ""
    elif needs_its_class(function, origin.lang) or (with_tests and function.owner):
        raise RowRejectedError("not_verifiable", f"{function.name!r} is a method and needs its class")
    problem = (
        f"Write the {language.title} function `{function.name}`. Its documentation:\n\n{function.documentation}\n\n"
        f"Its signature:\n\n{code_block(function.signature, language.fence)}"
    )
    solution = code_block(code, language.fence)
    return Pair(problem, solution, code_block(tests.rstrip("\n"), "python")) if tests else Pair(problem, solution)
