from __future__ import annotations

from tests.verification.corpus.cases import Case

CLAMP = """#!/bin/bash

# Prints a number within bounds.
clamp() {
    local x=$1 low=${2:-0} high=${3:-10}
    if [ "$low" -gt "$high" ]; then
        echo "low > high" >&2
        return 2
    fi
    if [ "$x" -lt "$low" ]; then
        echo "$low"
    elif [ "$x" -gt "$high" ]; then
        echo "$high"
    else
        echo "$x"
    fi
}

count_words() {
    tr -s ' ' '\\n' | grep -c .
}

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then
    clamp "$@"
fi
"""
PLAIN = """#!/bin/bash
source ./clamp.sh

[ "$(clamp 5)" = "5" ] || { echo "inside"; exit 1; }
[[ "$(clamp 11)" == 10 ]] || exit 1
if [ "$(clamp -1)" -ne 0 ]; then
    echo "low"
    exit 1
fi
clamp 1 3 2 2>/dev/null && exit 1
[ "$(echo "a b  c" | count_words)" -eq 3 ] || exit 1
echo "All tests passed"
"""
HELPER = """#!/usr/bin/env bash
set -euo pipefail
SCRIPT_DIR="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$SCRIPT_DIR/solution.sh"

passed=0
failed=0

assert_equals() {
    local expected="$1" actual="$2" message="${3:-}"
    if [[ "$expected" == "$actual" ]]; then
        passed=$((passed + 1))
    else
        echo "FAIL: $message: expected '$expected', got '$actual'"
        failed=$((failed + 1))
    fi
}

assert_equals "5" "$(clamp 5)" "inside"
assert_equals "10" "$(clamp 11)" "above"
result=$(clamp -1)
assert_equals "0" "$result" "below"

echo "passed $passed, failed $failed"
if [ "$failed" -gt 0 ]; then
    exit 1
fi
exit 0
"""
BATS = """#!/usr/bin/env bats

setup() {
    source ./solution.sh
}

@test "inside" {
    run clamp 5
    [ "$status" -eq 0 ]
    [ "$output" = "5" ]
}

@test "above and below" {
    run clamp 11
    [ "$output" = "10" ]
    result="$(clamp -1)"
    [ "$result" -eq 0 ]
}

@test "wrong bounds" {
    run clamp 1 3 2
    [ "$status" -eq 2 ]
    [[ "$output" == *"low > high"* ]]
}
"""
SHUNIT = """#!/bin/bash
. ./clamp.sh

setUp() {
    high=7
}

testInside() {
    assertEquals "inside" 5 "$(clamp 5 0 $high)"
}

testAbove() {
    assertEquals 7 "$(clamp 9 0 $high)"
    assertTrue "[ $(clamp 9) -eq 9 ]"
}

testStatus() {
    clamp 1 3 2 2>/dev/null
    assertEquals 2 $?
}

. shunit2
"""
SCRIPT = """#!/bin/bash
out=$(bash clamp.sh 11)
[ "$out" = "10" ] || exit 1
out=$(./clamp.sh -3)
[ "$out" = "0" ] || exit 1
"""
FUNCTIONS = """#!/bin/bash
source clamp.sh

test_high() {
    local got
    got=$(clamp 11)
    if [ "$got" != "10" ]; then
        echo "FAIL: $got"
        return 1
    fi
    echo "PASS"
}

test_low() {
    [ "$(clamp -4)" = "0" ]
}

main() {
    test_high || exit 1
    test_low || exit 1
}

main "$@"
"""
STATE = 'COUNT=0\nITEMS=()\n\npush() {\n    ITEMS+=("$1")\n    COUNT=$((COUNT + 1))\n}\n\npop() {\n    if [ "$COUNT" -eq 0 ]; then\n        return 1\n    fi\n    COUNT=$((COUNT - 1))\n    TOP=${ITEMS[$COUNT]}\n    unset "ITEMS[$COUNT]"\n}\n'
STATE_TESTS = 'source ./stack.sh\npush a\npush b\n[ "$COUNT" -eq 2 ] || exit 1\npop\n[ "$TOP" = b ] || exit 1\n[ "$COUNT" -eq 1 ] || exit 1\n'
RIGHT = {
    "plain": PLAIN,
    "a helper that counts": HELPER,
    "bats": BATS,
    "shunit2": SHUNIT,
    "as a script": SCRIPT,
    "functions": FUNCTIONS,
    "bats-assert": '@test "all" {\n    run clamp 12\n    assert_success\n    assert_output "10"\n    run clamp 1 3 2\n    assert_failure\n    assert_output --partial "low"\n    run clamp -2\n    assert_output 0\n}\n',
}
VACUOUS = {
    "asserts nothing": "source ./clamp.sh\nclamp 5\n",
    "equal to itself": 'source ./clamp.sh\n[ "$(clamp 5)" = "$(clamp 5)" ] || exit 1\n',
    "constants": "source ./clamp.sh\nclamp 5 >/dev/null\n[ 1 -eq 1 ] || exit 1\n",
    "only that it prints or not": 'source ./clamp.sh\nout=$(clamp 5)\n[ -n "$out" ] || [ -z "$out" ] || exit 1\n',
    "ignored": 'source ./clamp.sh\n[ "$(clamp 5)" = "9" ] || true\n',
    "never called": 'source ./clamp.sh\ncheck() {\n    [ "$(clamp 5)" = "9" ] || exit 1\n}\n',
    "never true": 'source ./clamp.sh\nif false; then\n    [ "$(clamp 5)" = "9" ] || exit 1\nfi\n',
    "no case": 'source ./clamp.sh\nfor x in $(true); do\n    [ "$(clamp $x)" = "$x" ] || exit 1\ndone\n',
    "leaves": 'source ./clamp.sh\nexit 0\n[ "$(clamp 5)" = "9" ] || exit 1\n',
    "skipped": '@test "later" {\n    skip "later"\n    [ "$(clamp 5)" = "5" ]\n}\n',
    "redefined": 'source ./clamp.sh\nclamp() {\n    echo 5\n}\n[ "$(clamp 5)" = "5" ] || exit 1\n',
    "says FAIL and goes on": 'source ./clamp.sh\nif [ "$(clamp 5)" = "9" ]; then\n    echo PASS\nelse\n    echo FAIL\nfi\n',
    "greps the source": 'grep -q "clamp()" clamp.sh || exit 1\n',
}
HOSTILE = {
    "leaves": "exit 0\n",
    "leaves when called": "clamp() {\n    exit 0\n}\n",
    "its own test": "[() {\n    return 0\n}\ntest() {\n    return 0\n}\nclamp() {\n    echo 3\n}\n",
    "its own test when called": 'clamp() {\n    eval "[() { return 0; }"\n    echo 3\n}\n',
    "a trap": "trap 'exit 0' EXIT\nclamp() {\n    kill -9 $$\n}\n",
    "its own exit": "exit() {\n    return 0\n}\nclamp() {\n    echo 3\n}\n",
    "kills its parent": "clamp() {\n    kill -9 $PPID\n}\n",
    "writes to every file it has": 'for fd in /proc/$$/fd/* /proc/$PPID/fd/*; do\n    cat /proc/self/environ /proc/$PPID/environ /proc/$PPID/cmdline >"$fd" 2>/dev/null\ndone\nclamp() {\n    for fd in 1 2 7 8 9; do\n        echo passed >&$fd\n    done\n}\n',
}
WRONG = {
    "off by one": CLAMP.replace('-gt "$high" ]; then\n        echo "$high"', '-ge 13 ]; then\n        echo "$high"'),
    "swapped": CLAMP.replace('        echo "$low"\n', '        echo "$high"\n'),
    "syntax": "clamp() {\n    if [ 1 ]; then\n",
    "another name": CLAMP.replace("clamp()", "clip()"),
    "prints more": CLAMP.replace('        echo "$high"\n', '        echo "result: $high"\n'),
}
CASES = [
    *(Case(name, "shell", CLAMP, tests, "passed", "right", name == "bats") for name, tests in RIGHT.items()),
    Case("variables", "shell", STATE, STATE_TESTS, "passed", "right"),
    *(Case(name, "shell", CLAMP, tests, "tests_failed|tests_vacuous" if name == "leaves" else "tests_vacuous", "vacuous") for name, tests in VACUOUS.items()),
    *(Case(name, "shell", program, tests, "tests_failed", "wrong", name == "off by one" and tests is PLAIN) for name, program in WRONG.items() for tests in (PLAIN, HELPER)),
    *(Case(f"{name}, {kind}", "shell", program, tests, "tests_failed|tests_vacuous", "hostile") for name, program in HOSTILE.items() for kind, tests in (("plain", PLAIN), ("bats", BATS))),
    Case("its own test beside its variables", "shell", '[() {\n    return 0\n}\nCOUNT=0\npush() { COUNT=7; }\npop() { TOP=7; }\n', STATE_TESTS, "tests_failed", "hostile"),
    Case("loops", "shell", CLAMP.replace('    else\n        echo "$x"', "    else\n        while :; do :; done"), PLAIN, "tests_failed", "hanging"),
    Case("random", "shell", CLAMP, BATS + '\n@test "luck" {\n    [ $((RANDOM % 10)) -gt 3 ]\n    [ "$(clamp 5)" = 5 ]\n}\n', "tests_flaky|tests_failed", "flaky"),
    Case("network", "shell", 'clamp() {\n    bash -c "exec 3<>/dev/tcp/example.com/80" || return 1\n    echo "$1"\n}\n', PLAIN, "not_verifiable", "elsewhere"),
]  # fmt: skip
