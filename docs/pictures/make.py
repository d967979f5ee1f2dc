"""Render the README's pictures: run two commands in a terminal and export what it shows as SVG.

    python docs/pictures/make.py --data ../shared/data      # a folder with evalplus' HumanEvalPlus.jsonl.gz

The teacher is the tests' local HTTP server, which answers after 0.2 to 1.2 s. The samples are HumanEval+'s canonical solutions.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import random
import re
import struct
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.support.teacher import Answer, LocalTeacher  # noqa: E402

from hf_oss_instruct.evaluation.benchmarks import load  # noqa: E402

COLUMNS = 110
_REDRAWN = re.compile(r"\r\x1b\[2K|\x1b\[\?25[lh]|\r?\x1b\[1A\x1b\[2K")


def in_a_terminal(words: list[str], folder: Path) -> str:
    """Run a command in a pseudo-terminal `COLUMNS` wide and return everything it writes, escape codes included."""
    child, terminal = pty.fork()
    if not child:
        os.chdir(folder)
        command = Path(sys.executable).with_name("hf-oss-instruct")
        os.execve(command, [command, *words], os.environ | {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS)})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    written = b""
    try:
        while chunk := os.read(terminal, 1 << 16):
            written += chunk
    except OSError:  # Linux reports the end of a pseudo-terminal as EIO
        os.waitpid(child, 0)
    return written.decode().replace("\r\n", "\n")


def draw(name: str, typed: str, shown: str) -> None:
    """Write `NAME.svg`: the command as typed and its output, in the reader's own monospace font."""
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"), force_terminal=True)
    console.print(Text.assemble(("$ ", "bold green"), (f"hf-oss-instruct {typed}", "bold"), "\n"))
    console.print(Text.from_ansi(shown.strip()))
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
        frames = _REDRAWN.split(in_a_terminal(words, folder))
        middle = next(frame for frame in frames if re.match(r"[5-9]\d\/200", frame))
        typed = " ".join(words).replace(teacher.base_url, "http://localhost:8080/v1").replace(str(data), "benchmarks/")
        draw("synthesize", typed, f"{middle}\n\n{frames[-1].strip()}")

        lines = [
            {"task_id": problem.task_id, "solution": problem.reference}
            for problem in load("humaneval_plus", data).problems.values()
        ]
        (folder / "samples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        words = ["score", "--task", "humaneval_plus", "samples.jsonl", "--data", str(data)]
        frames = _REDRAWN.split(in_a_terminal(words, folder))
        draw("score", " ".join(words[:-2]), frames[-1])


if __name__ == "__main__":
    main()
