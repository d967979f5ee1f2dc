"""The command `env`: versions of libraries, the sandbox and the languages of this machine."""

from __future__ import annotations

import json
import platform
from typing import Any

import click

from hf_oss_instruct.terminal.display import visible
from hf_oss_instruct.terminal.flags import format_option

NO_RUNNER = "no runner: hf-oss-instruct does not run programs in it"


@click.command(short_help="Print versions and sandbox of this machine.")
@click.option(
    "--languages",
    is_flag=True,
    help="Show which languages this machine can run, what to install for others, and which have no runner.",
)
@format_option
def env(languages: bool, output: str) -> None:
    """Print versions and the sandbox of this machine, for a bug report.

    \b
    Versions and sandbox:    hf-oss-instruct env
    Runnable languages:      hf-oss-instruct env --languages
    """
    if languages:
        _show_languages(output)
        return
    from importlib.metadata import PackageNotFoundError, version

    names = "hf-oss-instruct datasets huggingface_hub pyarrow tree-sitter xxhash click rich transformers trl torch lighteval"
    facts: dict[str, str | None] = {"python": platform.python_version(), "platform": platform.platform()}
    for name in names.split():
        try:
            facts[name] = version(name)
        except PackageNotFoundError:
            facts[name] = None
    sandbox = _sandbox()
    if output == "json":
        click.echo(json.dumps({**facts, "sandbox": sandbox}, indent=2))
        return
    for name, value in facts.items():
        click.echo(f"- {name}: {value or 'not installed'}")
    click.echo(f"- sandbox: {sandbox['tier'] or 'none: untrusted code is not run'}")
    if sandbox["memory"]:
        click.echo(f"- memory of programs: {visible(sandbox['memory'])}")
    for key, heading in (("held", "guaranteed"), ("not held", "not guaranteed"), ("not here", "unavailable")):
        for line in sandbox[key]:
            click.echo(f"    {heading}: {visible(line)}")


def _show_languages(output: str) -> None:
    from hf_oss_instruct.code.toolchains import status

    rows = status()
    if output == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        state = NO_RUNNER if row["ready"] is None else "ready" if row["ready"] else f"not installed: {row['install']}"
        click.echo(f"- {row['language']}: {state}")


def _sandbox() -> dict[str, Any]:
    """The sandbox this machine has, what it guarantees, and why it does not have a better one."""
    from hf_oss_instruct.sandbox.backends import (
        BUBBLEWRAP,
        GAPS,
        LANDLOCK,
        available_tiers,
        memory_held_by,
        not_held,
        why_unavailable,
    )
    from hf_oss_instruct.sandbox.guarantees import GUARANTEES

    tiers = available_tiers()
    best = tiers[0] if tiers else None
    lost = not_held(best) if best else {}
    absent = [(tier, reason) for tier in (BUBBLEWRAP, LANDLOCK) if (reason := why_unavailable(tier.name))]
    return {
        "tier": best.name if best else None,
        "memory": memory_held_by(best.name) if best else None,
        "held": [text for name, text in GUARANTEES.items() if name not in lost] if best else [],
        "not held": [*(f"{name}: {what}" for name, what in lost.items()), *GAPS] if best else [],
        "not here": [f"{tier.name} ({tier.title}): {reason}. {tier.get_it}" for tier, reason in absent],
    }
