"""What keeps a row from being verified here without saying that it is wrong: modules, network, screens, frames, toolchains."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hf_oss_instruct.evaluation.preflight import why_unavailable
from hf_oss_instruct.sandbox.inside.frame_guard import REFUSED
from hf_oss_instruct.verification.runs import SuiteResult
from hf_oss_instruct.verification.suites.core import MAX_SOLUTION_CHARS, SuiteRefusedError
from hf_oss_instruct.verification.suites.python_names import third_party

# Messages of the languages' libraries where there is no network.
_NETWORK = re.compile(
    r"Temporary failure in name resolution|Name or service not known|Network is unreachable|getaddrinfo|EAI_AGAIN|ENOTFOUND|"
    r"ENETUNREACH|UnknownHostException|no such host|dial (tcp|udp)|php_network_getaddresses|NameResolutionError|"
    r"SocketError|Could not resolve host|URLError|fetch failed|NetworkError|ConnectException|"
    r"NameResolutionFailure|No such host is known|failed to lookup address"
)
_SCREEN = re.compile(
    r"no display name|couldn't connect to display|HeadlessException|cannot open display|TclError|no \$DISPLAY|libtk|_tkinter|"
    r"document is not defined|window is not defined"
)
_MODULES = {
    "python": re.compile(r"(?:ModuleNotFoundError|ImportError): No module named '([\w.]+)'"),
    "javascript": re.compile(r"Cannot find (?:module|package) '([^./'][^']*)'"),
    "typescript": re.compile(r"Cannot find (?:module|package) '([^./'][^']*)'"),
    "java": re.compile(r"package ([\w.]+) does not exist"),
    "cpp": re.compile(r"fatal error: ([\w./+-]+): No such file"),
    "c": re.compile(r"fatal error: ([\w./+-]+): No such file"),
    "go": re.compile(r'cannot find package "([\w./-]+)"|package ([\w./-]+) is not in'),
    "rust": re.compile(
        r"(?:unresolved import|can't find crate for|use of undeclared crate or module|unresolved module or unlinked crate) `(\w+)"
    ),
    "ruby": re.compile(r"cannot load such file -- ([\w/.-]+)"),
    "csharp": re.compile(r"type or namespace name `([\w.]+)' (?:could not be found|does not exist)"),
    "php": re.compile(r"Failed opening required '([^']+)'"),
    "perl": re.compile(r"Can't locate ([\w/]+\.pm)"),
}


def before_run(solutions: Sequence[str], language: str, tier: str | None, packages: tuple[str, ...] = ()) -> None:
    """Check that programs of a language can be run here.

    Args:
        solutions: programs; it is enough if one of them can be run.
        language: as in `languages.LANGUAGES`.
        tier: as of `run_program`.
        packages: folders of Python packages that they may import.

    Raises:
        SuiteRefusedError: there is no toolchain, or every solution needs a module that is not installed.
    """
    if reason := why_unavailable(language, tier):
        raise SuiteRefusedError("not_verifiable", reason, "toolchain")
    if language == "python" and solutions:
        missing_packages = [
            third_party(solution, packages) if len(solution) <= MAX_SOLUTION_CHARS else [] for solution in solutions
        ]
        if all(missing_packages):
            raise SuiteRefusedError(
                "not_verifiable", f"the solution imports {missing_packages[0][0]!r}, which is not installed here", "third_party"
            )


def after_run(ran: SuiteResult, language: str) -> SuiteRefusedError | None:
    """Why a run that failed says nothing about the program; None if it does."""
    if all(ran.passed):
        return None
    messages = "\n".join(
        [ran.load_error, ran.stderr, *(outcome.detail for outcome in ran.outcomes if outcome and not outcome.passed)]
    )
    if (module := _MODULES.get(language)) and (match := module.search(messages)):
        name = next(filter(None, match.groups()), "")
        return SuiteRefusedError("not_verifiable", f"it needs {name!r}, which is not installed here", "third_party")
    if REFUSED in messages:
        return SuiteRefusedError(
            "not_verifiable",
            "it looks at stack frames or at all objects of its process, where its tests keep what they expect",
            "introspection",
        )
    if _NETWORK.search(messages):
        return SuiteRefusedError("not_verifiable", "it needs the network, which programs here do not have", "network")
    if _SCREEN.search(messages):
        return SuiteRefusedError("not_verifiable", "it needs a screen or a browser, which programs here do not have", "gui")
    return None
