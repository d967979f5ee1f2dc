"""Honest programs: what a sandbox must let them do, with the answer it must give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Control:
    """One well-behaved program and what it must come to; `use`: what a tier may say that it breaks."""

    name: str
    language: str
    source: str
    stdout: str = ""
    status: str = "ok"
    stderr: str = ""
    stdin: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    limits: Mapping[str, float] = field(default_factory=dict)
    use: str = ""


CONTROLS = (
    Control("uses-the-standard-library", "python",
        "import decimal, json, re, sqlite3\nprint(json.dumps({'a': str(decimal.Decimal(1) / 4)}), sqlite3.connect(':memory:').execute('select 1+1').fetchone())",
        '{"a": "0.25"} (2,)\n'),
    Control("reads-its-input-to-the-end", "python", "import sys\nprint(sum(map(int, sys.stdin)))", "6\n", stdin="1\n2\n3\n"),
    Control("meets-the-end-of-an-empty-input", "python", "import sys\nprint(repr(sys.stdin.read()))", "''\n"),
    Control("uses-a-pool-of-processes", "python",
        "from multiprocessing import Pool\nif __name__ == '__main__':\n    with Pool(2) as pool: print(pool.map(abs, [-1, -2]))", "[1, 2]\n"),
    Control("uses-processes-that-are-started-anew", "python",
        "import multiprocessing\nif __name__ == '__main__':\n    with multiprocessing.get_context('spawn').Pool(2) as pool: print(pool.map(abs, [-1, -2]))",
        "[1, 2]\n", use="spawned-processes"),
    Control("uses-a-pool-of-threads", "python",
        "from concurrent.futures import ThreadPoolExecutor\nprint(sorted(ThreadPoolExecutor(8).map(abs, [-1, -2])))", "[1, 2]\n"),
    Control("writes-and-reads-files", "python",
        "import tempfile\nopen('a.txt', 'w').write('x' * 1_000_000)\nwith tempfile.TemporaryFile() as f: f.write(b'y'); f.seek(0); print(len(open('a.txt').read()), f.read())",
        "1000000 b'y'\n"),
    Control("reads-a-file-it-was-given", "python", "print(open('data.txt').read())", "given\n", files={"data.txt": b"given"}),
    Control("runs-another-program", "python", "import subprocess\nprint(subprocess.run(['echo', 'hi'], capture_output=True).stdout)", "b'hi\\n'\n"),
    Control("prints-much-intact", "python", "print('é' * 20_000)", "é" * 20_000 + "\n"),
    Control("exits-with-an-error", "python", "import sys\nprint('so far')\nsys.exit(3)", "so far\n", "failed"),
    Control("raises-an-exception", "python", "1 / 0", "", "failed", stderr="ZeroDivisionError"),
    Control("uses-memory-within-its-limit", "python", "print(len(bytearray(b'x') * (100 << 20)))", f"{100 << 20}\n"),
    Control("computes-in-c", "c", '#include <math.h>\n#include <stdio.h>\nint main(void) { printf("%.3f\\n", sqrt(2)); }', "1.414\n"),
    Control("does-not-compile", "c", "int main(void) { return nothing; }", "", "compile_error"),
    Control("waits-in-javascript", "javascript", "setTimeout(() => console.log([3, 1].sort()), 10)", "[ 1, 3 ]\n"),
    Control("reads-input-in-javascript", "javascript", "console.log(require('fs').readFileSync(0, 'utf8').trim())", "hello\n", stdin="hello\n"),
    Control("pipes-in-shell", "shell", "printf '%s\\n' b a | sort | tr a-z A-Z > out && cat out", "A\nB\n"),
)  # fmt: skip
