"""What models put around a program: each wrapping makes a text of the pieces of an answer, and says of which kind it is."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Callable, Iterator

from tests.evaluation.extraction.pieces import Pieces

Wrapping = Callable[[Pieces, str], tuple[str, str] | None]
"""Pieces and a fence's tag → kind and text; None where a language has no such thing."""


def fence(code: str, tag: str, marks: str = "```") -> str:
    """A closed block."""
    return f"{marks}{tag}\n{code.rstrip()}\n{marks}\n"


def _answer(make: Callable[[Pieces, str], str]) -> Wrapping:
    return lambda pieces, tag: ("answer", make(pieces, tag))


def _flush(p: Pieces) -> str:
    return "\n".join(line.strip() if place == 0 else line for place, line in enumerate(textwrap.dedent(p.body).split("\n")))


def _open(p: Pieces) -> str | None:
    """The right body without what closes the function, for tests that close it."""
    if not p.tests.lstrip().startswith("}"):
        return None
    return p.body.rstrip().removesuffix("}").rstrip() + "\n"


WRAPPINGS: dict[str, Wrapping] = {
    "fence": _answer(lambda p, t: f"Here is it:\n\n{fence(p.function, t)}\nIt adds the squares.\n"),
    "no tag": _answer(lambda p, t: fence(p.function, "")),
    "tildes": _answer(lambda p, t: fence(p.function, t, "~~~")),
    "CRLF": _answer(lambda p, t: f"Here it is:\n\n{fence(p.function, t)}\nDone.\n".replace("\n", "\r\n")),
    "BOM": _answer(lambda p, t: f"\ufeff{fence(p.function, t)}"),
    "text before the fence": _answer(lambda p, t: f"Here it is: {fence(p.function, t)}"),
    "closed on the line of code": _answer(lambda p, t: f"```{t}\n{p.function.rstrip()}```\nIt's simple, isn't it?\n"),
    "closed before an end token": _answer(lambda p, t: f"```{t}\n{p.function.rstrip()}\n```<|im_end|>\n"),
    "text after the closing fence": _answer(lambda p, t: f"```{t}\n{p.function.rstrip()}\n``` That's all there is to it.\n"),
    "never closed": _answer(lambda p, t: f"```{t}\n{p.function}"),
    "never closed, then text": _answer(lambda p, t: f"```{t}\n{p.function}\nThis doesn't need more: it's simple.\n"),
    "two fences, the first never closed": _answer(
        lambda p, t: f"```{t}\n{p.stub}\nNow it's filled in:\n\n{fence(p.function, t)}"
    ),
    "in a list": _answer(lambda p, t: f"1. Write it:\n\n{textwrap.indent(fence(p.function, t), '   ')}\n2. Use it.\n"),
    "in a quote": _answer(lambda p, t: "".join(f"> {line}\n" for line in fence(p.function, t).splitlines())),
    "in a longer fence": _answer(lambda p, t: fence(f"# Answer\n\n{fence(p.function, t)}", "markdown", "````")),
    "HTML": _answer(lambda p, t: f"<pre><code>{html.escape(p.function)}</code></pre>\n"),
    "tag below the fence": _answer(lambda p, t: f"```\n{t}\n{p.function}```\n"),
    "a numbered listing": _answer(
        lambda p, t: fence("".join(f"{at:3d} {line}\n" for at, line in enumerate(p.function.split("\n"), 1)), t)
    ),
    "a patch": _answer(lambda p, t: fence("".join(f"+{line}\n" for line in p.function.split("\n")), "diff")),
    "entities": _answer(lambda p, t: fence(html.escape(p.function, quote=False), t)),
    "another spelling of the name": _answer(lambda p, t: fence(p.function.replace(p.entry, _respelled(p.entry)), t)),
    "indented code": _answer(lambda p, t: f"Here it is:\n\n{textwrap.indent(p.function, '    ')}\nDone.\n"),
    "headings and a list": _answer(
        lambda p, t: f"## Solution\n\n{p.function}\n**Notes**\n\n- It's a loop.\n- It adds `i * i`.\n"
    ),
    "no fence": _answer(lambda p, t: p.function),
    "no fence, text around": _answer(
        lambda p, t: f"Of course. Here's what you need:\n\n{p.function}\nThis adds the squares; it's what you asked for.\n"
    ),
    "another language first": _answer(lambda p, t: f"Install it:\n\n{fence('pip install x', 'console')}\n{fence(p.function, t)}"),
    "stub first": _answer(lambda p, t: f"The signature:\n\n{fence(p.stub, t)}\nFilled in:\n\n{fence(p.function, t)}"),
    "stub last": _answer(lambda p, t: f"{fence(p.function, t)}\nYou began with:\n\n{fence(p.stub, t)}"),
    "prompt first": _answer(lambda p, t: f"You gave:\n\n{fence(p.prompt, t)}\nI add:\n\n{fence(p.function, t)}"),
    "corrected": _answer(
        lambda p, t: (
            f"First try:\n\n{fence(p.function.replace(*p.slip), t)}\nThat is off by one. Corrected:\n\n{fence(p.function, t)}"
        )
    ),
    "an alternative": _answer(
        lambda p, t: f"{fence(p.function, t)}\nAlternatively, without the last one:\n\n{fence(p.function.replace(*p.slip), t)}"
    ),
    "usage behind": _answer(lambda p, t: f"{fence(p.function, t)}\nUse it:\n\n{fence(p.usage, t)}"),
    "usage before": _answer(lambda p, t: f"It is used so:\n\n{fence(p.usage, t)}\nHere:\n\n{fence(p.function, t)}"),
    "helper before": _answer(lambda p, t: f"A helper:\n\n{fence(p.helper, t)}\nThen:\n\n{fence(p.using, t)}"),
    "helper behind": _answer(
        lambda p, t: f"{fence(p.using, t)}\nwith this helper:\n\n{fence(p.helper, t)}\nUse:\n\n{fence(p.usage, t)}"
    ),
    "helper in the block": _answer(lambda p, t: fence(f"{p.helper}\n{p.using}", t)),
    "own tests and main": _answer(lambda p, t: fence(f"{p.function}\n{p.own_tests}", t)),
    "own tests in a block": _answer(lambda p, t: f"{fence(p.function, t)}\nTests:\n\n{fence(p.own_tests, t)}"),
    "body": _answer(lambda p, t: f"The body is:\n\n{fence(p.body, t)}"),
    "body, flush": _answer(lambda p, t: fence(textwrap.dedent(p.body), t)),
    "body, no fence": _answer(lambda p, t: p.body),
    "body, commented": _answer(
        lambda p, t: (
            fence(f"{_comment(p)} Add them up.\n\n{textwrap.dedent(p.body)}", t) if p.body[0] != "{" else fence(p.body, t)
        )
    ),
    "body and helper": _answer(lambda p, t: fence(f"{_using_body(p)}\n{p.helper}", t)),
    "body, open": lambda p, t: ("answer", fence(code, t)) if (code := _open(p)) else None,
    "prompt and body": _answer(lambda p, t: fence(p.prompt + p.body, t)),
    "completion": lambda p, t: ("completion", _open(p) or p.body),
    "completion, fenced": lambda p, t: ("completion", f"Sure:\n{fence(p.prompt + p.body, t)}"),
    "completion, a fenced body": lambda p, t: ("completion", f"```{t}\n{p.body}```\nThat's it.\n"),
    "completion, closed by a fence": lambda p, t: ("completion", f"{_open(p) or p.body.rstrip()}\n```\nThat's it.\n"),
    "completion, written anew": lambda p, t: ("completion", f"{p.function}\n"),
    "solution": lambda p, t: ("solution", p.prompt + p.body),
    "solution, open": lambda p, t: ("solution", p.prompt + code) if (code := _open(p)) else None,
    "solution with main": lambda p, t: ("solution", f"{p.prompt}{p.body}\n{p.own_tests}") if t != "python" else None,
}


def _comment(p: Pieces) -> str:
    lines = [line.lstrip() for line in p.prompt.split("\n")]
    return next((mark for mark in ("//", "--", ";;") if any(line.startswith(mark) for line in lines)), "#")


def _respelled(name: str) -> str:
    return "sumSquares" if "_" in name else "Sum_squares"


def _using_body(p: Pieces) -> str:
    """The body of the function that needs the helper."""
    head, _, body = p.using.partition("\n")
    inside = "    my($n) = @_;\n" if "@_" in head else ""
    return inside + body


def wrapped(pieces: Pieces, tag: str) -> Iterator[tuple[str, str, str]]:
    """Name, kind and text of every wrapping and of the language's own shapes."""
    for name, wrapping in WRAPPINGS.items():
        if parts := wrapping(pieces, tag):
            yield (name, *parts)
    for name, code in pieces.shapes.items():
        yield f"· {name}", "answer", fence(code, tag)


def wrong(pieces: Pieces) -> Pieces:
    """The same pieces with the slip in every program."""
    old, new = pieces.slip
    slipped = {"function", "body", "using"}
    changed = {name: getattr(pieces, name).replace(old, new) for name in slipped}
    return Pieces(**{**{name: getattr(pieces, name) for name in pieces.__dataclass_fields__}, **changed})
