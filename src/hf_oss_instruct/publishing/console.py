"""Show the planned publication in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from hf_oss_instruct.publishing.hub import Push
from hf_oss_instruct.terminal.display import visible

CARD_LINES = 60
"""Lines of the card that are shown."""


def show_push(push: Push, repo_id: str) -> None:
    """Show the files with their sizes, the notes, and the card's first lines."""
    console = Console(soft_wrap=True)
    console.print(Text(f"{push.repo_type} {repo_id}: {visible(push.summary)}", style="bold"))
    for path in sorted(push.files):
        console.print(Text(f"  {push.size(path):>12,} bytes  {visible(path)}"))
    for note in push.notes:
        console.print(Text(f"  note: {visible(note)}"))
    console.print(Text("── card", style="bold cyan"))
    console.print(Text(visible("\n".join(push.card.splitlines()[:CARD_LINES]))))
