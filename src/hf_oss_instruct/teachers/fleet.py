"""A model behind several servers, and which of them a command means: URLs, models and keys."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import cycle
from urllib.parse import urlsplit

from hf_oss_instruct.data import Completion, Request
from hf_oss_instruct.errors import UsageError
from hf_oss_instruct.teachers.protocol import Server, Teacher

_OF_MODEL = re.compile(r"(?P<model>[^=]+?)=(?P<url>[a-z]+://.*)")


class FleetTeacher(Teacher):
    """A model behind several servers. Its rows do not depend on which of them answers: the identity is the model's.

    The engine sends each request to the least loaded server. Called directly, `complete` uses the servers in turn.

    Args:
        servers: the servers, at least one; their teachers have the same identity.
    """

    def __init__(self, servers: Sequence[Server]) -> None:
        self.servers = tuple(servers)
        # Unpacking a set fails unless all servers have the same identity.
        [self.identity] = {server.teacher.identity for server in self.servers}
        self._turns = cycle(self.servers)

    async def complete(self, request: Request) -> Completion:
        """See `Teacher.complete`."""
        return await next(self._turns).teacher.complete(request)

    async def close(self) -> None:
        """Close the connections to all servers."""
        for server in self.servers:
            await server.teacher.close()


def urls_for(model: str, base_urls: Sequence[str]) -> list[str]:
    """The URLs of the servers that serve a model, of those given as `URL` or `MODEL=URL`.

    Raises:
        UsageError: servers are given, and none of them for this model.
    """
    pairs = [_split_model_url(base_url) for base_url in base_urls]
    urls = [url for only, url in pairs if only in (None, model)]
    if pairs and not urls:
        others = ", ".join(sorted({str(only) for only, _ in pairs}))
        raise UsageError(f"No server is named for the model {model!r}, only for {others}. Pass --base-url {model}=URL.")
    return urls


def key_variable(url: str, base_urls: Sequence[str], variables: Sequence[str]) -> str | None:
    """The environment variable with the key of a server, of those given as `NAME` or `HOST=NAME`.

    Args:
        url: the server.
        base_urls: all servers, as given.
        variables: as given; the first that is for the server's host counts.

    Raises:
        UsageError: a variable names no host and there are several, or it names a host without a server.
    """
    urls = [_split_model_url(base_url)[1] for base_url in base_urls]
    hosts = sorted({_host(each) for each in urls})
    known = {name for each in urls for name in _names(each)}
    chosen = None
    # All are checked, also after the right one is found: a mistake in any of them should not show later.
    for variable in variables:
        host, separator, name = variable.rpartition("=")
        if not separator and len(hosts) > 1:
            raise UsageError(
                f"--api-key-env {variable} names no host, and there are several: {', '.join(hosts)}. A key goes only to the host "
                f"that it is named for: --api-key-env {hosts[0]}={variable}."
            )
        if separator and host not in known:
            raise UsageError(f"--api-key-env {variable} is for {host!r}, which no --base-url has. Hosts: {', '.join(hosts)}.")
        if not separator or host in _names(url):
            chosen = chosen or name
    return chosen


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # not a URL: reported where it is used
        return ""


def _names(url: str) -> set[str]:
    """A server's host, alone and with its port."""
    return {_host(url), urlsplit(url).netloc.rpartition("@")[2]} if _host(url) else set()


def _split_model_url(base_url: str) -> tuple[str | None, str]:
    match = _OF_MODEL.fullmatch(base_url)
    return (match["model"], match["url"]) if match and "://" not in match["model"] else (None, base_url)
