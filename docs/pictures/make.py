"""Render the README's pictures: run two commands in a terminal and export what it shows as SVG.

    python docs/pictures/make.py --data ../shared/data      # a folder with evalplus' HumanEvalPlus.jsonl.gz

The teacher is the tests' local HTTP server, which answers after 0.2 to 1.2 s. The samples are HumanEval+'s canonical solutions.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import tempfile
from pathlib import Path

from pyte import Screen
from rich.console import Console
from rich.style import Style
from rich.text import Text

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.support.teacher import Answer, LocalTeacher  # noqa: E402
from tests.support.terminal import Terminal  # noqa: E402

from hf_oss_instruct.evaluation.benchmarks import load  # noqa: E402

COLUMNS = 110


def as_text(screen: Screen) -> Text:
    """What an emulated terminal shows, with its colors."""
    lines = []
    for number in range(screen.lines):
        letters = [screen.buffer[number][column] for column in range(screen.columns)]
        styles = [Style(color=None if one.fg == "default" else one.fg, bold=one.bold) for one in letters]
        lines.append(Text.assemble(*((one.data, style) for one, style in zip(letters, styles, strict=True))))
        lines[-1].rstrip()
    while lines and not lines[-1]:
        lines.pop()
    return Text("\n").join(lines)


def in_a_terminal(words: list[str], folder: Path, middle: str = "") -> list[Text]:
    """Run a command in a terminal, and return its screen when a pattern is on it (if one is given) and at its end."""
    shown = []
    command = Path(sys.executable).with_name("hf-oss-instruct")
    with Terminal([command, *words], columns=COLUMNS, rows=40, cwd=folder) as terminal:
        if middle:
            terminal.until(lambda text: re.search(middle, text))
            shown.append(as_text(terminal.screen))
        terminal.wait()
        return [*shown, as_text(terminal.screen)]


def draw(name: str, typed: str, *shown: Text) -> None:
    """Write `NAME.svg`: the command as typed and its output, in the reader's own monospace font."""
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"), force_terminal=True)
    console.print(Text.assemble(("$ ", "bold green"), (f"hf-oss-instruct {typed}", "bold"), "\n"))
    console.print(Text("\n\n").join(shown))
    picture = console.export_svg(title="hf-oss-instruct", unique_id=name)
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)  # rich links web fonts: fetch nothing
    picture = picture.replace("Fira Code, monospace", "monospace")
    (HERE / f"{name}.svg").write_text(picture)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data.resolve()
    with tempfile.TemporaryDirectory() as place, LocalTeacher(lambda body: Answer(latency_s=random.uniform(0.2, 1.2))) as teacher:
        folder = Path(place)
        (folder / "my_code").symlink_to(HERE.parents[1] / "src")
        words = ["synthesize", "--seeds", "my_code/", "--n", "200", "--model", "my-model", "--base-url", teacher.base_url]
        words += ["--benchmarks", str(data), "--out", "pairs"]
        screens = in_a_terminal(words, folder, r"[5-9]\d of 200 seeds")
        typed = " ".join(words).replace(teacher.base_url, "http://localhost:8080/v1").replace(str(data), "benchmarks/")
        draw("synthesize", typed, *screens)

        lines = [
            {"task_id": problem.task_id, "solution": problem.reference}
            for problem in load("humaneval_plus", data).problems.values()
        ]
        (folder / "samples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        words = ["score", "--task", "humaneval_plus", "samples.jsonl", "--data", str(data)]
        draw("score", " ".join(words[:-2]), *in_a_terminal(words, folder))


if __name__ == "__main__":
    main()
