"""Split a model's reasoning from its answer, and strip trailing end tokens that a server left in a text.

Reasoning precedes the answer. It opens with a marker at the start of a line, or with none if the chat template wrote the
opening marker into the prompt; it ends at the closing marker. A marker that is only named (inside a code block, inline code, a
string, or in the middle of a sentence) is part of the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass


def _tag(names: str) -> tuple[str, str]:
    return rf"<(?:{names})(?:\s[^<>\n]*)?>", rf"</(?:{names})\s*>"


_FAMILIES = (
    _tag("think|thinking|thoughts?"),  # DeepSeek, Qwen, EXAONE and most others
    *map(_tag, ("reasoning", "scratchpad", "reflection", "analysis", "inner_monologue", "seed:think", "longcat_think")),
    (r"(?-i:\[THINK\])", r"(?-i:\[/THINK\])"),  # Magistral
    ("◁think▷", "◁/think▷"),  # Kimi
    (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),  # OpenThinker
    (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),  # Command A
    (r"<\|inner_prefix\|>", r"<\|inner_suffix\|>"),  # Apertus
    (r'<details type="reasoning"[^<>\n]*>', r"</details>"),  # Open WebUI's exports
)
_ALONE = len(_FAMILIES) - 1
"""The closing markers of families before this one mean something without their opening marker."""
_MARKER = re.compile(
    "|".join(f"(?P<o{number}>{opening})|(?P<c{number}>{closing})" for number, (opening, closing) in enumerate(_FAMILIES)), re.I
)
_FIRST = re.compile(r"[<\[◁]")
"""First characters of markers."""
_CLOSING = "|".join(closing for _, closing in _FAMILIES)
_FENCE = re.compile(rf"(?P<behind>.*(?:{_CLOSING}))?[ \t]*(?P<fence>`{{3,}}|~{{3,}})(?P<info>.*)", re.I)
_QUOTED = re.compile(r"""`[^`]+`|"[^"]*"|(?<!\w)'[^']*'|“[^“”]*”""")
_TRIPLE = re.compile(r'("""|\'\'\').*?\1', re.DOTALL)
_COMMENT = re.compile(r"\s*(?:#|//|--|;|/?\*|%)")
_SENTENCE_END = ".!?…。！？:;)]}>`\"'|"
_WRAPPERS = re.compile(
    r"\s*<(?P<tag>answer|response|output|solution|final|final_answer)>(?P<text>.*?)(?:</(?P=tag)>\s*)?\Z"
    r"|\s*<\|begin_of_solution\|>(?P<solution>.*?)(?:<\|end_of_solution\|>\s*)?\Z"
    r"|\s*<\|START_RESPONSE\|>(?P<response>.*?)(?:<\|END_RESPONSE\|>\s*)?\Z",
    re.DOTALL | re.IGNORECASE,
)
_ROLE = re.compile(r"(?:<s>|<[|｜][^<>\n]{1,30}[|｜]>)*(?:assistant)?(?:<\|end_header_id\|>)?", re.IGNORECASE)
_CHANNEL = re.compile(
    r"(?:<\|start\|>\s*assistant[^<\n]*)?<\|channel\|>\s*(?P<name>\w+)[^<\n]*(?:<\|constrain\|>\w*\s*)?<\|message\|>"
)
_BARE_CHANNELS = re.compile(r"\s*analysis(?=\S)(?P<reasoning>.*?)assistant\s?final(?P<answer>.*)", re.DOTALL)
"""gpt-oss channels after a server dropped the special tokens between them."""
_END_TOKEN = re.compile(
    r"<[|｜](?:im_end|im_start|im_sep|endoftext|end_of_text|eot_id|eom_id|eot|eos|end|return|call|end_of_turn|end_of_turn_token|"
    r"end_of_solution|end_response|end▁of▁sentence|end_of_sentence|assistant_end|role_end|user|observation|endofresponse)[|｜]>"
    r"|</s>|<eos>|<end_of_turn>|<end_of_utterance>|<turn\|>|<seed:eos>|\[\|endofturn\|\]|\[EOS\]|<EOT>",
    re.IGNORECASE,
)
_LONGEST = 32
"""Maximum length of an end token, in characters."""


@dataclass(frozen=True, slots=True)
class _Marker:
    """A marker that is not inside code or quotes.

    A line may hold a hundred thousand of them, so the text around one is copied only on demand.

    Attributes:
        line: the line that it is in, without its ending.
        first, last: where it begins and ends there.
    """

    start: int
    end: int
    family: int
    opens: bool
    line: str
    first: int
    last: int

    @property
    def before(self) -> str:
        return self.line[: self.first]

    @property
    def after(self) -> str:
        return self.line[self.last :]

    @property
    def starts_line(self) -> bool:
        return self.first <= 3 and not self.before.strip()

    @property
    def nests(self) -> bool:
        """Whether an opening marker inside reasoning is nested; one between spaces is only mentioned in a sentence."""
        return self.starts_line or not (self.line[self.first - 1] == " " and self.line.startswith(" ", self.last))

    @property
    def fills_line(self) -> bool:
        return not self.before.strip() and not _END_TOKEN.sub("", self.after).strip()

    @property
    def ends_reasoning(self) -> bool:
        """Whether a closing marker that shares its line with text and has no opening marker is real, not just mentioned."""
        before, after = self.before.rstrip(), self.after.strip()
        if self.after[:1].isspace() and after[:1].islower():  # "… </think> is the marker"
            return False
        if _COMMENT.match(self.before) and before != self.before:
            return False
        return not before or before[-1] in _SENTENCE_END or not after


def split_reasoning(text: str) -> tuple[str, str]:
    r"""Split what a model wrote into its reasoning and its answer.

    `<think>`, `<thinking>`, `<thought>`, `<reasoning>`, `<scratchpad>` and the like, `[THINK]`, `◁think▷`,
    `<|begin_of_thought|>`, `<|START_THINKING|>`, gpt-oss' harmony channels; in any case, nested, repeated, with either line
    ending, also where the opening marker is missing. Time grows linearly with the text.

    Args:
        text: the model's text.

    Returns:
        The reasoning without its markers, and the answer. A text without reasoning is returned as it is, after `""`; reasoning
        that was never closed leaves no answer, `""`.
    """
    if (channels := _channels(text)) is not None:
        return channels
    spans = list(_spans(text)) if _has_marker(text) else []
    if not spans:
        return "", text
    reasoning = "\n\n".join(filter(None, (text[first:last].strip() for _, first, last, _ in spans)))
    head = text[: spans[0][0]]
    positions = [end for *_, end in spans], [start for start, *_ in spans[1:]] + [len(text)]
    tail = "".join(_without_gap(text[start:end]) for start, end in zip(*positions, strict=True))
    return reasoning, _unwrapped(tail if _is_role(head) else head + tail)


def strip_end_tokens(text: str) -> str:
    """Strip models' end tokens (`<|im_end|>`, `</s>`, `<|eot_id|>`, …) from the end of a text; one inside the text stays."""
    kept = text
    while (bare := kept.rstrip()) and (token := _last_token(bare)):
        kept = bare[: -len(token)]
    return kept


def _last_token(text: str) -> str:
    # Only the last characters, so that the loop over end tokens stays linear.
    start = max(text.rfind("<", -_LONGEST), text.rfind("[", -_LONGEST))
    match = _END_TOKEN.fullmatch(text, start) if start >= 0 else None
    if match is None or (
        match[0] == "</s>" and "<s>" in text[text.rfind("\n") + 1 :].removeprefix("<s>")
    ):  # strikethrough markup
        return ""
    return match[0]


def _spans(text: str) -> Iterator[tuple[int, int, int, int]]:
    """Return the start of the opening marker, start and end of the reasoning, and the end of the closing marker."""
    spans: list[tuple[int, int, int, int]] = []
    opened: _Marker | None = None
    last: _Marker | None = None
    depth = named = 0
    for marker in _markers(text):
        # Markers of other families inside reasoning are part of its text.
        if opened and marker.family == opened.family:
            depth += marker.nests if marker.opens else -1
            last = last if marker.opens else marker
            if not depth:
                spans.append((opened.start, opened.end, marker.start, marker.end))
                opened = last = None
        elif opened:
            continue
        elif marker.opens and (marker.starts_line or _is_role(text[: marker.start])):
            opened, depth = marker, 1
        # Mentioned in a sentence, perhaps with its counterpart, which then ends nothing either.
        elif marker.opens:
            named += 1
        elif marker.family < _ALONE and (marker.fills_line or (not named and marker.ends_reasoning)):
            spans = [(0, 0, marker.start, marker.end)]  # the opening marker was in the prompt
        else:
            named = max(0, named - 1)
    if opened and last:  # an opening marker was only mentioned in between
        spans.append((opened.start, opened.end, last.start, last.end))
    elif opened and (opened.fills_line or _is_role(text[: opened.start])):
        spans.append((opened.start, opened.end, len(text), len(text)))
    return iter(spans)


def _has_marker(text: str) -> bool:
    """Whether a text contains a marker. Faster than searching for the pattern, whose alternatives share no first character."""
    return any(_MARKER.match(text, first.start()) for first in _FIRST.finditer(text))


def _markers(text: str) -> Iterator[_Marker]:
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    fenced = _fenced(lines)
    strings = list(_strings(text))
    quotes: dict[int, list[tuple[int, int]]] = {}
    for match in _MARKER.finditer(text):
        number = bisect_right(starts, match.start()) - 1
        line = lines[number].removesuffix("\r")
        first, last = match.start() - starts[number], match.end() - starts[number]
        if number in fenced or _is_inside(strings, match.start()):
            continue
        # Once for each line, as one may hold very many markers.
        if number not in quotes:
            quotes[number] = [quoted.span() for quoted in _QUOTED.finditer(line)]
        if not _is_inside(quotes[number], first):
            family = int((match.lastgroup or "")[1:])
            yield _Marker(match.start(), match.end(), family, not _closes(match), line, first, last)


def _is_inside(spans: list[tuple[int, int]], position: int) -> bool:
    number = bisect_right(spans, (position, position)) - 1
    return number >= 0 and spans[number][0] < position < spans[number][1]


def _fenced(lines: list[str]) -> set[int]:
    """Return the numbers of the lines inside fenced code.

    A block that was left open in the reasoning ends at a closing marker on a separate line, if the fences after it pair up.
    """
    fences = [number for number, line in enumerate(lines) if _FENCE.match(line)]
    inside: set[int] = set()
    fence, opens = "", False
    for number, line in enumerate(lines):
        match = _FENCE.match(line)
        info = match["info"].strip() if match else ""
        if not fence:
            if match and "`" not in info and not info.startswith(("<", "◁")):
                fence, opens = match["fence"], False
            continue
        marker = _MARKER.fullmatch(line.strip())
        if match and not match["behind"] and match["fence"].startswith(fence) and (not info or info.startswith(("<", "◁", "["))):
            fence = ""
        elif marker and _closes(marker) and not opens and (len(fences) - bisect_right(fences, number)) % 2 == 0:
            fence = ""
        else:
            opens = opens or marker is not None
            inside.add(number)
    return inside


def _strings(text: str) -> Iterator[tuple[int, int]]:
    """Yield triple-quoted strings, except those opened in the reasoning that contain its end."""
    for string in _TRIPLE.finditer(text):
        first = _MARKER.search(text, *string.span())
        if first and not (_closes(first) and text[first.start() - 1] == "\n"):
            yield string.span()


def _closes(marker: re.Match[str]) -> bool:
    return (marker.lastgroup or "").startswith("c")


def _channels(text: str) -> tuple[str, str] | None:
    """Split gpt-oss' harmony format into reasoning and answer; None if the text has no channels."""
    if bare := _BARE_CHANNELS.fullmatch(text):
        return bare["reasoning"].strip(), _without_gap(bare["answer"])
    heads = list(_channel_heads(text)) if "<|message|>" in text else []
    if not heads:
        return None
    positions = [0, *(match.end() for match in heads)], [*(match.start() for match in heads), len(text)]
    parts = [strip_end_tokens(text[start:end]) for start, end in zip(*positions, strict=True)]
    final = heads[-1]["name"].lower() == "final"
    reasoning = "\n\n".join(filter(None, map(str.strip, parts[:-1] if final else parts)))
    return reasoning, _without_gap(parts[-1]) if final else ""


def _channel_heads(text: str) -> Iterator[re.Match[str]]:
    """Yield the headers of messages, up to the first answer; what follows it is its text."""
    lines = text.split("\n")
    fenced, position = set() if _CHANNEL.match(text.lstrip()) else _fenced(lines), 0
    for number, line in enumerate(lines):
        quotes = [quoted.span() for quoted in _QUOTED.finditer(line)]
        for head in _CHANNEL.finditer(text, position, position + len(line)):
            if number not in fenced and not _is_inside(quotes, head.start() - position):
                yield head
                if head["name"].lower() == "final":
                    return
        position += len(line) + 1


def _is_role(head: str) -> bool:
    """Whether a text is blank or only what a chat template puts before an answer."""
    # What a template writes before an answer is short, and looking at no more keeps the time linear.
    return not (bare := "".join(head[:200].split())) or (len(head) < 200 and _ROLE.fullmatch(bare) is not None)


def _without_gap(text: str) -> str:
    """Strip the blank lines, or spaces on the marker's line, that separate an answer from the reasoning."""
    bare = text.lstrip()
    gap = text[: len(text) - len(bare)]
    return text[gap.rfind("\n") + 1 :] if "\n" in gap and bare else bare


def _unwrapped(answer: str) -> str:
    match = _WRAPPERS.match(answer)
    texts = [text for text in match.group("text", "solution", "response") if text is not None] if match else []
    return _without_gap(texts[0]) if texts else answer
