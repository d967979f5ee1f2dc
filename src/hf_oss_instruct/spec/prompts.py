"""Prompt templates, filled with a seed snippet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hf_oss_instruct.data import digest
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.spec.declare import ANYONE, Interface, documented, normalize, option
from hf_oss_instruct.spec.option_types import Choice, OptionType, Switch, typed
from hf_oss_instruct.templates import DROP, KEEP, THOUGHTS, UNKNOWN_THOUGHTS
from hf_oss_instruct.terminal.display import fence_for

if TYPE_CHECKING:
    from hf_oss_instruct.data import Message

TEMPLATE = "oss_instruct"
"""Name of the default template in run configs."""
SECTIONS, JSON = "sections", "json"
"""Forms of an answer."""
FUNCTION, SCRIPT, CLASS = "function", "script", "class"
"""Styles of a solution."""
SECTION = re.compile(r"^\[(system|user)\]\n", re.M)
PLACEHOLDER = re.compile(r"\{fence\}|\{code\}")
# A second pattern, because a template for snippets may contain `{concepts}` or `{language}` as plain text.
CONCEPT_PLACEHOLDER = re.compile(r"\{fence\}|\{code\}|\{concepts\}|\{language\}")
_ABOUT_CONCEPTS = (
    (
        "Let the code snippet below inspire a programming problem of high quality.",
        "Let the concepts below inspire a programming problem of high quality in {language}, which needs all or most of them.",
    ),
    ("Code snippet for inspiration:\n{fence}\n{code}\n{fence}", "Concepts for inspiration:\n{concepts}"),
    ("cannot see the snippet:", "cannot see the list of concepts:"),
)
"""What differs in our templates for a list of concepts in place of a snippet."""


@dataclass(frozen=True)
class Prompt:
    """A prompt template.

    The text is one user message, or messages that each open with a line `[system]` or `[user]`. `{code}` is replaced by the seed
    snippet; `{fence}` for a run of backticks longer than any in it, so that no snippet can close its own fence. With
    `concepts`, `{concepts}` is replaced by the list of concepts and `{language}` by the snippet's language.

    Args:
        text: the template.

    Raises:
        UsageError: the template has neither `{code}` nor `{concepts}`.
    """

    text: str

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise UsageError(
                f"A prompt template is a string, not {self.text!r}. Read one from a file with Prompt.from_file(PATH)."
            )
        if "{code}" not in self.text and "{concepts}" not in self.text:
            raise UsageError("The prompt template has no {code}. Put {code} where the seed snippet belongs.")

    @classmethod
    def default(cls) -> Prompt:
        """The default: our wording of the paper's prompt (`templates/oss_instruct.txt`)."""
        return cls(files(__package__).joinpath("templates/oss_instruct.txt").read_text("utf-8"))

    @classmethod
    def with_tests(cls) -> Prompt:
        """The default with a third section for tests (`templates/oss_instruct_tests.txt`)."""
        return cls(files(__package__).joinpath("templates/oss_instruct_tests.txt").read_text("utf-8"))

    @classmethod
    def for_json(cls, *, tests: bool = False) -> Prompt:
        """The default, or the one with tests, for an answer in JSON (`templates/oss_instruct_json.txt`, …)."""
        name = "oss_instruct_tests_json" if tests else "oss_instruct_json"
        return cls(files(__package__).joinpath(f"templates/{name}.txt").read_text("utf-8"))

    def about_concepts(self) -> Prompt:
        """One of our templates, with a list of concepts in place of the snippet."""
        text = self.text
        for old, new in _ABOUT_CONCEPTS:
            text = text.replace(old, new)
        return Prompt(text)

    @classmethod
    def from_file(cls, path: str | Path) -> Prompt:
        """Read a template from a file, such as the paper's own `data/prompt.txt`.

        Raises:
            UsageError: the file cannot be read as UTF-8 text, or has no `{code}`.
        """
        try:
            return cls(Path(path).read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"The prompt template {str(path)!r} cannot be read: {error}. Pass a UTF-8 text file.") from error

    @cached_property
    def hash(self) -> str:
        """Hash of the text, 32 hex digits."""
        return digest("prompt", self.text)

    @cached_property
    def _parts(self) -> list[tuple[str, str]]:
        if not SECTION.match(self.text):
            return [("user", self.text)]
        _, *pieces = SECTION.split(self.text)
        # The line end before the next `[role]` line belongs to the format.
        return list(zip(pieces[::2], (piece.removesuffix("\n") for piece in pieces[1::2]), strict=True))

    def messages(self, snippet: str, *, concepts: str | None = None, language: str = "") -> tuple[Message, ...]:
        """The chat messages for one snippet, or for the list of its concepts and its language.

        Args:
            snippet: the snippet.
            concepts: the list of its concepts, for a template that has `{concepts}`; None for the snippet itself.
            language: its language, by its usual name, for `{language}`.
        """
        values, placeholder = {"{fence}": fence_for(snippet), "{code}": snippet}, PLACEHOLDER
        if concepts is not None:
            values |= {"{concepts}": concepts, "{language}": language}
            placeholder = CONCEPT_PLACEHOLDER
        # One pass over the template, so that "{fence}" inside a snippet is not replaced.
        return tuple(
            {"role": role, "content": placeholder.sub(lambda match: values[match[0]], part)} for role, part in self._parts
        )


class PromptTemplateType(OptionType):
    """A prompt template: a file on the command line; its text, or the name of the default, in YAML."""

    expected = "the text of a template, or a Prompt"

    def from_flag(self, value: Path) -> Prompt:
        """See `OptionType.from_flag`."""
        return Prompt.from_file(value)

    def from_yaml(self, value: Any) -> Prompt:
        """See `OptionType.from_yaml`."""
        return Prompt(typed(value, str))

    def to_yaml(self, value: Prompt) -> str:
        """See `OptionType.to_yaml`."""
        return value.text

    def from_python(self, value: Prompt | str) -> Prompt:
        """See `OptionType.from_python`."""
        if not isinstance(value, str | Prompt):
            raise TypeError(value)
        return Prompt(value) if isinstance(value, str) else value


@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSpec:
    """The prompt, and how the answer is parsed."""

    prompt: Prompt = option(
        Prompt.default,
        PromptTemplateType(),
        "Text file with {code} for the snippet; lines [system] and [user] open messages.",
        python_help="Template with {code} for the snippet: a `Prompt`, or its text. Lines [system] and [user] open messages. "
        "Default: ours.",
        flag="--prompt-template",
        yaml="text",
        section="2.1",
    )
    parser: str = option(
        "default",
        Choice(("default", "magicoder"), "Unknown parser {value!r}"),
        "How an answer is parsed: default, or magicoder, the paper's exact rule.",
        python_help="How an answer is parsed: `default`, or `magicoder` for the paper's exact rule.",
        yaml="parser",
        set_by=ANYONE & ~Interface.COMMAND,
    )
    keep_reasoning: bool = option(
        False,
        Switch(),
        "Store the model's reasoning, which is never part of a pair, in the column reasoning. Default: leave the column null.",
        flag="--keep-reasoning/--no-keep-reasoning",
        yaml="keep_reasoning",
        rare=True,
        after="extra_body",
    )

    thoughts: str = option(
        DROP,
        Choice(THOUGHTS, UNKNOWN_THOUGHTS),
        "Whether completions of the config sft begin with the model's reasoning in <think> tags: drop (default), or keep, which "
        "also stores it in the column reasoning.",
        python_help="Whether completions of the config `sft` begin with the model's reasoning in <think> tags: `drop` (default), "
        "or `keep`, which also stores it in the column `reasoning`.",
        flag="--thoughts",
        yaml="thoughts",
        rare=True,
        after="keep_reasoning",
    )
    answer_format: str = option(
        SECTIONS,
        Choice((SECTIONS, JSON), "Unknown answer format {value!r}"),
        "How the teacher writes a pair: sections (default), or json, an object whose schema is sent as response_format, unless "
        "the server rejects it. run.json counts the answers of each form.",
        python_help="How the teacher writes a pair: `sections` (default), or `json`, an object whose schema is sent as "
        "`response_format`, unless the server rejects it. `run.json` counts the answers of each form.",
        flag="--answer-format",
        yaml="answer_format",
        rare=True,
    )

    concepts: bool = option(
        False,
        Switch(),
        "Send two requests per seed: for the concepts that the snippet uses, then for a problem about these, without "
        "the snippet (SelfCodeAlign). Your own template needs {concepts} and may have {language}.",
        flag="--concepts",
        yaml="concepts",
        rare=True,
        set_by=ANYONE & ~Interface.REPO_CONFIG,
    )

    style: str | None = option(
        None,
        Choice((FUNCTION, SCRIPT, CLASS), "Unknown style {value!r}"),
        "Have each pair rewritten so that the solution is a function, a script that reads standard input, or a class; other "
        "forms are rejected. Adds one request per seed.",
        python_help="Have each pair rewritten so that the solution is a `function`, a `script` that reads standard input, or a "
        "`class`; other forms are rejected. Adds one request per seed.",
        flag="--style",
        yaml="style",
        rare=True,
        set_by=ANYONE & ~Interface.REPO_CONFIG,
    )

    def __post_init__(self) -> None:
        normalize(self)
        needed = "{concepts}" if self.concepts else "{code}"
        # The default stands for all of our templates: the task replaces it by the one that fits the other options.
        if needed not in self.prompt.text and self.prompt != Prompt.default():
            raise UsageError(
                f"The prompt template has no {needed}. Put {needed} where the "
                f"{'list of concepts' if self.concepts else 'seed snippet'} belongs."
            )
        if self.answer_format == JSON and self.parser != "default":
            raise UsageError(f"The parser {self.parser!r} reads sections, not JSON. Use the answer format 'sections'.")

    @property
    def stores_reasoning(self) -> bool:
        """Whether rows have the model's reasoning in their column `reasoning`."""
        return self.keep_reasoning or self.thoughts == KEEP
