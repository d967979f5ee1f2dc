"""Scripting languages: right programs pass, wrong ones do not, whatever they redefine, print or read."""

# ruff: noqa: E501 (programs of other languages)

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hf_oss_instruct.evaluation.benchmarks.multipl_e import KEYS
from hf_oss_instruct.evaluation.samples import Sample
from hf_oss_instruct.evaluation.scoring.scoring import WHOLE_PROGRAM_LIMITS, score
from hf_oss_instruct.sandbox.run import Job, run_programs
from tests.evaluation import toys
from tests.evaluation.thinning import thinned

NAME = "HumanEval_900_both"


@dataclass(frozen=True)
class Case:
    """A problem in MultiPL-E's form: a list of the sum and the first of two numbers; in shell, the sum.

    Attributes:
        prompt: what is completed.
        tests: the test program.
        right: endings of the prompt that solve it.
        wrong: endings that do not solve it and do not hide it.
        attacks: endings that do not solve it and exit with 0 when they run with the test program and nothing else.
        forgeries: endings that print lines in our form, or look for values to print.
    """

    prompt: str
    tests: str
    right: dict[str, str]
    wrong: dict[str, str]
    attacks: dict[str, str]
    forgeries: dict[str, str]


JS_TESTS = (
    "const assert = require('node:assert');\n\n\nfunction test() {\n  let candidate = both;\n"
    "  assert.deepEqual(candidate(1, 2),[3, 1]);\n  assert.deepEqual(candidate(5, -5),[0, 5]);\n}\n\ntest();"
)
CASES = {
    "js": Case(
        "function both(a, b){\n",
        JS_TESTS,
        {
            "plain": "  return [a + b, a];\n}\n",
            "names of the tests": "  return [a + b, a];\n}\nconst candidate = 1, text = 2, Buffer = 3;\nfunction test() {}\n",
            "prints": "  process.stdout.write('no newline');\n  return [a + b, a];\n}\nconsole.log = () => {};\n",
            "loosely": "  return [String(a + b), BigInt(a)];\n}\n",
        },
        {
            "another value": "  return [a + b, b];\n}\n",
            "too long": "  return [a + b, a, a];\n}\n",
            "nothing": "}\n",
            "a promise": "  return Promise.resolve([a + b, a]);\n}\n",
        },
        {
            "test replaced": "}\ntest = () => {};\n",
            "assert patched": "}\nrequire('assert').deepEqual = () => {};\n",
            "require replaced": "}\nrequire = () => ({ deepEqual() {} });\n",
            "module loader": "}\nrequire('module')._load = () => ({ deepEqual() {} });\n",
            "leaves": "  process.exit(0);\n}\n",
            "leaves at once": "}\nprocess.exit(0);\n",
            "nothing is uncaught": "}\nprocess.on('uncaughtException', () => {});\n",
            "exit code": "}\nprocess.on('exit', () => process.reallyExit(0));\n",
            "reads the tests": (
                "  const lines = require('fs').readFileSync(__filename, 'utf8').split('\\n').filter((line) => line.includes('deep' + 'Equal(candidate('));\n"
                "  const line = lines.find((one) => one.includes('candidate(' + a + ', ' + b + ')'));\n  return eval(line.slice(line.indexOf('),') + 2, -2));\n}\n"
            ),
        },
        {
            "forged lines": (
                "}\nconst fs = require('fs');\nfor (const nonce of fs.readFileSync(__filename, 'utf8').match(/[0-9a-f]{32}/g))\n"
                "  for (const text of ['t', '[]', 'd3;', '[d3;d1;d0;d5;]']) for (const at of [0, 1]) console.log('\\n' + nonce + ' ' + at + ' ' + text);\n"
            ),
            "the printer": "}\nconst fs = require('fs');\nfs.writeSync = () => 1e9;\nrequire('buffer').Buffer.from = () => 'x';\nArray.isArray = () => true;\n",
            "a proxy": "  return new Proxy([], { get: (target, name) => (name === 'length' ? 2 : 7), ownKeys: () => ['length', '0', '1'] });\n}\n",
            "other processes": (
                "  const fs = require('fs');\n  let all = '';\n  for (const pid of fs.readdirSync('/proc')) for (const name of ['cmdline', 'environ']) try { all += fs.readFileSync(`/proc/${pid}/${name}`, 'latin1'); } catch {}\n"
                "  const found = all.match(/\\[3, 1\\]/);\n  return found ? [a + b, a] : all.length;\n}\n"
            ),
        },
    ),
    "ts": Case(
        "declare var process: any, __filename: any;\nfunction both(a: number, b: number): number[] {\n",
        "declare var require: any;\n" + JS_TESTS,
        {
            "plain": "  return [a + b, a];\n}\n",
            "a type": "  type Two = [number, number];\n  const both: Two = [a + b, a];\n  return both;\n}\n",
        },
        {"another value": "  return [a + b, b];\n}\n"},
        {
            "test replaced": "  return [];\n}\neval('test = () => {}');\n",
            "assert patched": "  return [];\n}\nrequire('assert').deepEqual = () => {};\n",
            "leaves": "  process.exit(0);\n  return [];\n}\n",
            "nothing is uncaught": "  return [];\n}\nprocess.on('uncaughtException', () => {});\n",
        },
        {"the printer": "  return [];\n}\nrequire('fs').writeSync = () => 1e9;\n"},
    ),
    "rb": Case(
        "def both(a, b)\n",
        "require 'test/unit'\nclass TestHumanEval < Test::Unit::TestCase\n  def test_both\n    candidate = method(:both)\n"
        "    assert_equal([3, 1], candidate.call(1, 2))\n    assert_equal([0, 5], candidate.call(5, -5))\n  end\nend\n",
        {
            "plain": "  [a + b, a]\nend\n",
            "floats": "  [(a + b).to_r, a.to_f]\nend\n",
            "prints": "  print 'no newline'\n  $stdout = STDERR\n  [a + b, a]\nend\n",
            "names of ours": "  [a + b, a]\nend\ntext = hex = out = 1\ndef text = 1\ndef hex = 1\ndef p(*) = nil\n",
        },
        {"another value": "  [a + b, b]\nend\n", "text": "  [(a + b).to_s, a]\nend\n", "a symbol": "  :both\nend\n"},
        {
            "assertions": "end\nrequire 'test/unit'\nmodule Test::Unit::Assertions\n  def assert_equal(*a) end\nend\n",
            "equality": "  7\nend\n[Integer, Array, NilClass].each { |kind| kind.define_method(:==) { |other| true } }\n",
            "an array of its own": "  Class.new(Array) { def ==(other) true end }.new([1, 2])\nend\nclass Array\n  def ==(other) true end\nend\n",
            "bind_call": "end\nrequire 'test/unit'\nclass UnboundMethod\n  def bind_call(*) true end\nend\nTest::Unit::AutoRunner.need_auto_run = false\n",
            "no class is new": "end\nrequire 'test/unit'\nclass Test::Unit::TestCase\n  def self.new(*) nil end\n  def self.inherited(other) end\nend\nTest::Unit::AutoRunner.need_auto_run = false\n",
            "no method is added": "end\nrequire 'test/unit'\nclass Test::Unit::TestCase\n  def self.method_added(name) remove_method(name) if name == :test_both end\nend\n",
            "at the end": "end\nat_exit { exit!(0) }\n",
            "leaves": "end\nexit!(0)\n",
            "the text ends": "end\n__END__\n",
            "reads the tests": (
                "  lines = File.readlines(__FILE__).select { |line| line =~ /assert_equal\\(.*call\\(#{a}, #{b}\\)/ }\n  eval(lines.last[/\\[.*?\\]/])\nend\n"
            ),
        },
        {
            "forged lines": 'end\nFile.read(__FILE__).scan(/[0-9a-f]{32}/).each { |nonce| 2.times { |at| puts "\\n#{nonce} #{at} [i3;i1;i0;i5;]" } }\n',
            "the printer": "end\nclass String\n  def unpack1(*) '33' end\nend\nclass IO\n  def write(*) 1 end\nend\nclass Integer\n  def to_s(*) '3;i1' end\n  def self.===(other) false end\nend\n",
        },
    ),
    "php": Case(
        "<?php\nfunction both($a, $b) {\n",
        "function candidate(...$args) {\n    return both(...$args);\n}\n\nfunction test(): void {\n"
        '    if (candidate(1, 2) !== array(3, 1)) { throw new Exception("Test failed!"); }\n'
        '    if (candidate(5, -5) !== array(0, 5)) { throw new Exception("Test failed!"); }\n}\n\ntest();',
        {
            "plain": "    return array($a + $b, $a);\n}\n",
            "keys": "    return [0 => $a + $b, 1 => $a];\n}\n",
            "prints": "    echo 'no newline';\n    ob_start();\n    return [$a + $b, $a];\n}\n",
            "a closing tag": "    return [$a + $b, $a];\n}\n?>\n",
        },
        {
            "floats": "    return [(float)($a + $b), $a];\n}\n",
            "keys in another order": "    return [1 => $a, 0 => $a + $b];\n}\n",
            "nothing": "}\n",
        },
        {
            "exceptions are handled": "}\nset_exception_handler(function () { exit(0); });\n",
            "at the end": "}\nregister_shutdown_function(function () { exit(0); });\n",
            "leaves": "    exit(0);\n}\n",
            "the text ends": "}\n__halt_compiler();\n",
            "reads the tests": "    preg_match('/candidate\\(' . $a . ', ' . $b . '\\) !== (array\\(.*?\\))\\)/', file_get_contents(__FILE__), $found);\n    return eval('return ' . $found[1] . ';');\n}\n",
        },
        {
            "forged lines": "}\npreg_match_all('/[0-9a-f]{32}/', file_get_contents(__FILE__), $all);\nforeach ($all[0] as $nonce) foreach ([0, 1] as $at) echo \"\\n$nonce $at [i3;i1;i0;i5;]\\n\";\n"
        },
    ),
    "pl": Case(
        "sub both {\n    my($a, $b) = @_;\n",
        "use Test::Deep;\n\n\nsub testhumaneval {\n    my $candidate = \\&both;\n"
        '        if(eq_deeply($candidate->(1, 2),[3, 1])) {\n        print "ok!" }else{\n        exit 1;\n        }\n'
        '        if(eq_deeply($candidate->(5, -5),[0, 5])) {\n        print "ok!" }else{\n        exit 1;\n        }\n}\n\ntesthumaneval();',
        {
            "plain": "    return [$a + $b, $a];\n}\n",
            "text": '    return ["" . ($a + $b), "$a"];\n}\n',
            "prints": "    print 'no newline';\n    return [$a + $b, $a];\n}\n$, = '-'; $\\ = \"!\\n\"; select(STDERR);\nuse strict; use warnings;\nbinmode(STDOUT, ':utf8');\n",
        },
        {
            "another value": "    return [$a + $b];\n}\n",
            "a list": "    return ([3, 1], [0, 5]);\n}\n",
            "blessed": "    return bless [$a + $b, $a], 'Own';\n}\n",
        },
        {
            "equality": "}\n{no warnings; use Test::Deep; *main::eq_deeply = sub {1}; *Test::Deep::cmp_details = sub {1};}\n",
            "no exit": "}\nBEGIN { *CORE::GLOBAL::exit = sub {1} }\n",
            "at the end": "}\nEND { $? = 0 }\n",
            "constants": "    return [7, 7];\n}\nBEGIN { require overload; overload::constant(integer => sub { 7 }); }\n",
            "a source filter": "}\nBEGIN { require Filter::Util::Call; Filter::Util::Call::filter_add(sub { my $n = Filter::Util::Call::filter_read(); $_ = ''; $n }); }\n",
            "the text ends": "}\n__END__\n",
            "leaves": "}\nexit 0;\n",
            "equal to everything": "    return bless([], 'Own');\n}\n{ package Own; use overload 'eq' => sub {1}, '==' => sub {1}, 'bool' => sub {1}; }\nBEGIN { require Test::Deep; no warnings; *Test::Deep::descend = sub {1}; }\n",
            "reads the tests": "    open(my $in, '<', $0); local $/; my $all = <$in>;\n    my ($found) = $all =~ /candidate->\\($a, $b\\),(\\[.*?\\])/;\n    return eval $found;\n}\n",
        },
        {
            "forged lines": "}\n{ open(my $in, '<', $0); local $/; my $all = <$in>; for my $nonce ($all =~ /[0-9a-f]{32}/g) { print \"\\n$nonce $_ [s33;s31;s30;s35;]\\n\" for 0, 1; } }\n",
            "the printer": "    return [7, 7];\n}\nBEGIN { no strict; *CORE::GLOBAL::unpack = sub { '33' }; *CORE::GLOBAL::ref = sub { '' }; *CORE::GLOBAL::join = sub { '' }; }\n",
        },
    ),
    "lua": Case(
        "local function both(a, b)\n",
        "lu = require('luaunit')\n\nfunction test_humaneval()\nlocal candidate = both\n    lu.assertEquals(candidate(1, 2), {3, 1})\n"
        "    lu.assertEquals(candidate(5, -5), {0, 5})\nend\n\nos.exit(lu.LuaUnit.run())",
        {
            "plain": "    return {a + b, a}\nend\n",
            "floats": "    return {a + b + 0.0, a}\nend\n",
            "in another order": "    local found = {}\n    found[2] = a\n    found[1] = a + b\n    return found, 'and more'\nend\n",
            "prints": "    io.write('no newline')\n    io.output(io.stderr)\n    return {a + b, a}\nend\nlocal text, hex, out = 1, 2, 3\n",
        },
        {
            "another value": "    return {a + b, b}\nend\n",
            "one more": "    return {a + b, a, x = 1}\nend\n",
            "text": "    return {tostring(a + b), a}\nend\n",
            "nothing": "end\n",
        },
        {
            "a module of its own": "end\npackage.loaded['luaunit'] = {assertEquals = function() end, LuaUnit = {run = function() return 0 end}}\n",
            "patched": "end\nrequire('luaunit').assertEquals = function() end\n",
            "no test is defined": "end\nsetmetatable(_G, {__newindex = function(all, name, value) if name == 'lu' then rawset(all, name, value) end end})\n",
            "equal to everything": "    return setmetatable({}, {__eq = function() return true end})\nend\nrequire('luaunit').private._is_table_equals = function() return true end\nrequire('luaunit').assertEquals = function() end\n",
            "leaves": "end\nos.exit(0)\n",
            "exit": "end\nlocal exit = os.exit\nos.exit = function() exit(0) end\n",
            "reads the tests": "    local all = io.open(arg[0]):read('a')\n    return load('return ' .. all:match('assertEquals%(candidate%(' .. a .. ', ' .. tostring(b):gsub('%-', '%%-') .. '%), ({.-})%)'))()\nend\n",
        },
        {
            "forged lines": "end\nfor nonce in io.open(arg[0]):read('a'):gmatch(('%x'):rep(32)) do for at = 0, 1 do print('\\n' .. nonce .. ' ' .. at .. ' [i3;i1;i0;i5;]') end end\n",
            "the printer": (
                "    return {7, 7}\nend\nstring.format = function() return 'i3;' end\ntable.concat = function() return 'i3;i1;' end\nio.stdout = io.stderr\nmath.type = function() return 'x' end\n"
                "debug.sethook(function() for at = 1, 20 do local name, value = debug.getlocal(2, at) if value == 7 then debug.setlocal(2, at, 3) end end end, 'l')\n"
            ),
            "upvalues": "    return 7\nend\nfor at = 1, 20 do local level = debug.getinfo(1, 'f').func local name, value = debug.getupvalue(level, at) if type(value) == 'function' then pcall(debug.setupvalue, value, 1, function() return 'n' end) end end\n",
        },
    ),
    "r": Case(
        "both <- function(a, b) {\n",
        "test_humaneval <- function() {\n    candidate <- both\n    stopifnot(isTRUE(all.equal(candidate(1, 2), list(3, 1))))\n"
        "    stopifnot(isTRUE(all.equal(candidate(5, -5), list(0, 5))))\n}\ntest_humaneval()",
        {
            "plain": "    list(a + b, a)\n}\n",
            "whole numbers": "    list(as.integer(a + b), as.integer(a))\n}\n",
            "nearly": "    list(a + b + 1e-10, a)\n}\n",
            "prints": "    cat('no newline')\n    list(a + b, a)\n}\ntext <- hex <- 1\ncat <- paste0 <- function(...) NULL\n",
        },
        {
            "another value": "    list(a + b, b)\n}\n",
            "a vector": "    c(a + b, a)\n}\n",
            "names": "    list(x = a + b, y = a)\n}\n",
            "a class": "    structure(list(a + b, a), class = 'own')\n}\n",
        },
        {
            "stopifnot": "}\nstopifnot <- function(...) NULL\n",
            "isTRUE": "}\nisTRUE <- function(...) TRUE\n",
            "all.equal": "}\nall.equal <- function(...) TRUE\n",
            "a method": "}\nall.equal.list <- all.equal.default <- all.equal.NULL <- function(...) TRUE\n",
            "braces": "}\n`{` <- function(...) NULL\n",
            "assignment": "}\n`<-` <- function(name, value) assign('test_humaneval', base::date, envir = globalenv())\ntest_humaneval <- function() NULL\n",
            "function": "}\n`function` <- function(...) base::c\n",
            "list": "    7\n}\nlist <- function(...) 7\n",
            "an active binding": "}\nmakeActiveBinding('test_humaneval', function(value) function() NULL, globalenv())\n",
            "errors": "}\noptions(error = quote(quit(status = 0)))\n",
            "leaves": "}\nquit(status = 0)\n",
            "reads the tests": (
                "    lines <- readLines(sub('--file=', '', grep('--file=', commandArgs(), value = TRUE)))\n"
                "    line <- grep(paste0('candidate(', a, ', ', b, ')'), lines, fixed = TRUE, value = TRUE)\n    eval(parse(text = sub('.*(list[(][^)]*[)]).*', '\\\\1', tail(line[grepl('all.equal', line)], 1))))\n}\n"
            ),
        },
        {
            "forged lines": "}\nall <- paste(readLines(sub('--file=', '', grep('--file=', commandArgs(), value = TRUE))), collapse = ' ')\nfor (nonce in regmatches(all, gregexpr('[0-9a-f]{32}', all))[[1]]) for (at in 0:1) cat('\\n', nonce, ' ', at, ' (s6c697374;n[n])\\n', sep = '')\n",
            "the printer": "    7\n}\nfor (name in c('sprintf', 'paste0')) { unlockBinding(name, baseenv()); assign(name, function(...) 'd3;', envir = baseenv()) }\n",
        },
    ),
    "rkt": Case(
        "#lang racket\n\n(define (both a b)\n",
        "(require rackunit)\n\n(define (test-humaneval) \n\n  (let (( candidate both))\n"
        "    (check-within (candidate 1 2) (list 3 1) 0.001)\n    (check-within (candidate 5 -5) (list 0 5) 0.001)\n))\n\n(test-humaneval)",
        {
            "plain": "  (list (+ a b) a))\n",
            "nearly": "  (list (+ a b 0.0005) (exact->inexact a)))\n",
            "names of ours": '  (cons (+ a b) (cons a \'())))\n(define (text x) 1)\n(define (hex x) 1)\n(define (string-append . x) "")\n(display "no newline")\n',
        },
        {"another value": "  (list (+ a b) b))\n", "a vector": "  (vector (+ a b) a))\n", "far": "  (list (+ a b 0.01) a))\n"},
        {
            "the check": "  7)\n(define-syntax-rule (check-within a b c) (void))\n",
            "let": "  7)\n(define-syntax-rule (let a b ...) (void))\n",
            "around": "  7)\n(require (only-in rackunit current-check-around current-check-handler))\n(current-check-around void)\n(current-check-handler void)\n",
            "data": "  (list 7 7))\n(require (for-syntax racket/base))\n(define-syntax (#%datum stx) (syntax-case stx () [(_ . x) (if (number? (syntax-e #'x)) #'(quote 7) #'(quote x))]))\n",
            "leaves": "  7)\n(exit 0)\n",
            "reads the tests": (
                "  (define all (call-with-input-file (resolved-module-path-name (variable-reference->resolved-module-path (#%variable-reference))) (lambda (in) (read-line in) (for/list ([one (in-port read in)]) one))))\n"
                "  (let look ([one all]) (cond [(and (pair? one) (eq? (car one) 'check-within) (equal? (cdadr one) (list a b))) (cdr (caddr one))] [(pair? one) (or (look (car one)) (look (cdr one)))] [else #f])))\n"
            ),
        },
        {
            "forged lines": '  7)\n(require racket/file)\n(for* ([nonce (regexp-match* #px"[0-9a-f]{32}" (file->string (resolved-module-path-name (variable-reference->resolved-module-path (#%variable-reference)))))] [at 2]) (printf "\\n~a ~a [i3;i1;i0;i5;]\\n" nonce at))\n',
            "the output": "  7)\n(current-output-port (open-output-nowhere))\n",
        },
    ),
    "sh": Case(
        "#!/bin/bash\nboth() {\n",
        '}\n\ncandidate() {\n    both "$@"\n}\n\nset -e\nrun_test() {\n    [[ $(candidate "1" "2") = "3 \\"1\\"" ]]\n'
        '    [[ $(candidate "5" "-5") = "0 \\"5\\"" ]]\n}\n\nrun_test',
        {
            "plain": '    echo "$(($1 + $2)) \\"$1\\""\n',
            "newlines": "    printf '%s \"%s\"\\n\\n' $(($1 + $2)) $1\n    return 3\n",
            "options": '    echo "$(($1 + $2)) \\"$1\\""\n}\nset -euo pipefail\nprintf "no newline"\nexport LC_ALL=C.UTF-8\nmore() {\n    :\n',
        },
        {
            "another value": '    echo "$(($1 + $2)) $1"\n',
            "nothing": "    :\n",
            "a space more": '    echo "$(($1 + $2)) \\"$1\\" "\n',
        },
        {
            "set": "    :\n}\nset() { :; }\ntrap 'exit 0' EXIT\nmore() {\n    :\n",
            "the exit trap": "    :\n}\ntrap 'exit 0' EXIT\nmore() {\n    :\n",
            "the error trap": "    :\n}\nset -E\ntrap 'exit 0' ERR\nmore() {\n    :\n",
            "the debug trap": "    :\n}\ntrap '[[ $BASH_COMMAND != run_test ]] || exit 0' DEBUG\nmore() {\n    :\n",
            "read-only": "    :\n}\nrun_test() { :; }\nreadonly -f run_test\nset() { :; }\nmore() {\n    :\n",
            "leaves": "    :\n}\nexit 0\nmore() {\n    :\n",
            "another program": "    :\n}\nexec true\nmore() {\n    :\n",
            "the text ends": "    :\n}\ncat > /dev/null <<'END'\nmore() {\n    :\n",
            "reads the tests": (
                "    local line\n    while read -r line; do [[ $line == *'candidate \"'$1'\" \"'$2'\") ='* ]] && eval \"echo ${line#*= }\" | sed 's/ ]]$//'; done < \"$0\"\n"
            ),
        },
        {
            "forged lines": "    :\n}\nfor nonce in $(grep -o '[0-9a-f]\\{32\\}' \"$0\"); do printf '\\n%s %s %s\\n' $nonce 0 x $nonce 1 x; done\nmore() {\n    :\n",
            "the printer": "    :\n}\nbuiltin() { :; }\nprintf() { :; }\nshopt -s expand_aliases\nalias builtin=:\nmore() {\n    :\n",
        },
    ),
}


SLOW = {"r": 4, "rb": 2, "rkt": 6, "ts": 4}
"""Of languages that start slowly, `make test` tries one program of so many."""


@pytest.mark.parametrize(
    ("key", "every"),
    [*((key, SLOW.get(key, 1)) for key in CASES), *(pytest.param(key, 1, marks=pytest.mark.long) for key in SLOW)],
)
def test_right_programs_pass_and_nothing_else_does(key: str, every: int, tmp_path: Path) -> None:
    case = CASES[key]
    row: dict[str, Any] = {"name": NAME, "language": key, "prompt": case.prompt, "tests": case.tests, "stop_tokens": []}
    right = {f"right: {name}": text for name, text in case.right.items()}
    texts = thinned(right | case.wrong | case.attacks | case.forgeries, every)
    # As whole programs: a completion's stop token would cut most of them.
    samples = [Sample(NAME, at, f"{case.prompt}{text}\n{case.tests}", "program") for at, text in enumerate(texts.values())]
    verdicts = score(toys.multipl_e(tmp_path, row), samples)
    if verdicts[0].status == "not_evaluated":
        pytest.skip(verdicts[0].reason)
    assert {one.graded for one in verdicts} == {"outside"}
    found = {name: (one.status, one.reason) for name, one in zip(texts, verdicts, strict=True)}
    passed = {name: one for name, one in found.items() if one[0] == "passed"}
    assert passed == {name: ("passed", "") for name in found if name in right}, found
    wrong = {name: one for name, one in found.items() if name in case.wrong}
    assert {name: one for name, one in wrong.items() if one[0] not in ("wrong_answer", "runtime_error")} == {}


@pytest.mark.long
@pytest.mark.parametrize("key", CASES)
def test_the_attacks_deceive_the_bare_test_program(key: str) -> None:
    case = CASES[key]
    jobs = [Job(f"{case.prompt}{text}\n{case.tests}", KEYS[key], limits=WHOLE_PROGRAM_LIMITS) for text in case.attacks.values()]
    found = dict(zip(case.attacks, run_programs(jobs), strict=True))
    assert {name: one.stderr for name, one in found.items() if one.status != "ok" or "FAILURE" in one.stderr} == {}
