"""What the teacher is asked: a template file, filled with a seed snippet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from hf_oss_instruct.data import Message, digest
from hf_oss_instruct.display import fence_for
from hf_oss_instruct.errors import UsageError

SECTION = re.compile(r"^\[(system|user)\]\n", re.M)


@dataclass(frozen=True)
class Prompt:
    """A prompt template.

    The text is one user message, or messages that each open with a line `[system]` or `[user]`. `{code}` stands for the seed
    snippet; `{fence}` for a run of backticks longer than any in it, so that no snippet can close its own fence.

    Args:
        text: the template.

    Raises:
        UsageError: the template has no `{code}`.
    """

    text: str

    def __post_init__(self) -> None:
        if "{code}" not in self.text:
            raise UsageError("The prompt template has no {code}. Put {code} where the seed snippet belongs.")

    @classmethod
    def default(cls) -> Prompt:
        """Our own wording of the paper's prompt (`templates/oss_instruct.txt`)."""
        return cls(files(__package__).joinpath("templates/oss_instruct.txt").read_text("utf-8"))

    @classmethod
    def from_file(cls, path: str | Path) -> Prompt:
        """The template in a file, such as the paper's own `data/prompt.txt`.

        Raises:
            UsageError: the file cannot be read as UTF-8 text, or has no `{code}`.
        """
        try:
            return cls(Path(path).read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"The prompt template {str(path)!r} cannot be read: {error}. Pass a UTF-8 text file.") from error

    @cached_property
    def hash(self) -> str:
        """Version of the template, 32 hex digits: another text is another version."""
        return digest("prompt", self.text)

    @cached_property
    def _parts(self) -> list[tuple[str, str]]:
        if not SECTION.match(self.text):
            return [("user", self.text)]
        _, *pieces = SECTION.split(self.text)
        return list(zip(pieces[::2], (piece.removesuffix("\n") for piece in pieces[1::2]), strict=True))

    def messages(self, snippet: str) -> tuple[Message, ...]:
        """The chat messages for one snippet."""
        values = {"{fence}": fence_for(snippet), "{code}": snippet}
        # One pass over the template: a snippet that holds "{fence}" is text, not a placeholder.
        return tuple(
            {"role": role, "content": re.sub(r"\{fence\}|\{code\}", lambda found: values[found[0]], part)}
            for role, part in self._parts
        )
