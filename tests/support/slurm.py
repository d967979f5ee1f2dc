"""A Slurm cluster on this machine: munged, slurmctld and three slurmd, each with a port or a network namespace of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .networks import Network
from .ports import free_ports

NODES = 3
NEEDED = ("munged", "slurmctld", "slurmd", "sbatch")
CONFIG = """\
ClusterName=test
SlurmctldHost={host}({address})
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,batch_sched_delay=0
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
SwitchType=switch/none
{nodes}
PartitionName=cpu Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str | None:
    """Why there can be no cluster here; None if there can."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    absent = [name for name in NEEDED if not shutil.which(name, path=path)]
    if absent:
        return f"{', '.join(absent)} not installed: apt-get install slurmctld slurmd slurm-client munge"
    return None if os.geteuid() == 0 else "slurmd needs root"


@contextmanager
def cluster(folder: Path, network: Network | None = None) -> Iterator[dict[str, str]]:
    """Start a cluster, and give the environment in which `sbatch` finds it.

    Args:
        folder: for its files.
        network: with as many nodes as the cluster, each of which runs in one; by default all on the loopback.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("state", *(f"spool-n{number}" for number in range(1, NODES + 1))):
        (folder / name).mkdir()
    ports, host = free_ports(NODES + 1), socket.gethostname()
    addresses = list(network.nodes.values()) if network else ["127.0.0.1"] * NODES
    inside = [["nsenter", f"--net=/run/netns/{node}"] for node in network.nodes] if network else [list[str]()] * NODES
    nodes = "\n".join(
        f"NodeName=n{number} NodeHostname={host} NodeAddr={address} Port={ports[number]} CPUs=1 RealMemory=8000 State=UNKNOWN"
        for number, address in enumerate(addresses, 1)
    )
    config = folder / "slurm.conf"
    config.write_text(
        CONFIG.format(folder=folder, host=host, address=network.address if network else "127.0.0.1", ports=ports, nodes=nodes)
    )
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    environment = os.environ | {"SLURM_CONF": str(config), "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin"}
    munge = ["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge.socket"]
    munge += [f"--{kind}-file={folder}/munge.{kind}" for kind in ("pid", "log", "seed")]
    slurmd = [[*words, "slurmd", "-D", "-N", f"n{number}"] for number, words in enumerate(inside, 1)]
    commands = [munge, ["slurmctld", "-D", "-c"], *slurmd]
    started: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            with (folder / f"{len(started)}-{command[0]}.out").open("wb") as output:
                started.append(subprocess.Popen(command, env=environment, stdout=output, stderr=output, cwd=folder))
            if command[0] == "munged":
                wait_for(lambda: (folder / "munge.socket").exists(), folder)
        wait_for(lambda: idle_nodes(environment) == NODES, folder)
        yield environment
        drain(environment, folder)
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def drain(environment: dict[str, str], folder: Path) -> None:
    """End all jobs: a step that is still ending when its slurmd goes stays for ever."""
    subprocess.run(["scancel", "--user=root"], env=environment, check=True)

    def ended() -> bool:
        return not subprocess.run(["squeue", "-h"], env=environment, stdout=subprocess.PIPE, check=True).stdout

    wait_for(ended, folder)


def idle_nodes(environment: dict[str, str]) -> int:
    shown = subprocess.run(
        ["sinfo", "-h", "-N", "-o", "%T"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    return shown.stdout.split().count("idle")


def wait_for(ready: object, folder: Path, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not ready():  # type: ignore[operator]
        if time.monotonic() > until:
            logs = "\n".join(
                f"--- {path.name}\n{path.read_text(errors='replace')[-1500:]}"
                for path in sorted(folder.glob("*.*"))
                if path.suffix in (".log", ".out")
            )
            raise TimeoutError(f"the cluster did not start:\n{logs}")
        time.sleep(0.2)
