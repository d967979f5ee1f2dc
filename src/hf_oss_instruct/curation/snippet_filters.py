"""Is a seed snippet fit to be shown to a teacher: no secret, no address of a person, no boilerplate.

Held: keys and tokens in the forms of the services that `detect-secrets` knows, private keys, passwords in addresses, values
assigned to names such as `password`, e-mail addresses outside the domains that are reserved for examples.
Not held: a random string under a name that says nothing, names and telephone numbers of people.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detect_secrets.plugins.base import BasePlugin

DETECTORS = (
    ("artifactory", "ArtifactoryDetector"),
    ("aws", "AWSKeyDetector"),
    ("azure_storage_key", "AzureStorageKeyDetector"),
    ("basic_auth", "BasicAuthDetector"),
    ("discord", "DiscordBotTokenDetector"),
    ("github_token", "GitHubTokenDetector"),
    ("gitlab_token", "GitLabTokenDetector"),
    ("jwt", "JwtTokenDetector"),
    ("keyword", "KeywordDetector"),
    ("mailchimp", "MailchimpDetector"),
    ("npm", "NpmDetector"),
    ("openai", "OpenAIDetector"),
    ("private_key", "PrivateKeyDetector"),
    ("pypi_token", "PypiTokenDetector"),
    ("sendgrid", "SendGridDetector"),
    ("slack", "SlackDetector"),
    ("square_oauth", "SquareOAuthDetector"),
    ("stripe", "StripeDetector"),
    ("telegram_token", "TelegramBotTokenDetector"),
    ("twilio", "TwilioKeyDetector"),
)
"""Module and class in `detect_secrets.plugins`. Entropy alone is left out: of real code it takes every checksum for a secret."""
HINT = re.compile(
    r"(?i:(api|auth|service|account|db|database|priv|private|client)_?key|(db|database|key)_?pass|password|passwd|pwd|secret|"
    r"contrase[nñ]a|aws|://[^\s]+:[^\s]+@|_authToken|xox[abposr]-|hooks\.slack)|"
    r"AKC[a-zA-Z0-9]{10}|AP[\dA-F][a-zA-Z0-9]{8}|A3T|ABIA|ACCA|AKIA|ASIA|[MNO][\w-]{23,25}\.|gh[opusr]_|gl[a-z]{2,6}-|GR1348941|eyJ|"
    r"[0-9a-z]{32}-us\d|sk-|PRIVATE|PuTTY|pypi-Ag|SG\.|sq0csp|k_live_|\d{8}:|[AS][CK][a-z0-9]{32}"
)
"""Matches in everything that a detector finds. Few snippets match, and the library takes long to import."""
# detect-secrets 1.5 has no detector for these.
HUGGING_FACE_TOKEN = re.compile(r"\bhf_[A-Za-z]{34}\b")
# Neither `git@github.com`, which is in every clone command, nor `a@b.dot(c)`, a product of matrices.
ADDRESS = re.compile(r"(?<![\w.+-])(?!git@)[\w.+-]+@((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24})(?![\w(.-])")
EXAMPLE_DOMAIN = re.compile(r"(?i)(.*\.)?(example\.(com|org|net)|example|test|invalid|localhost|local)")
"""RFC 2606 and 6762: reserved domains, which are not real addresses."""

LICENCE = re.compile(
    r"(?i)copyright|all rights reserved|licensed under|spdx-license|permission is hereby granted|"
    r"redistribution and use in source|without warrant|warranties|"
    r"(this|the) (software|program|library|file) is (free|provided|distributed|part of)|"
    r"general public license|apache\.org/licenses|merchantability|in no event shall|the above copyright notice|gnu\.org/licenses"
)
# In other languages `#` begins directives and attributes.
HASH_COMMENTS = frozenset("python shell ruby perl r julia elixir tcl php".split())
COMMENT = re.compile(r"//|/\*|\*|--\s|<!--|;;|%|\"\"\"|'''")
IMPORT = re.compile(
    r"import\b|from\s+[\w.]+\s+import\b|from\s+['\"]|#\s*(include|import|pragma once)\b|using\s+[\w.:]|(pub\s+)?use\s+[\w:\\{]|"
    r"package\s+\w|(require|include)(_once|_relative)?[\s(]|extern\s+crate\b|(pub\s+)?mod\s+\w+;|export\s*[*{].*\bfrom\b|"
    r"(const|let|var)\s[^=]*=\s*(await\s+)?(require|import)\(|library\(|<\?php$|namespace\s+[\w\\.]+;|['\"]use strict['\"];?$"
)
LISTED = re.compile(
    r"[\w.*$]+(\s+as\s+\w+)?\s*,?\s*\\?|[\s(){}\[\],;]*|[\w\s,$]*\}\s*from\s+.*|[\w$*.]+(\s*,\s*[\w$*.]+)+,?\)?;?"
)
"""A line within an import over several lines: names with commas, brackets, `} from "…"`."""
LITERAL = re.compile(
    r"[rbuL]*\"(?:\\.|[^\"\\])*\"|[rbu]*'(?:\\.|[^'\\])*'|-?\b(?:0[xX][0-9a-fA-F]+|\d[\d_.]*(?:[eE][+-]?\d+)?)[uUlLfF]*\b"
)
CONSTANT = re.compile(r"\b(True|False|None|true|false|null|nil|NULL|nullptr)\b")
DATA_TABLE_SHARE, DATA_TABLE_LINES = 0.8, 3
"""A data table: at least this share of the lines, and this many, hold nothing but values."""


def secret(text: str, lang: str) -> str | None:
    """`secret` or `email_address`, if the snippet contains one."""
    del lang
    if _holds_secret(text):
        return "secret"
    return "email_address" if any(not EXAMPLE_DOMAIN.fullmatch(match[1]) for match in ADDRESS.finditer(text)) else None


@lru_cache(maxsize=2**14)
def _holds_secret(text: str) -> bool:
    if HUGGING_FACE_TOKEN.search(text):
        return True
    if not HINT.search(text):
        return False
    lines = [line for line in text.split("\n") if HINT.search(line)]
    return any(next(iter(detector.analyze_string(line)), None) for line in lines for detector in _detectors())


@cache
def _detectors() -> tuple[BasePlugin, ...]:
    return tuple(getattr(import_module(f"detect_secrets.plugins.{module}"), name)() for module, name in DETECTORS)


def boilerplate(text: str, lang: str) -> str | None:
    """`license_header`, `imports_only` or `data_table`, if the snippet is nothing else."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    code = [line for line in lines if not _is_comment(line, lang)]
    imports = sum(bool(IMPORT.match(line)) for line in code)
    # Beside code, one line that mentions a license is not a header.
    if sum(bool(LICENCE.search(line)) for line in lines) >= (1 if len(code) == imports else DATA_TABLE_LINES):
        return "license_header"
    if imports and all(IMPORT.match(line) or LISTED.fullmatch(line) for line in code):
        return "imports_only"
    # Lines of brackets say nothing about a table.
    code = [line for line in code if re.search(r"\w", line)]
    values = sum(map(_is_value, code))
    return "data_table" if values >= max(DATA_TABLE_LINES, DATA_TABLE_SHARE * len(code)) else None


def _is_comment(line: str, lang: str) -> bool:
    return bool(COMMENT.match(line)) or (lang in HASH_COMMENTS and line.startswith("#"))


def _is_value(line: str) -> bool:
    """Whether a line contains only literals and marks."""
    rest, literals = LITERAL.subn("", line[:1000])
    rest, constants = CONSTANT.subn("", rest)
    return literals + constants > 0 and not re.search(r"[^\W\d_]", rest)


SNIPPET_FILTERS: Mapping[str, Callable[[str, str], str | None]] = {"secrets": secret, "boilerplate": boilerplate}
"""Name of each filter → snippet and language → the reason to refuse it, or None."""
