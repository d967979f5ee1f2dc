"""Decide which API key may be sent to which host, by one rule for all commands, the builder and Python functions.

A Hugging Face token goes to Hugging Face over https and nowhere else, whatever variable, argument or URL it is in. Every
other key goes to the server it was given for.
"""

from __future__ import annotations

import os
import re
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from hf_oss_instruct.errors import UsageError

HF_TOKEN_NAMES = frozenset(
    {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_TOKEN", "HUGGINGFACE_API_KEY", "HUGGINGFACEHUB_API_TOKEN"}
)
"""Environment variables in which tools expect the Hugging Face token."""
HF_TOKEN_PREFIXES = ("hf_", "api_org_")
"""Prefixes of user and organization tokens of the Hub."""
MIN_TOKEN_CHARS = 8
"""Characters of any token. A path such as `/v1` is too short for one: nothing has to be imported to know that."""
_TOKEN = re.compile(r"(?<![A-Za-z0-9])(?:hf_|api_org_)[A-Za-z0-9]{30,}")
_SECRET_NAME = re.compile(
    r"(^|[_-])(api|access|secret|private|auth|subscription)?[_-]?(keys?|password|secret|credentials?|signature|sig)$|token$"
)
_SECRET_NAMES = frozenset({"authorization", "apikey", "passwd", "pwd"})


def key_from(variable: str | None, base_url: str | None) -> str | None:
    """The API key in an environment variable.

    Args:
        variable: name of the variable; None for no key.
        base_url: the server that it is for; None for Hugging Face's own services.

    Raises:
        UsageError: the variable is not set, or it holds the Hugging Face token and the server is not Hugging Face's.
    """
    if variable is None:
        return None
    if variable in HF_TOKEN_NAMES and base_url is not None and not is_hugging_face(base_url):
        raise _wrong_host_error(variable, base_url)
    key = os.environ.get(variable)
    if not key:
        raise UsageError(f"The environment variable {variable!r} is not set. Export it, or leave out --api-key-env.")
    check_key(key, base_url, variable)
    return key


def check_key(key: str | None, base_url: str | None, name: str = "This key") -> None:
    """Check that a key may be sent to a server, and can be.

    Args:
        key: the key; None for none.
        base_url: the server; user name, password, path and query in it count as keys. None for Hugging Face's own services.
        name: where the key comes from, for the error.

    Raises:
        UsageError: it is a Hugging Face token and the server is not Hugging Face's, or no HTTP header can carry it.
    """
    if not (key or "x").isascii() or not (key or "x").isprintable():
        raise UsageError(
            "The API key contains characters that are not allowed in an HTTP header. Copy it again, without line breaks."
        )
    if base_url is None or is_hugging_face(base_url):
        return
    if key and is_hugging_face_token(key):
        raise _wrong_host_error(name, base_url)
    try:
        parts = urlsplit(base_url)
    except ValueError:
        return  # not a URL: reported where it is used
    # Servers decode percent-encoding, so an encoded token is a token.
    words = [unquote(word) for word in (parts.username, parts.password) if word]
    if any(map(is_hugging_face_token, words)) or holds_hugging_face_token(unquote(parts.path + " " + parts.query)):
        raise _wrong_host_error("The key in --base-url", base_url)


def is_hugging_face_token(key: str) -> bool:
    """Whether a key looks like a Hugging Face token, or is the one that this user is logged in with."""
    # As people copy it: in quotes, or with the header's first word.
    key = key.strip().strip("'\"").removeprefix("Bearer ").strip()
    if key.startswith(HF_TOKEN_PREFIXES):
        return True
    # Imported only for keys that do not show what they are.
    from huggingface_hub import get_token

    return key == get_token() or key in (os.environ.get(name) for name in HF_TOKEN_NAMES)


def holds_hugging_face_token(text: str) -> bool:
    """Whether a text that is not a key contains a Hugging Face token. There, `hf_` alone may begin any name."""
    if len(text) < MIN_TOKEN_CHARS:
        return False
    own = (os.environ.get(name) for name in HF_TOKEN_NAMES)
    return _TOKEN.search(text) is not None or any(token and token in text for token in (hugging_face_token(), *own))


def hugging_face_token() -> str | None:
    """The token that this user is logged in with."""
    from huggingface_hub import get_token

    return get_token()


def is_hugging_face(url: str) -> bool:
    """Whether a URL is Hugging Face's own and encrypted, so that the Hugging Face token may go there."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    # With the dot, since `nothuggingface.co` is somebody else's.
    own = host == "huggingface.co" or host.endswith((".huggingface.co", ".endpoints.huggingface.cloud"))
    return parts.scheme == "https" and own


def check_hub(endpoint: str) -> None:
    """Check that the token may go to the Hub that this user has named, as `HF_ENDPOINT` does for every tool.

    Raises:
        UsageError: it would travel unencrypted to another machine.
    """
    parts = urlsplit(endpoint)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        if not endpoint:
            raise UsageError("HF_ENDPOINT is empty. Unset it, or set it to the URL of a Hub.")
        raise UsageError(
            f"The Hub {redacted(endpoint)!r} is not encrypted and would receive your token. Use https in HF_ENDPOINT."
        )


def is_loopback(host: str) -> bool:
    """Whether a host is the local machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_secret_name(name: str) -> bool:
    """Whether a field or query parameter of this name holds a secret (`api_key`, `access_token`, …)."""
    name = name.lower()
    return name in _SECRET_NAMES or _SECRET_NAME.search(name) is not None


def redacted(text: str) -> str:
    """A URL, or a text with URLs, without user names, passwords and keys."""
    text = re.sub(r"//[^/@\s]*@", "//***@", text)
    return re.sub(r"([?&])([^=&\s#]+)=([^&\s#'\"]+)", _without_secret, text)


def _without_secret(match: re.Match[str]) -> str:
    return f"{match[1]}{match[2]}=***" if is_secret_name(match[2]) else match[0]


def _wrong_host_error(name: str, base_url: str) -> UsageError:
    host = urlsplit(base_url).hostname
    reason = f"{name} is for Hugging Face" if name in HF_TOKEN_NAMES else f"{name} is a Hugging Face token"
    return UsageError(f"{reason} and is never sent to {host!r}. Pass the variable with that server's own key in --api-key-env.")
