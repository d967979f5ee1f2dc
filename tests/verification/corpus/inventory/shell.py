"""Shell: sums, counts and pairs, tested in the ways that models write tests."""

from __future__ import annotations

INVENTORY = """#!/usr/bin/env bash

# The sum of its arguments.
sum() {
  local total=0 one
  for one in "$@"; do
    if ! [[ "$one" =~ ^-?[0-9]+$ ]]; then
      echo "not a number: $one" >&2
      return 2
    fi
    total=$((total + one))
  done
  echo "$total"
}

# The largest of its arguments.
largest() {
  local best="$1" one
  shift
  for one in "$@"; do
    if [ "$one" -gt "$best" ]; then
      best="$one"
    fi
  done
  echo "$best"
}

# The value of a name in "a=1;b=2".
pair_of() {
  local text="$1" name="$2" part
  local IFS=';'
  for part in $text; do
    if [ "${part%%=*}" = "$name" ]; then
      echo "${part#*=}"
      return 0
    fi
  done
  return 1
}
"""
WRONG = {
    "the first is counted twice": ("local total=0 one", 'local total="${1:-0}" one'),
    "smallest": ("-gt", "-lt"),
    "what is not there is no error": ("return 1", "return 0"),
}
FULL = {
    "brackets and exit": """#!/bin/bash
source ./inventory.sh

result=$(sum 1 2 3)
if [ "$result" != "6" ]; then
  echo "FAIL: sum: $result"
  exit 1
fi

if [[ "$(largest 3 9 4)" != 9 ]]; then
  echo "FAIL: largest" >&2
  exit 1
fi

if pair_of "a=1" "b" > /dev/null; then
  echo "FAIL: b is not there"
  exit 1
fi
[ "$(pair_of 'a=1;b=2' b)" = "2" ] || exit 1

echo "All tests passed!"
""",
    "a helper": """#!/usr/bin/env bash
set -e
. "$(dirname "$0")/solution.sh"

assert_eq() {
  local expected="$1"
  local actual="$2"
  if [[ "$expected" != "$actual" ]]; then
    echo "expected '$expected', got '$actual'"
    exit 1
  fi
}

assert_eq "6" "$(sum 1 2 3)"
assert_eq "9" "$(largest 3 9 4)"
assert_eq "2" "$(pair_of 'a=1;b=2' b)"
! pair_of "a=1" z
""",
    "counts": """#!/bin/bash
pass=0
fail=0

check() {
  if [ "$2" = "$3" ]; then
    pass=$((pass + 1))
  else
    fail=$((fail + 1))
    echo "FAIL $1: $2, not $3"
  fi
}

check "sum" "$(sum 4 5)" "9"
check "largest" "$(largest 1 2)" "2"
pair_of "a=1" z
check "status" "$?" "1"

echo "$pass passed, $fail failed"
[ "$fail" -eq 0 ]
""",
    "bats": """#!/usr/bin/env bats

load inventory.sh

setup() {
  numbers="1 2 3"
}

@test "sum adds" {
  run sum $numbers
  [ "$status" -eq 0 ]
  [ "$output" = "6" ]
}

@test "sum refuses words" {
  run sum one
  [ "$status" -eq 2 ]
  [[ "$output" == *"not a number"* ]]
}

@test "largest" {
  result="$(largest 3 9 4)"
  [ "$result" -eq 9 ]
}

@test "pairs" {
  [ "$(pair_of 'a=1;b=2' a)" = 1 ]
  run pair_of "a=1" z
  [ "$status" -ne 0 ]
}
""",
    "shunit2": """#!/bin/sh

oneTimeSetUp() {
  . ./inventory.sh
}

testSum() {
  assertEquals "sum" "6" "$(sum 1 2 3)"
  assertNotEquals 7 "$(sum 1 2 3)"
}

testLargest() {
  assertEquals 9 "$(largest 3 9 4)"
}

testPairs() {
  pair_of "a=1" z
  assertFalse $?
  assertTrue "[ $(pair_of 'a=1' a) -eq 1 ]"
}

. shunit2
""",
    "functions that return": """#!/bin/bash
test_sum() {
  [ "$(sum 1 2 3)" -eq 6 ] || return 1
}

test_largest() {
  [[ $(largest 3 9 4) == 9 ]] || return 1
}

test_pairs() {
  if pair_of "a=1" z; then
    return 1
  fi
}

for t in test_sum test_largest test_pairs; do
  if $t; then
    echo "PASS $t"
  else
    echo "FAIL $t"
    exit 1
  fi
done
""",
    "one line each": """[ "$(sum 1 2 3)" = 6 ] && echo ok || { echo fail; exit 1; }
[ "$(largest 3 9 4)" = 9 ] && echo ok || { echo fail; exit 1; }
pair_of "a=1" z && exit 1
test "$(pair_of 'k=v' k)" = "v" || exit 1
""",
    "a main": """#!/bin/bash
fail() {
  echo "FAIL: $*" >&2
  exit 1
}

main() {
  local got
  got=$(sum 10 -4)
  [[ "$got" -eq 6 ]] || fail "sum $got"
  got=$(largest 5 8)
  [[ "$got" -eq 8 ]] || fail "largest $got"
  pair_of "a=1" z >/dev/null && fail "pair"
  echo "ok"
}

main "$@"
""",
}
VACUOUS = {
    "calls": "sum 1 2 3\nlargest 1 2\n",
    "prints": '[ "$(sum 1 2)" = 3 ] && echo PASS || echo FAIL\n',
    "true": "sum 1\ntrue\n[ 1 -eq 1 ] || exit 1\n",
    "two calls": '[ "$(sum 1 2)" = "$(sum 1 2)" ] || exit 1\n',
    "a function that nobody calls": 'check() {\n  [ "$(sum 1 2)" = 9 ] || exit 1\n}\necho ok\n',
    "declared": "declare -f sum > /dev/null || exit 1\ntype largest > /dev/null || exit 1\n",
    "a status that is swallowed": '[ "$(sum 1 2)" = 9 ] || true\n',
    "a subshell that exits": '( [ "$(sum 1 2)" = 9 ] || exit 1 ) || :\n',
    "no case": 'for x in; do\n  [ "$(sum $x)" = 9 ] || exit 1\ndone\n',
}
