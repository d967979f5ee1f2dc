"""The API page: a block of mkdocstrings for every public name, and what can only be read from the running package.

mkdocstrings reads the source, where `progress` has the name of a constant as default, an option of `Sampling` its declaration,
and `synthesize` a single argument, which a decorator replaces by the fields of a `StreamArguments`.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import griffe

PACKAGE = "hf_oss_instruct"
ROOT = Path(__file__).parents[1]
INTERNAL = {
    "GenerationTask": ("outcome",),
    "InferenceTeacher": ("parameters", "learn", "noted"),
    "OssInstruct": ("opened",),
    "PromptSpec": ("stores_reasoning",),
    "Request": ("most_tokens",),
    "RunLimits": ("bounded", "of_shard", "share"),
    "RunSpec": ("differences", "only_for"),
    "Sampling": ("as_sent",),
    "Scoring": ("callback", "score"),
    "Seed": ("at",),
    "SeedPlan": ("counts", "shares"),
    "Source": ("batches", "columnar", "converted", "languages_found"),
    "Teacher": ("in_batch",),
    "TeacherSpec": ("in_flight", "window_size"),
    "VerificationSpec": ("tier", "require_switch"),
}
"""Class → members that are for the engine and not on the page."""


def api_reference() -> str:
    """A block for every public name: functions first, then types."""
    names = public_names()
    chapters = (
        ("Functions", [name for name in names if name[0].islower()]),
        ("Classes", [name for name in names if name[0].isupper()]),
    )
    return "\n".join(f"## {title}\n\n" + "\n".join(map(_block, chosen)) for title, chosen in chapters)


def _block(name: str) -> str:
    filters = ["!^_", *(f"!^{member}$" for member in INTERNAL.get(name, ()))]
    return f"::: {PACKAGE}.{name}\n    options:\n      filters: {filters}\n"


def public_names() -> list[str]:
    """`hf_oss_instruct.__all__`, read from the source: importing the package would change the process that builds the site."""
    tree = ast.parse((ROOT / "src" / PACKAGE / "__init__.py").read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            return list(ast.literal_eval(node.value))
    raise LookupError(f"{PACKAGE}/__init__.py assigns no __all__")


class RuntimeValues(griffe.Extension):
    """Replaces signatures and docstrings of public functions and dataclasses by those that `help()` shows."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """See `griffe.Extension.on_package`; it runs after griffe's own extension for dataclasses."""
        for name in public_names():
            path = pkg[name].target_path
            documented = pkg.modules_collection[path]
            if documented.is_function or "dataclass" in documented.labels:
                module, _, name = path.rpartition(".")
                _update(documented, getattr(import_module(module), name))


def _update(documented: griffe.Object, actual: Any) -> None:
    """Give a function, or a class with its methods, the actual signature and docstring."""
    if documented.docstring and (text := inspect.getdoc(actual)):
        documented.docstring.value = text
    if isinstance(documented, griffe.Function):
        documented.parameters = griffe.Parameters(*_parameters(documented, actual))
        return
    for name, member in documented.members.items():
        if isinstance(member, griffe.Function):
            _update(member, inspect.getattr_static(actual, name))


def _parameters(function: griffe.Function, actual: Any) -> Iterator[griffe.Parameter]:
    """The actual parameters, with the defaults as values where these are literals or otherwise legible."""
    declared = {parameter.name: parameter for parameter in function.parameters}
    for name, parameter in inspect.signature(getattr(actual, "__func__", actual)).parameters.items():
        known = declared.get(name)
        yield griffe.Parameter(
            name,
            annotation=known.annotation if known else _annotation(parameter.annotation, function),
            kind=griffe.ParameterKind(parameter.kind.description),
            default=_default(parameter, known),
        )


def _annotation(annotation: Any, function: griffe.Function) -> griffe.Expr | str | None:
    """An annotation, which is text in modules that postpone their evaluation."""
    if not isinstance(annotation, str):
        return None
    return griffe.safe_get_annotation(ast.parse(annotation, mode="eval").body, parent=function.parent)


def _default(parameter: inspect.Parameter, known: griffe.Parameter | None) -> griffe.Expr | str | None:
    """A default as Python code: its value, or what the source says where the value does not show as code."""
    if parameter.default is inspect.Parameter.empty:
        return None
    try:
        ast.parse(text := repr(parameter.default), mode="eval")
    except SyntaxError:
        declared = known.default if known else "…"
        # An option whose default a function returns, for which None stands.
        return "None" if str(declared).startswith("option(") else declared
    return text
