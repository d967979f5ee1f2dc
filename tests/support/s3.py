"""An S3 store on this machine: moto's server, which speaks S3 over HTTP."""

from __future__ import annotations

import http.client
import logging
from importlib.util import find_spec
from typing import Any, Self

import pytest

INSTALL = "pip install 'moto[s3]' flask flask-cors s3fs"
BUCKET = "runs"
KEY, SECRET = "AKIASESAME", "open-sesame-4711"


def require() -> None:
    """Skip a test, or the module that calls this, if the server is not installed."""
    for name in ("moto", "flask", "flask_cors", "s3fs"):
        if not find_spec(name):  # they take seconds to import
            pytest.skip(f"{name} is not installed: {INSTALL}", allow_module_level=True)


class S3Server:
    """A server with one empty bucket, which keeps its objects while it is stopped.

    Attributes:
        url: its endpoint, the same after every start.
    """

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
        self._port, self._server = 0, None
        self.start()
        self.url = f"http://127.0.0.1:{self._port}"
        self._ask("POST", "/moto-api/reset")
        self._ask("PUT", f"/{BUCKET}")

    def start(self) -> None:
        from moto.moto_server.threaded_moto_server import ThreadedMotoServer

        self._server: Any = ThreadedMotoServer("127.0.0.1", self._port, verbose=False)
        self._server.start()
        self._port = self._server.get_host_and_port()[1]

    def stop(self) -> None:
        self._server.stop()

    def check_keys(self, wanted: bool) -> None:
        """From now on, refuse keys that it has not given out, which are all."""
        self._ask("POST", "/moto-api/reset-auth", b"0" if wanted else b"inf")

    def environment(self) -> dict[str, str]:
        """Variables with which a client finds it."""
        return {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
        }

    def _ask(self, method: str, path: str, body: bytes = b"") -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        connection.request(method, path, body)
        assert connection.getresponse().status == 200
        connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.check_keys(False)
        self.stop()
