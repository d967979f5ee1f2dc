"""The command `reward-server`."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import click

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.rewards.options import MIN_MEMORY_MIB, PREFIX, RewardOptions
from hf_oss_instruct.terminal.flags import unsafe_option
from hf_oss_instruct.terminal.signals import EXIT_INTERRUPTED, defer_signals

TOKEN_VARIABLE = f"{PREFIX}TOKEN"
DEFAULTS = RewardOptions()


@click.command("reward-server", short_help="Serve the code reward over HTTP.")
@click.option("--port", type=click.IntRange(0, 65535), required=True, help="Port to listen on; 0 for any free one.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on. Addresses other than loopback require a token."
)
@click.option("--token-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="File with the bearer token that clients must send. Default: the environment variable "
              f"{TOKEN_VARIABLE}.")  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(1), help="Number of programs that run at the same time. Default: the number of CPUs."
)
@click.option("--queue", type=click.IntRange(1), default=4096, show_default=True,
              help="Maximum number of completions queued or running; beyond it, clients get HTTP 429 and retry.")  # fmt: skip
@click.option("--cpu-s", type=click.FloatRange(0, min_open=True), default=DEFAULTS.cpu_s, show_default=True,
              help="Maximum CPU time of a completion, over all of its tests, in seconds.")  # fmt: skip
@click.option("--wall-s", type=click.FloatRange(0, min_open=True), default=DEFAULTS.wall_s, show_default=True,
              help="Maximum wall time of a completion, over all of its tests, in seconds.")  # fmt: skip
@click.option("--memory-mib", type=click.IntRange(MIN_MEMORY_MIB), default=DEFAULTS.memory_mib, show_default=True,
              help="Maximum memory of a program, in MiB.")  # fmt: skip
@click.option("--body-mib", type=click.IntRange(1), default=256, show_default=True,
              help="Maximum size of a request, in MiB.")  # fmt: skip
@unsafe_option
def reward_server(
    port: int,
    host: str,
    token_file: Path | None,
    workers: int | None,
    queue: int,
    cpu_s: float,
    wall_s: float,
    memory_mib: int,
    body_mib: int,
    tier: str | None,
) -> None:
    """Score completions for trainers on other machines: a code reward over HTTP.

    \b
    On the machine with CPUs:   hf-oss-instruct reward-server --port 8080
    On the trainer's machine:   ssh -N -L 8080:127.0.0.1:8080 CPUS &
                                export HF_OSS_INSTRUCT_REWARD_URL=http://127.0.0.1:8080
                                trl grpo --reward_funcs hf_oss_instruct.rewards.code_reward …

    Programs run in the sandbox. GET /health says whether it works, GET /metrics has counters for Prometheus. On addresses other
    than loopback, clients must send a bearer token. It travels unencrypted, so use a proxy with TLS on an open network. Ctrl-C
    and SIGTERM let running requests finish first.
    """
    from hf_oss_instruct.credentials import is_loopback
    from hf_oss_instruct.rewards.serving.server import RewardServer, serve

    token = token_file.read_text("utf-8").strip() if token_file else os.environ.get(TOKEN_VARIABLE, "")
    if not is_loopback(host) and not token:
        raise UsageError(
            f"Anyone who reaches {host} could run programs here. Set a token in {TOKEN_VARIABLE} or --token-file, or "
            "listen on 127.0.0.1."
        )
    options = RewardOptions(cpu_s=cpu_s, wall_s=wall_s, memory_mib=memory_mib, workers=workers or 0, token=token, tier=tier or "")
    server = RewardServer(options, queue, body_mib << 20)

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        with defer_signals() as request:
            # The signal handler must not touch the event loop itself.
            request.call(lambda: loop.call_soon_threadsafe(stop.set))
            try:
                await serve(server, host, port, stop, lambda url: click.echo(f"Reward server on {url} (Ctrl-C to stop)"))
            except OSError as error:
                raise UsageError(f"{host}:{port} cannot be used: {error.strerror}. Choose another --port.") from None

    asyncio.run(run())
    sys.exit(EXIT_INTERRUPTED)
