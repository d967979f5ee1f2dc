"""Show the planned publication in the terminal."""

from __future__ import annotations

import re

from rich.console import Console
from rich.text import Text

from hf_oss_instruct.publishing.hub import Push
from hf_oss_instruct.terminal.display import plural, visible

CARD_LINES = 60
"""Lines of the card that are shown, after its front matter."""
_FRONT_MATTER = re.compile(r"---\n(.*?\n)?---\n\s*", re.DOTALL)


def show_push(push: Push, repo_id: str) -> None:
    """Show the files with their sizes, the notes, and the first lines of the card's text."""
    console = Console(soft_wrap=True)
    console.print(Text(f"{push.repo_type} {repo_id}: {visible(push.summary)}", style="bold"))
    for path in sorted(push.files):
        console.print(Text(f"  {push.size(path):>12,} bytes  {visible(path)}"))
    for note in push.notes:
        console.print(Text(f"  note: {visible(note)}"))
    match = _FRONT_MATTER.match(push.card)
    front = match[0].rstrip().splitlines() if match else []
    lines = push.card[match.end() if match else 0 :].splitlines()
    after = f", after {plural(len(front), 'line')} of front matter" if front else ""
    console.print(Text(f"── card{after}", style="bold cyan"))
    console.print(Text(visible("\n".join(lines[:CARD_LINES]))))
    if (more := len(lines) - CARD_LINES) > 0:
        console.print(Text(f"… ({plural(more, 'more line')})", style="dim"))
