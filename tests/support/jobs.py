"""Hugging Face Jobs in tests: a Hub that starts the commands of `run_uv_job`, each as a process with an empty home of its own."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .hub import DATE, LocalHub, Refused, Response
from .teacher import Exchange
from .warm import BASE, COMMAND, Running

JOBS = "/api/jobs/me"


class JobsHub(LocalHub):
    """A Hub with Jobs. What `uv run --with` would install is taken from this environment, since tests have no network.

    Args:
        folder: where each Job has its home.

    Attributes:
        jobs: id → what the client asked for, secrets included.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder, self.jobs = folder, dict[str, dict[str, Any]]()
        self._processes: dict[str, Running] = {}
        self._ids = (f"job{number}" for number in itertools.count())

    def lose(self, **labels: str) -> None:
        """Kill the Jobs with these labels, as a machine that is gone."""
        for name, asked in self.jobs.items():
            if labels.items() <= asked["labels"].items():
                self._processes[name].kill()

    def log(self, name: str) -> str:
        """What a Job printed."""
        return (self.folder / name / "log").read_text()

    def close_jobs(self) -> None:
        for process in self._processes.values():
            process.kill()

    def _answer(self, exchange: Exchange) -> Response:
        url = urlsplit(exchange.path)
        if url.path == JOBS and exchange.command == "POST":
            return 200, {}, json.dumps(self._info(self._start(json.loads(exchange.body)))).encode()
        if url.path == JOBS:
            wanted = dict(label.split("=", 1) for label in parse_qs(url.query).get("label", []))
            found = [name for name, asked in self.jobs.items() if wanted.items() <= asked["labels"].items()]
            return 200, {}, json.dumps([self._info(name) for name in found]).encode()
        if url.path.startswith(f"{JOBS}/"):
            name = url.path.rpartition("/")[2]
            if name not in self.jobs:
                raise Refused(404, "", "Job not found")
            return 200, {}, json.dumps(self._info(name)).encode()
        return super()._answer(exchange)

    def _start(self, asked: dict[str, Any]) -> str:
        name, command = next(self._ids), asked["command"]
        words = command[2:]
        while words and words[0] in ("--with", "--python"):
            words = words[2:]
        if command[:2] != ["uv", "run"] or words[:1] != ["hf-oss-instruct"]:
            raise Refused(400, "", f"this Hub runs only hf-oss-instruct with uv, not {command}")
        home = self.folder / name
        home.mkdir(parents=True)
        own = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home)} | self.environment(home / "hf")
        environment = own | asked["environment"] | asked.get("secrets", {})
        with (home / "log").open("wb") as log:
            self._processes[name] = BASE.start([COMMAND, *words[1:]], env=environment, cwd=home, stdout=log, stderr=log)
        self.jobs[name] = asked
        return name

    def _info(self, name: str) -> dict[str, Any]:
        code = self._processes[name].poll()
        stage = "RUNNING" if code is None else "COMPLETED" if code == 0 else "ERROR"
        shown = {key: value for key, value in self.jobs[name].items() if key not in ("secrets",)}
        owner = {"id": "1", "name": "me", "type": "user"}
        return shown | {"id": name, "createdAt": DATE, "owner": owner, "status": {"stage": stage, "message": None}}
