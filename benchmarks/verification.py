"""What verification costs: processor seconds of everything that is started, the sandbox and its forks included.

python benchmarks/verification.py rows            a row of Python, and suites beside `python -m pytest` in a subprocess for each
python benchmarks/verification.py matrix          a solution of a matrix with 100 tests
python benchmarks/verification.py command         a row of `synthesize --verify` and of `verify DIR`, the whole command
python benchmarks/verification.py compiled        a row of C++, Java, Rust and Go, as compilations of its solution
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cpu_meter import meter

from hf_oss_instruct.sandbox.run import run_program
from hf_oss_instruct.verification.running import run_solution, run_solutions
from hf_oss_instruct.verification.suites import read_suite
from hf_oss_instruct.verification.verify import RowToVerify, VerificationOptions, verify_rows

SOLUTION = '''
def clamp_{0}(x, low=0, high={0}):
    """Row {0}."""
    if low > high:
        raise ValueError("low > high")
    if x < low:
        return low
    if x > high:
        return high
    return x * 1
'''

COMPILED = {
    "cpp": (
        "#include <bits/stdc++.h>\nint clampTo(int x, int low, int high) {\n"
        "  if (x < low) return low;\n  if (x > high) return high;\n"
        "  return x * 1;\n}\n",
        "int main() { return clampTo(0, 0, 1); }\n",
        "#include <cassert>\nint main() {\n  assert(clampTo(11, 0, 10) == 10);\n  assert(clampTo(-1, 0, 10) == 0);\n"
        "  assert(clampTo(10, 0, 10) == 10);\n  assert(clampTo(4, 0, 10) == 4);\n}\n",
    ),
    "java": (
        "class Numbers {\n  static int clamp(int x, int low, int high) {\n    if (x < low) return low;\n"
        "    if (x > high) return high;\n    return x * 1;\n  }\n}\n",
        "public class Main { public static void main(String[] given) { Numbers.clamp(0, 0, 1); } }\n",
        "class T {\n  @Test\n  void high() { assertEquals(10, Numbers.clamp(11, 0, 10)); }\n  @Test\n"
        "  void low() { assertEquals(0, Numbers.clamp(-1, 0, 10)); }\n  @Test\n"
        "  void inside() { assertEquals(4, Numbers.clamp(4, 0, 10)); }\n}\n",
    ),
    "rust": (
        "pub fn clamp(x: i32, low: i32, high: i32) -> i32 {\n    if x < low {\n        return low;\n    }\n    if x > high {\n"
        "        return high;\n    }\n    x * 1\n}\n",
        "fn main() {\n    clamp(0, 0, 1);\n}\n",
        "fn main() {\n    assert_eq!(clamp(11, 0, 10), 10);\n    assert_eq!(clamp(-1, 0, 10), 0);\n"
        "    assert_eq!(clamp(4, 0, 10), 4);\n}\n",
    ),
    "go": (
        "package main\n\nfunc Clamp(x, low, high int) int {\n\tif x < low {\n\t\treturn low\n\t}\n\tif x > high {\n"
        "\t\treturn high\n\t}\n\treturn x * 1\n}\n",
        "func main() { Clamp(0, 0, 1) }\n",
        'package main\n\nimport "testing"\n\nfunc TestClamp(t *testing.T) {\n\tif Clamp(11, 0, 10) != 10 {\n'
        "\t\tt.Fail()\n\t}\n\tif Clamp(-1, 0, 10) != 0 {\n\t\tt.Fail()\n\t}\n\tif Clamp(4, 0, 10) != 4 {\n\t\tt.Fail()\n\t}\n}\n",
    ),
}
"""Language → a solution, a `main` with which it is compiled alone, its tests."""


def suite_of(number: int, count: int) -> tuple[str, str]:
    """A row and its tests."""
    tests = [f"def test_{at}():\n    assert clamp_{number}({at - 2}) == {min(max(at - 2, 0), number)}\n" for at in range(count)]
    return SOLUTION.format(number), f"from solution import clamp_{number}\n\n" + "\n".join(tests)


def rows(count: int = 40) -> None:
    """A row with 10 tests, 8 mutants, 2 stubs and 2 reruns; suites beside pytest."""
    made = [suite_of(number, 10) for number in range(5, 9 + count)]
    options, cores = VerificationOptions(stubs=2), len(os.sched_getaffinity(0))
    cpu_s, how = meter()
    list(verify_rows([RowToVerify([solution], tests, "python") for solution, tests in made[:4]], options))
    before, began = cpu_s(), time.monotonic()
    found = list(verify_rows([RowToVerify([solution], tests, "python") for solution, tests in made[4:]], options))
    cpu, wall = (cpu_s() - before) / count, (time.monotonic() - began) / count
    assert all(row.passed and row.mutants == 8 for row in found), [row.detail for row in found if not row.passed]
    print(f"a row with 10 tests, 8 mutants, 2 stubs, 2 reruns: {1000 * cpu:.0f} ms CPU, which is {cores / cpu:.1f} rows/s on")
    print(f"{cores} idle processors; {1 / wall:.1f} rows/s now, at load {os.getloadavg()[0]:.1f}")
    before = cpu_s()
    for solution, tests in made[4:]:
        assert all(run_solution(read_suite(tests, "python", solution), solution).passed)
    ours = (cpu_s() - before) / count
    with tempfile.TemporaryDirectory() as folder:
        before = cpu_s()
        for number, row in enumerate(made[:8]):
            pytest_of(Path(folder, str(number)), *row)
        theirs = (cpu_s() - before) / 8
    print(f"a suite, run once: {1000 * ours:.0f} ms CPU; with python -m pytest in a subprocess {1000 * theirs:.0f} ms CPU")
    print(f"suites a second: {theirs / ours:.1f} times as many; CPU by {how}")


def pytest_of(folder: Path, solution: str, tests: str) -> None:
    """Run a suite as others do, without their container."""
    folder.mkdir()
    (folder / "solution.py").write_text(solution)
    (folder / "test_solution.py").write_text(tests)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    subprocess.run(command, capture_output=True, cwd=folder, check=True)


def matrix(count: int = 32) -> None:
    """A solution of a matrix with 100 tests."""
    solution, tests = suite_of(50, 100)
    suite = read_suite(tests, "python", solution)
    cpu_s, how = meter()
    run_solution(suite, solution)
    before = cpu_s()
    found = run_solutions(suite, [solution + f"# {at}\n" for at in range(count)])
    assert all(all(one.passed) for one in found)
    print(f"a solution with 100 tests: {1000 * (cpu_s() - before) / count:.1f} ms CPU, by {how}")


def compiled() -> None:
    """Rows of compiled languages with 8 mutants, all stubs and 2 reruns, beside one compilation and run of the solution alone."""
    cpu_s, how = meter()
    for language, (solution, main, tests) in COMPILED.items():
        run_program(solution + main, language)  # starts the fork server, and makes what compilers share
        list(verify_rows([RowToVerify([solution], tests, language)]))  # the first row of a process tries the toolchain
        before = cpu_s()
        for at in range(4):
            assert run_program(f"{solution}{main}// {at}\n", language).status == "ok"
        once = (cpu_s() - before) / 4
        before = cpu_s()
        found = list(verify_rows([RowToVerify([f"{solution}// {at}\n"], tests, language) for at in range(4)], workers=1))
        row = (cpu_s() - before) / 4
        assert all(one.passed for one in found), found[0].detail
        mutants = sum(one.mutants for one in found) / 4
        compilations = f"{row / once:.1f} compilations of {once:.2f} CPU-s"
        print(f"{language}: {row:.2f} CPU-s a row with {mutants:.0f} mutants, {compilations}, by {how}")


def command(count: int = 120) -> None:
    """`synthesize --verify` and `verify DIR` as a user starts them: Python rows with 10 tests, 8 mutants, 2 reruns."""
    here, program = Path(__file__).parent, str(Path(sys.executable).with_name("hf-oss-instruct"))
    server = [sys.executable, str(here / "fast_teacher.py"), "--latency-ms", "50", "--tests"]
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(server, stdout=subprocess.PIPE, text=True) as teacher:
        assert teacher.stdout
        url = f"http://127.0.0.1:{int(teacher.stdout.readline())}/v1"
        cpu_s, how = meter()  # after the teacher has started, which is not counted
        made, verified = Path(folder, "made"), Path(folder, "verified")
        seeds = ["--seeds", str(here.parent / "src"), "--model", "m", "--base-url", url, "--n", str(count)]
        try:
            for words, out in (
                (["synthesize", *seeds, "--verify", "--tests", "answer"], made),
                (["verify", str(made)], verified),
            ):
                before, began = cpu_s(), time.monotonic()
                ran = subprocess.run([program, *words, "--out", str(out)], capture_output=True, text=True)
                cpu, wall = (cpu_s() - before) / count, (time.monotonic() - began) / count
                assert not ran.returncode, ran.stderr[-2000:]
                kept = json.loads((out / "run.json").read_text())["kept"]
                assert kept == count, f"{kept} of {count} rows were kept"
                rate = len(os.sched_getaffinity(0)) / cpu
                print(f"{words[0]}: {1000 * cpu:.0f} ms CPU a row of {count}; {rate:.1f} rows/s on idle processors,")
                print(f"{1 / wall:.1f} rows/s now, at load {os.getloadavg()[0]:.1f}; by {how}")
        finally:
            teacher.terminate()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["rows"]:
            rows()
        case ["matrix"]:
            matrix()
        case ["command"]:
            command()
        case ["compiled"]:
            compiled()
        case _:
            sys.exit(__doc__)
