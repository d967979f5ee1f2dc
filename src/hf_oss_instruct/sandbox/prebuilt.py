"""Compiler work that is the same for every program, done once per compiler version: headers, javac's own classes, harnesses.

Built from trusted source, outside of any run, and mounted read-only. Every program still gets its own compiler process, so
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
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hf_oss_instruct.cache import cache_folder
from hf_oss_instruct.toolchains import TOOLCHAINS, where

VERSION = 1  # of the prebuilt files
MAKING_S = 600.0  # seconds to build it, on a busy machine
_lock = threading.Lock()
# Comments and standard headers may precede the header: they mean the same after it, so the header can be moved first.
_EVERYTHING_FIRST = re.compile(
    r"(?:\s|//[^\n]*\n|/\*(?:(?!\*/).)*\*/|#[ \t]*include[ \t]*<[\w/.]+>[ \t]*\n)*?#[ \t]*include[ \t]*<bits/stdc\+\+\.h>",
    re.DOTALL,
)
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
        words: options to insert right after the compiler's name; `{prebuilt}` stands for the folder.
        tried: whether a failed compilation must be repeated without the prebuilt files, to rule them out as the cause.
    """

    folder: str
    words: tuple[str, ...]
    tried: bool


def prebuilt(language: str, source: str) -> Prebuilt | None:
    """Return the prebuilt files for a program, building them on first use; None if it is compiled from scratch."""
    if language not in _MADE or (language == "cpp" and not _EVERYTHING_FIRST.match(source)):
        return None
    with _lock:
        folder = _folder(language, cache_folder("prebuilt"))
    if folder is None:
        return None
    if language == "cpp":
        return Prebuilt(folder, ("-include", "{prebuilt}/everything.h"), tried=True)
    return Prebuilt(folder, ("-J-XX:SharedArchiveFile={prebuilt}/javac.jsa",), tried=False)


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
    compiler = where(compile[0])
    if compiler is None:
        return None
    state = os.stat(os.path.realpath(compiler))
    parts = [VERSION, language, os.path.realpath(compiler), state.st_size, state.st_mtime_ns, compile, source]
    path = home.resolve() / hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
    try:
        if not path.is_dir():
            _make(path, functools.partial(_classes, source) if source else _MADE[language], compiler, compile)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or error
        warnings.warn(
            f"Programs in {language} are compiled from scratch, which takes longer: {said}", RuntimeWarning, stacklevel=2
        )
        return None
    return str(path)


def _make(path: Path, make: Callable[[Path, str, tuple[str, ...]], None], compiler: str, compile: tuple[str, ...]) -> None:
    """Build a folder atomically. If another process builds the same one, either result is fine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=path.parent))
    try:
        make(made, compiler, compile)
        for file in (made, *made.iterdir()):
            file.chmod(0o755 if file.is_dir() else 0o644)  # if we are root, programs run as an ordinary user, who must read it
        with contextlib.suppress(OSError):
            made.rename(path)
        path.stat()
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _header(folder: Path, compiler: str, compile: tuple[str, ...]) -> None:
    """Precompile `<bits/stdc++.h>` with the options used for programs."""
    header = folder / "everything.h"
    header.write_text("#include <bits/stdc++.h>\n")
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
    subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=MAKING_S)


_MADE: dict[str, Callable[[Path, str, tuple[str, ...]], None]] = {"cpp": _header, "java": _archive}
