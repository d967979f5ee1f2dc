"""Does a program keep state between calls? Then a script of asserts is one test: each assert depends on those before it."""

from __future__ import annotations

import ast
import re
import warnings

from hf_oss_instruct.code.python_syntax import parse_module

_CHANGING = frozenset(
    "append add update pop popleft popitem extend insert remove discard clear setdefault appendleft push put sort reverse".split()
)
_COLLECTION = r"new\s+(?:[\w.]+\.)?(?:\w*(?:Map|Set|List|Deque|Queue|Stack|Vector|Dictionary|Bag|Builder)|Atomic\w+|\w+Adder)\b"
# A static field or property that can be assigned, or a constant one that holds a collection.
_STATIC = re.compile(
    rf"\bstatic\s+(?:(?:volatile|private|public|protected|internal)\s+)*"
    rf"(?:(?!final\b|readonly\b|const\b|class\b|void\b)[\w<>\[\],.? ]+\s\w+\s*(?:(?:=[^=>;][^;]*)?;|\{{\s*get\s*;[^}}]*\bset\b)"
    rf"|(?:final|readonly)\s[^;=(]*=\s*{_COLLECTION})"
)
# Variables that outlast a call: static ones, and global ones that are not constant.
_KEPT = {
    "cpp": re.compile(
        r"\b(?:static|thread_local)\s+(?:inline\s+)?(?!const\b|constexpr\b)[\w:<>, *&]+?\s[*&]?\w+\s*[=;{]"
        r"|^(?!(?:using|typedef|return|class|struct|enum|extern|const|constexpr|static|namespace|template|friend)\b)"
        r"[\w:]+(?:<[\w:<>, *&]+>)?\s+\w+(?:\s*=[^;(]*)?;",
        re.MULTILINE,
    ),
    "rust": re.compile(
        r"\bstatic\s+mut\b|\bstatic\s+\w+\s*:[^=;]*\b(?:Atomic\w+|Mutex|RwLock|Once\w*|Lazy\w*)|\b(?:thread_local|lazy_static)!"
    ),
    "java": _STATIC,
    "csharp": _STATIC,
}


def keeps_state(program: str, language: str) -> bool:
    """Whether functions of a program change what outlasts their calls, as far as its text shows.

    Args:
        program: the solution.
        language: as in `languages.LANGUAGES`; False for those whose scripts always run in one process, in their order.
    """
    if language == "python":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return _python(parse_module(program))
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return False
    return language in _KEPT and _KEPT[language].search(program) is not None


def _python(tree: ast.Module) -> bool:
    """A `global` statement, or a change of an object or a class of the module inside a function."""
    classes = {statement.name for statement in tree.body if isinstance(statement, ast.ClassDef)}
    mutable = {
        target.id
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        if isinstance(target, ast.Name)
    } | classes
    local_names = {
        target.id
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.value, ast.Call)
        and ast.unparse(statement.value.func) in classes
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return any(_changes(node, mutable | {"cls"}, local_names) for function in functions for node in ast.walk(function))


def _changes(node: ast.AST, mutable: set[str], local_names: set[str]) -> bool:
    match node:
        case ast.Global():
            return True
        case ast.Subscript(ast.Name(name) | ast.Attribute(ast.Name(name)), ctx=ast.Store() | ast.Del()):
            return name in mutable
        case ast.Attribute(ast.Name(name), ctx=ast.Store() | ast.Del()):
            return name in mutable
        case ast.Call(ast.Name("next"), [ast.Name(name), *_]):
            return name in mutable
        case ast.Call(ast.Attribute(ast.Name(name), method)) | ast.Call(ast.Attribute(ast.Attribute(ast.Name(name)), method)):
            return name in local_names or (name in mutable and method in _CHANGING)
    return False
