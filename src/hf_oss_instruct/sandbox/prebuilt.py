"""Compiler work that is the same for many programs, done once per compiler version: headers, javac's own classes, harnesses.

Built from trusted source, outside any run, and mounted read-only. Every program still gets its own compiler process, so
untrusted source cannot affect the next compilation.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hf_oss_instruct.code.toolchains import TOOLCHAINS, find_executable
from hf_oss_instruct.storage.cache import cache_folder

# Part of each folder's name, so that other versions never read these files.
VERSION = 1  # of the prebuilt files
BUILD_TIMEOUT_S = 600.0  # seconds to build it, on a busy machine
_lock = threading.Lock()
_Builder = Callable[[Path, str, tuple[str, ...]], None]
# Comments and standard headers may precede the header: they mean the same after it, so the header can be moved first.
_BITS_STDCPP_FIRST = re.compile(
    r"(?:\s|//[^\n]*\n|/\*(?:(?!\*/).)*\*/|#[ \t]*include[ \t]*<[\w/.]+>[ \t]*\n)*?#[ \t]*include[ \t]*<bits/stdc\+\+\.h>",
    re.DOTALL,
)
# What a C++ program begins with: comments and standard headers. The order of standard headers does not matter.
_COMMENT = re.compile(r"//[^\n]*|/\*(?:(?!\*/).)*\*/", re.DOTALL)
_BEGINNING = re.compile(r"(?:\s|#[ \t]*include[ \t]*<[\w/.]+>[ \t]*(?:\n|\Z))*")
_HEADERS = frozenset(
    """
algorithm any array atomic bitset charconv chrono climits cmath complex cstdint cstdio cstdlib cstring ctime deque
exception fstream functional iomanip iostream iterator limits list map memory mutex numeric optional queue random regex
set sstream stack stdexcept string string_view thread tuple type_traits unordered_map unordered_set utility variant
vector
""".split()
)
HEADER_SETS = 16
"""Sets of headers that are precompiled, about 30 MB each. The first ones that two programs begin with are taken."""
_header_counts = Counter[frozenset[str]]()
_TYPICAL_JAVA = """import java.util.*;
import java.util.stream.*;
class Problem {
    static class Own<T extends Comparable<T>> { private final T it; Own(T it) { this.it = it; } T get() { return it; } }
    enum Kind { FIRST, SECOND }
    public static Map<String, List<Integer>> count(ArrayList<String> words) {
        Map<String, List<Integer>> found = new HashMap<>();
        for (int i = 0; i < words.size(); i++) found.computeIfAbsent(words.get(i).toLowerCase(), key -> new ArrayList<>()).add(i);
        StringBuilder text = new StringBuilder();
        try { text.append(String.format("%d %s", found.size(), Kind.FIRST)); } catch (RuntimeException error) { throw error; }
        Optional<Integer> most = found.values().stream().map(List::size).filter(n -> n > 1).max(Integer::compare);
        int[] numbers = IntStream.range(0, 9).map(x -> x * x).toArray();
        long sum = Arrays.stream(numbers).sum() + Math.max(1, most.orElse(0));
        while (sum > 5L) { sum /= 2; if (sum % 2 == 1) continue; switch ((int) sum) { case 3: break; default: sum--; } }
        return found;
    }
    public static void main(String[] args) {
        assert (count(new ArrayList<String>(Arrays.asList("a", "b"))).equals(new HashMap<String, List<Integer>>()));
        System.out.println(new Own<>("x").get() + Collections.max(List.of(1, 2)));
    }
}
"""


@dataclass(frozen=True, slots=True)
class Prebuilt:
    """What a compiler gets in addition to the program.

    Attributes:
        folder: folder of the prebuilt files.
        options: options to insert right after the compiler's name; `{prebuilt}` stands for the folder.
        confirm_errors: whether a failed compilation must be repeated without the prebuilt files, to rule them out as the cause.
    """

    folder: str
    options: tuple[str, ...]
    confirm_errors: bool


def prebuilt(language: str, source: str) -> Prebuilt | None:
    """Return the prebuilt files for a program, building them on first use; None if it is compiled from scratch."""
    if language not in _BUILDERS:
        return None
    if language == "cpp" and not _BITS_STDCPP_FIRST.match(source):
        return _some_headers(source)
    with _lock:
        folder = _folder(language, cache_folder("prebuilt"))
    if folder is None:
        return None
    if language == "cpp":
        return Prebuilt(folder, ("-include", "{prebuilt}/everything.h"), confirm_errors=True)
    return Prebuilt(folder, ("-J-XX:SharedArchiveFile={prebuilt}/javac.jsa",), confirm_errors=False)


def _some_headers(source: str) -> Prebuilt | None:
    """Return the largest precompiled set of the headers that a C++ program begins with.

    All sets of a compiler are in one folder, so that one fork server shows them to programs.
    """
    names = _first_headers(source)
    compile = TOOLCHAINS["cpp"].compile or ()
    if not names or (compiler := find_executable(compile[0])) is None:
        return None
    home = _path("headers", compiler, compile, cache_folder("prebuilt"))
    with _lock:
        precompiled = {frozenset(path.name.split("+")): path for path in home.glob("[!.]*/")} if home.is_dir() else {}
        # The sets come from untrusted programs: without a bound, their number would be too.
        if len(_header_counts) > 10_000:
            _header_counts.clear()
        _header_counts[names] += 1
        # The second time, not the first: most sets of headers occur only once, and each takes about 30 MB.
        if names not in precompiled and _header_counts[names] == 2 and len(precompiled) < HEADER_SETS:
            path = home / "+".join(sorted(names))
            if _build_once("cpp", path, functools.partial(_header, names=sorted(names)), compiler, compile):
                precompiled[names] = path
    # Only headers that the program includes itself: with others, a program that forgot one would compile.
    best = max((headers for headers in precompiled if headers <= names), key=len, default=None)
    if best is None:
        return None
    return Prebuilt(str(home), ("-include", f"{{prebuilt}}/{precompiled[best].name}/everything.h"), confirm_errors=True)


def _first_headers(source: str) -> frozenset[str]:
    """Return the standard headers that a C++ program includes before any other code; empty if it begins with others."""
    if "\\\n" in source or "??/" in source:  # a comment could continue past its apparent end
        return frozenset()
    begins = _BEGINNING.match(_COMMENT.sub(" ", source))
    names = frozenset(re.findall(r"<([^>]+)>", begins[0])) if begins else frozenset()
    return names & _HEADERS


def _path(kind: str, compiler: str, compile: tuple[str, ...], home: Path) -> Path:
    # Size and time change when the compiler is updated; running it for its version would cost a process each time.
    state = os.stat(os.path.realpath(compiler))
    parts = [VERSION, kind, os.path.realpath(compiler), state.st_size, state.st_mtime_ns, compile]
    return home.resolve() / hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def java_classes(source: str) -> Mapping[str, bytes]:
    """Compile trusted Java source, once per compiler version: class files by name, for the working folder of programs.

    Returns:
        Empty if they cannot be built here; then the source has to be compiled with each program.
    """
    with _lock:
        folder = _folder("java", cache_folder("prebuilt"), source)
    return _files(folder) if folder else {}


@functools.cache
def _files(folder: str) -> Mapping[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(Path(folder).glob("*.class"))}


@functools.cache
def _folder(language: str, home: Path, source: str = "") -> str | None:
    """Return the folder of a language's prebuilt files, or of a source's; None if it cannot be created."""
    compile = TOOLCHAINS[language].compile or ()
    compiler = find_executable(compile[0])
    if compiler is None:
        return None
    make = functools.partial(_classes, source) if source else _BUILDERS[language]
    return _build_once(language, _path(language + source, compiler, compile, home), make, compiler, compile)


def _build_once(language: str, path: Path, make: _Builder, compiler: str, compile: tuple[str, ...]) -> str | None:
    """Return a folder, building it if needed; None, with a warning, if it cannot be built."""
    try:
        if not path.is_dir():
            _make(path, make, compiler, compile)
    except (OSError, subprocess.SubprocessError) as error:
        output = getattr(error, "stderr", None) or error
        warnings.warn(
            f"Programs in {language} are compiled from scratch, which takes longer: {output}", RuntimeWarning, stacklevel=2
        )
        return None
    return str(path)


def _make(path: Path, make: _Builder, compiler: str, compile: tuple[str, ...]) -> None:
    """Build a folder atomically. If another process builds the same one, either result is fine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".", dir=path.parent))
    try:
        make(folder, compiler, compile)
        for file in (folder, *folder.iterdir()):
            file.chmod(0o755 if file.is_dir() else 0o644)  # if we are root, programs run as an ordinary user, who must read it
        # Fails if another process was faster; `stat` then finds its folder.
        with contextlib.suppress(OSError):
            folder.rename(path)
        path.stat()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _header(folder: Path, compiler: str, compile: tuple[str, ...], names: Sequence[str] = ("bits/stdc++.h",)) -> None:
    """Precompile standard headers with the options used for programs."""
    header = folder / "everything.h"
    header.write_text("".join(f"#include <{name}>\n" for name in names))
    # gcc ignores a precompiled header that was made for another language standard.
    options = [word for word in compile[1:] if word.startswith("-std")]
    _run([compiler, *options, "-x", "c++-header", str(header), "-o", f"{header}.gch"])


def _archive(folder: Path, compiler: str, compile: tuple[str, ...]) -> None:
    """Dump javac's loaded classes to an AppCDS archive after a typical compilation (`man java`)."""
    with tempfile.TemporaryDirectory() as work:
        source = Path(work, "Problem.java")
        source.write_text(_TYPICAL_JAVA)
        options = [word for word in compile[1:] if word.startswith(("-J", "-proc"))]
        _run([compiler, f"-J-XX:ArchiveClassesAtExit={folder}/javac.jsa", *options, "-d", work, str(source)])
    (folder / "javac.jsa").stat()  # without a base archive, Java only warns


def _classes(source: str, folder: Path, compiler: str, compile: tuple[str, ...]) -> None:
    """Compile Java source to class files."""
    with tempfile.TemporaryDirectory() as work:
        file = Path(work, "Harness.java")
        file.write_text(source, "utf-8")
        _run([compiler, *compile[1:-3], "-d", str(folder), str(file)])


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=BUILD_TIMEOUT_S)


_BUILDERS: dict[str, _Builder] = {"cpp": _header, "java": _archive}
