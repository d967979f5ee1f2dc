"""Serve the page with the row browser: on this machine only, read-only, with rows read on demand."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.reporting.charts import figures
from hf_oss_instruct.reporting.lookup import RowLookup
from hf_oss_instruct.reporting.measures.measure import outline
from hf_oss_instruct.reporting.page.chunks import encoded
from hf_oss_instruct.reporting.page.facets import FACETS
from hf_oss_instruct.reporting.page.html import page
from hf_oss_instruct.reporting.rows import ReportRows, open_rows
from hf_oss_instruct.structured import read_object
from hf_oss_instruct.terminal.display import error_message

LOOPBACK = "127.0.0.1"
MAX_ROWS = 200
"""Rows that one answer lists."""
MAX_PATH_CHARS = 8192


class ReportServer(ThreadingHTTPServer):
    """A server of one dataset, bound to the loopback interface.

    Args:
        rows: the dataset.
        port: 0 for a free one.
        numbers: the numbers of its report, for the charts; counts only without them.
    """

    # A connection that a browser keeps open must not keep the process alive.
    daemon_threads = True
    _answering = False

    def __init__(self, rows: ReportRows, port: int, numbers: dict[str, Any] | None = None) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.lookup = RowLookup(rows)
        sets = {rows.name: numbers or outline(rows)}
        config = {"problem": rows.problem, "solution": rows.solution, "served": True}
        try:
            self.page = page(sets, figures.figures(sets) if numbers else [], browser=config).encode()
        # `report.json` may be edited, or of another version.
        except (AttributeError, IndexError, LookupError, TypeError, ValueError) as error:
            super().server_close()
            raise UsageError(
                f"The numbers of the report of {rows.name} cannot be shown ({type(error).__name__}: {error_message(error)}). "
                "Make the report again, or delete its report.json."
            ) from error
        self.hosts = {f"{name}:{self.server_port}" for name in (LOOPBACK, "localhost")}

    @property
    def address(self) -> str:
        """Where a browser on this machine finds it."""
        return f"http://{LOOPBACK}:{self.server_port}/"

    def start(self) -> threading.Thread:
        """Answer requests in a thread, which ends with the server."""
        # Closing waits until the next poll: 0.1 s instead of the default of 0.5.
        thread = threading.Thread(target=self.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        self._answering = True
        return thread

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing for a browser that went away; what else failed is printed as usual."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        """Stop answering and close the port."""
        if self._answering:  # the base class also closes a server whose port is taken
            self.shutdown()
        super().server_close()

    def answer(self, path: str, asked: dict[str, str]) -> Any:
        """The JSON value for a question of the browser; None for a path that does not exist.

        Raises:
            ValueError: an argument is not a number.
        """
        if path == "/api/facets":
            return self.lookup.facets()
        if path == "/api/values":
            return self.lookup.values(asked.get("name", ""))
        if path == "/api/row":
            return self.lookup.row(asked.get("key", "")) or {"key": "", "row": {}}
        if path == "/api/rows":
            names = {"table", *(facet.name for facet in FACETS)}
            chosen = {name: value for name, value in asked.items() if name in names and value}
            offset, limit = int(asked.get("offset", 0)), min(int(asked.get("limit", MAX_ROWS)), MAX_ROWS)
            return self.lookup.find(asked.get("text", ""), chosen, max(offset, 0), max(limit, 0))
        return None


class _Handler(BaseHTTPRequestHandler):
    server: ReportServer
    # Seconds of silence after which a connection is closed, so that it does not hold its thread for ever.
    timeout = 30

    def do_GET(self) -> None:
        """Answer a request whose Host header is ours: no other site can read the rows by pointing its own host name here."""
        if self.headers.get("Host") not in self.server.hosts or len(self.path) > MAX_PATH_CHARS:
            return self._send(403, b"This server answers its own page only.", "text/plain; charset=utf-8")
        try:
            parts = urlsplit(self.path)
            if parts.path == "/":
                return self._send(200, self.server.page, "text/html; charset=utf-8")
            answer = self.server.answer(parts.path, dict(parse_qsl(parts.query)))
        except ValueError:
            return self._send(400, b"An argument is not a number, or the address is not valid.", "text/plain; charset=utf-8")
        if answer is None:
            return self._send(404, b"There is nothing here.", "text/plain; charset=utf-8")
        return self._send(200, encoded(answer), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        # No copy of the rows in caches, and no other site may frame the page or load its answers as scripts.
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing for each request."""


def serve(source: str, columns: Sequence[str] | None, port: int, announce: Callable[[str], None]) -> None:
    """Serve a dataset until a signal ends the process.

    Args:
        source: as in `open_rows`. Its charts are those of `SOURCE/report/report.json`, if there is one.
        columns: names of the columns with problem and solution.
        port: 0 for a free one.
        announce: is called with the address.

    Raises:
        UsageError: the port is taken, or `report.json` is not a report.
    """
    rows = open_rows(source, columns)
    try:
        server = ReportServer(rows, port, _numbers(Path(source) / "report" / "report.json"))
    except OSError as error:
        raise UsageError(f"Port {port} cannot be used: {error.strerror}. Pass another --port; 0 chooses a free one.") from error
    with server:
        thread = server.start()
        announce(server.address)
        thread.join()


def _numbers(path: Path) -> dict[str, Any] | None:
    try:
        return read_object(path, {"format_version": int, "funnel": dict, "composition": dict})
    except ValueError:
        return None
