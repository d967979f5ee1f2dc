"""The command `seeds`."""

from __future__ import annotations

from collections import Counter

import click

from hf_oss_instruct.seeds.from_flags import open_seeds
from hf_oss_instruct.spec.flags import RunFlags, run_options
from hf_oss_instruct.terminal.flags import GroupedCommand, format_option
from hf_oss_instruct.terminal.process import over_tables
from hf_oss_instruct.terminal.streams import reader_gone

SHOWN_SEEDS = 5


@click.command(cls=GroupedCommand)
@run_options("seeds")
@format_option
@over_tables
def seeds(flags: RunFlags, output: str) -> None:
    """Show seed snippets and where they come from.

    \b
    Python's own library:   hf-oss-instruct seeds --n 3
    Your code:              hf-oss-instruct seeds --seeds my_code/ --languages python,cpp --n 10
    A Hub dataset:          hf-oss-instruct seeds --seeds bigcode/the-stack --n 3 --format json

    Needs no model and sends no requests.
    """
    # Heavy imports wait until the command runs, so that --help answers without them.
    from hf_oss_instruct.data import Skipped
    from hf_oss_instruct.progress.show import show_progress
    from hf_oss_instruct.seeds.console import show_seed, show_skipped
    from hf_oss_instruct.seeds.sampling import sample

    spec, source = open_seeds(flags)
    if spec.seeds.requested is None:
        spec = spec.changed(seeds={"n": SHOWN_SEEDS})
    skipped = Counter[Skipped]()
    with show_progress(output) as progress:
        for item in sample(source, spec.seeds, progress):
            if isinstance(item, Skipped):
                skipped[item] += 1
            else:
                with progress.aside():
                    show_seed(item, output)
            if reader_gone():
                return
    show_skipped(skipped.elements(), output, source.converted)
