"""Run a command as a process: signals, error messages, exit codes."""

from __future__ import annotations

import errno
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, ParamSpec

import click

from hf_oss_instruct.errors import OssInstructError, RunInterruptedError, UsageError
from hf_oss_instruct.terminal.display import visible
from hf_oss_instruct.terminal.signals import EXIT_INTERRUPTED, interrupt_on_signals
from hf_oss_instruct.terminal.streams import limit_reader_wait, output_error, safe_output

P = ParamSpec("P")
EXIT_FAILED, EXIT_USAGE, EXIT_BUDGET = 1, 2, 3


def run_and_exit(command: Callable[[], Any]) -> NoReturn:
    """Run a click command and exit with its code.

    Args:
        command: runs it, not in click's standalone mode. It returns the exit code; None counts as 0.
    """
    for library in ("HF_HUB", "HF_DATASETS"):  # their bars would be drawn over ours; the user may switch them on
        os.environ.setdefault(f"{library}_DISABLE_PROGRESS_BARS", "1")
    with safe_output():
        code = _exit_code(command)
        # A command that failed has given its own reason.
        if (error := output_error()) and code == 0:
            reason = error.strerror or error
            code = _say(f"Error: standard output cannot be written: {reason}. Redirect it elsewhere.", EXIT_FAILED)
    sys.exit(code)


@contextmanager
def resumable(out: Path | None) -> Iterator[None]:
    """If a signal ends the block, say that the same command continues it.

    Args:
        out: the folder with the finished work; if not given, it is not mentioned.

    Raises:
        RunInterruptedError: a signal came and there is a folder.
    """
    try:
        yield
    except KeyboardInterrupt:
        if out is None:
            raise
        raise RunInterruptedError(f"Interrupted. Finished work is kept in {out}. Continue with:\n  {typed_command()}") from None


def over_tables(command: Callable[P, None]) -> Callable[P, None]:
    """Decorate the function of a command that works on Arrow tables, so that these take less memory.

    Arrow uses the allocator of the system: its own keeps what is freed, a tenth of the peak of `synthesize` and `curate`. And it
    does not import pandas.
    """

    @wraps(command)
    def tuned(*arguments: P.args, **options: P.kwargs) -> None:
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # read when Arrow is imported
        # Only now, because this imports Arrow.
        from hf_oss_instruct.storage.arrow import do_without_pandas

        do_without_pandas()
        command(*arguments, **options)

    return tuned


def typed_command(verb: str | None = None, drop: tuple[str, ...] = (), switches: tuple[str, ...] = (), **options: object) -> str:
    """The command line as typed, without API keys.

    Args:
        verb: another command to show instead, with the same arguments.
        drop: options to leave out, with their values.
        switches: options without values to leave out.
        options: option → value, instead of the one that was typed.
    """
    from hf_oss_instruct.credentials import redacted

    typed = [word for word in sys.argv[2:] if word.removeprefix("--") not in switches]
    words = [verb, *_without(typed, *drop, *options)] if verb else sys.argv[1:]
    words = [*words, *(word for name, value in options.items() for word in (f"--{name}", str(value)))]
    # Keys may be in the arguments, and this text is printed and logged.
    return redacted(shlex.join(["hf-oss-instruct", *words]))


def _without(words: list[str], *names: str) -> list[str]:
    """Arguments without some options and their values."""
    left, skip = [], False
    for word in words:
        flag, equals, _ = word.partition("=")
        if not skip and flag.removeprefix("--") not in names:
            left.append(word)
        # `--flag=value` is one word, `--flag value` is two.
        skip = not skip and flag.removeprefix("--") in names and not equals
    return left


def _exit_code(command: Callable[[], Any]) -> int:
    try:
        with interrupt_on_signals():
            return int(command() or 0)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else EXIT_FAILED if leaving.code else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except RunInterruptedError as error:
        return _interrupted(str(error))
    except (click.Abort, KeyboardInterrupt):
        return _interrupted("Interrupted.")
    except OssInstructError as error:
        return _say(f"Error: {error}", EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILED)
    except OSError as error:
        return _say(f"Error: {_unusable(error)}", EXIT_FAILED)


def _unusable(error: OSError) -> str:
    where = repr(error.filename) if error.filename is not None else "A file"
    if isinstance(error, PermissionError):
        way_out = "Change its permissions or those of its folder"
    elif error.errno in (errno.ENOSPC, errno.EDQUOT):
        way_out = "Free disk space"
    else:
        way_out = "Repair or move it"
    return f"{where} cannot be used: {error.strerror or error}. {way_out}, and run the same command again."


def _interrupted(text: str) -> int:
    # The same request may arrive once more while the process ends: `timeout` signals it and its group.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    limit_reader_wait()
    return _say(text, EXIT_INTERRUPTED)


def _say(text: str, code: int) -> int:
    click.echo(visible(text), err=True)
    return code
