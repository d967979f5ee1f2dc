"""JavaScript and TypeScript with Node's own runner, jest (which also runs what is written for vitest), and mocha with chai."""

from __future__ import annotations

import functools
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.verification.corpus.bare.steps import NotProvableError, Step, pairs, steps

_VITEST = "module.exports = { ...require('@jest/globals'), vi: jest };\n"
_JEST = {
    "testEnvironment": "node",
    "testRegex": ["out/test/tests\\.js$"],
    "transform": {},
    "moduleNameMapper": {"^vitest$": "<rootDir>/vitest.js"},
}


@functools.cache
def _packages() -> Path:
    """A folder where npm put jest, mocha and chai."""
    folder = tempfile.mkdtemp(prefix="bare-node-")
    npm = shutil.which("npm")
    command = [
        npm or "npm",
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--prefix",
        folder,
        "jest@29",
        "mocha@10",
        "chai@4",
    ]
    if not npm or subprocess.run(command, capture_output=True, timeout=300).returncode:
        raise NotProvableError("jest: npm cannot install it")
    return Path(folder) / "node_modules"


def javascript(folder: Path, solution: str, tests: str) -> list[Step]:
    (folder / "solution.js").write_text(solution)
    return pairs(tests, "node", "solution.js") or _as_commonjs(folder, solution, tests, "js")


def typescript(folder: Path, solution: str, tests: str) -> list[Step]:
    return _as_commonjs(folder, solution, tests, "ts")


def _as_commonjs(folder: Path, solution: str, tests: str, suffix: str) -> list[Step]:
    """Solution and tests as modules that tsc turns to CommonJS."""
    if not shutil.which("tsc"):
        raise NotProvableError("tsc: npm install --global typescript@7")
    tests = re.sub(r"(['\"])@/", r"\1./", tests)  # a path that a bundler knows
    tests = re.sub(r"(['\"]\.[\w./-]*)\.[mc]js(?=['\"])", r"\1.js", tests)
    names = re.findall(r"(?:from|require\(|import)\s*['\"](\.[\w./-]*)['\"]", tests)
    for name in {"./solution", *names}:
        path = (folder / "test" / re.sub(r"\.[jt]s$", "", name)).resolve().with_suffix(f".{suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(solution)
    module = re.sub(
        r"^export (?:default )?(?=(?:abstract )?(?:async )?(?:class|function|const|interface|type|enum))",
        "",
        solution,
        flags=re.MULTILINE,
    )
    module = re.sub(r"^module\.exports.*\n|^export \{.*\n", "", module, flags=re.MULTILINE)
    (folder / "test" / f"tests.{suffix}").write_text(tests if names else f"{module}\n{tests}")
    (folder / "tsconfig.json").write_text(
        json.dumps({"compilerOptions": {"module": "commonjs", "target": "es2022", "allowJs": True, "checkJs": False, "outDir": "out", "rootDir": ".",
                                        "strict": False, "esModuleInterop": True, "noEmitOnError": False, "moduleDetection": "force",
                                        "ignoreDeprecations": "6.0"}, "include": ["test/**/*", "*.js", "*.ts", "src/**/*"], "exclude": ["out"]})
    )  # fmt: skip
    return [Step(["bash", "-c", "tsc >/dev/null; test -e out/test/tests.js"]), *_run(folder, tests)]


def _run(folder: Path, tests: str) -> list[Step]:
    """The framework that tests are written for."""
    script = "out/test/tests.js"
    if "node:test" in tests or not re.search(r"\b(?:expect|test|it|describe|xit)(?:\.\w+)?\(|['\"](?:vitest|chai)['\"]", tests):
        return steps(["node", script])
    packages = _packages()
    if re.search(r"['\"]chai['\"]", tests):
        mocha = ["env", f"NODE_PATH={packages}", "node", str(packages / "mocha/bin/mocha.js"), script]
        return [Step(mocha, says=r"[1-9]\d* passing")]
    (folder / "vitest.js").write_text(_VITEST)
    jest = f"node {packages / 'jest/bin/jest.js'} --rootDir . --config '{json.dumps(_JEST)}' 2>&1"
    return [Step(["bash", "-c", jest], says=r"^Tests: .*[1-9]\d* total")]
