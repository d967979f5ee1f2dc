"""bats with its assertion library, and shunit2."""

from __future__ import annotations

from tests.verification.corpus.cases import Case, adder

CASES: list[Case] = []
add = adder(CASES, "shell")

SS = """#!/usr/bin/env bash
# Log tools.
usage() { echo "usage: logs <count|levels|top> FILE" >&2; return 64; }
count_level() {
  local level=$1 file=$2
  [ -r "$file" ] || { echo "cannot read $file" >&2; return 1; }
  grep -c "^$level " "$file" || true
}
levels() { cut -d' ' -f1 "$1" | sort -u; }
top_message() { cut -d' ' -f2- "$1" | sort | uniq -c | sort -rn | head -n1 | sed 's/^ *[0-9]* //'; }
trim() { local s="$*"; s="${s#"${s%%[![:space:]]*}"}"; s="${s%"${s##*[![:space:]]}"}"; printf '%s' "$s"; }
main() {
  case "$1" in
    count) shift; count_level "$@" ;;
    levels) levels "$2" ;;
    top) top_message "$2" ;;
    *) usage ;;
  esac
}
if [[ "${BASH_SOURCE[0]}" == "${0}" ]]; then main "$@"; fi
"""
ST = """#!/usr/bin/env bats

setup() {
  load 'test_helper/bats-support/load'
  load 'test_helper/bats-assert/load'
  DIR="$( cd "$( dirname "$BATS_TEST_FILENAME" )" >/dev/null 2>&1 && pwd )"
  source "$DIR/logs.sh"
  LOG="$BATS_TEST_TMPDIR/app.log"
  printf '%s\\n' "INFO start" "ERROR disk full" "INFO start" "WARN slow" > "$LOG"
}

teardown() { rm -f "$LOG"; }

@test "counts a level" {
  run count_level INFO "$LOG"
  assert_success
  assert_output "2"
}

@test "zero for a level that is not there" {
  run count_level DEBUG "$LOG"
  assert_success
  assert_output 0
}

@test "fails for a missing file" {
  run count_level INFO "$BATS_TEST_TMPDIR/nothing"
  assert_failure 1
  assert_output --partial "cannot read"
}

@test "levels are sorted" {
  run levels "$LOG"
  assert_equal "${#lines[@]}" 3
  assert_line --index 0 "ERROR"
  assert_line --index 2 "WARN"
  refute_line "DEBUG"
  [ "${lines[1]}" = "INFO" ]
}

@test "top message" {
  run top_message "$LOG"
  assert_output --regexp '^sta'
}

@test "usage" {
  run -64 main nonsense
  [[ "$output" =~ ^usage ]]
  run ! main nonsense
}

@test "trim" {
  result=$(trim "  a b  ")
  assert [ "$result" = "a b" ]
}
"""
add("bats with assert library and tmpdir", "right", SS, ST)
add("bats, unsorted levels", "wrong", SS.replace("sort -u; }", "uniq; }"), ST)
add(
    "bats plain, run as a script",
    "right",
    SS,
    """setup() {
  export TMP="$(mktemp -d)"
  printf 'INFO a\\nINFO b\\n' >"$TMP/log"
}
teardown() { rm -rf "$TMP"; }
@test 'count through the script' {
  run bash ./logs.sh count INFO "$TMP/log"
  [ "$status" -eq 0 ]
  [ "$output" -eq 2 ]
}
@test 'usage has status 64' {
  run ./logs.sh
  [ "$status" -eq 64 ]
  [ "${lines[0]}" = "usage: logs <count|levels|top> FILE" ]
}
@test 'levels' {
  run bash logs.sh levels "$TMP/log"
  [ "${#lines[@]}" -eq 1 ]
  [ "$output" = INFO ]
}
""",
)
add(
    "bats, a failed line that is not the last",
    "wrong",
    SS.replace("return 64", "return 1"),
    """@test "usage" {
  source ./logs.sh
  run usage
  [ "$status" -eq 64 ]
  [ -n "$output" ]
}
@test "trim" { source ./logs.sh; [ "$(trim ' a ')" = a ]; }
""",
)
add(
    "bats with && that hides a failure",
    "vacuous",
    SS,
    """@test "trim" {
  source ./logs.sh
  run trim ' a '
  [ "$output" = "zzz" ] || true
}
""",
)
add(
    "shunit2 with temp dir and asserts",
    "right",
    SS,
    """#!/bin/bash
oneTimeSetUp() {
  . ./logs.sh
  DIR="${SHUNIT_TMPDIR}"
}
setUp() { printf 'INFO a\\nERROR b\\nINFO a\\n' > "${DIR}/log"; }
tearDown() { rm -f "${DIR}/log"; }
testCount() {
  assertEquals "infos" 2 "$(count_level INFO "${DIR}/log")"
  assertEquals 0 "$(count_level NONE "${DIR}/log")"
}
testMissing() {
  out=$(count_level INFO /no/such 2>&1)
  rtrn=$?
  assertFalse "must fail" ${rtrn}
  assertContains "message" "$out" "cannot read"
}
testTop() {
  assertSame 'a' "$(top_message "${DIR}/log")"
  assertNotNull "$(levels "${DIR}/log")"
  assertNull "$(trim '   ')"
}
testTrim() {
  for s in ' a' 'a ' ' a '; do
    assertEquals "for '$s'" 'a' "$(trim "$s")"
  done
  ${_ASSERT_EQUALS_} '"x y"' '"$(trim " x y ")"'
}
suite() { suite_addTest testCount; suite_addTest testMissing; suite_addTest testTop; suite_addTest testTrim; }
source shunit2
""",
)
add(
    "shunit2, trim does nothing",
    "wrong",
    SS.replace("printf '%s' \"$s\"", "printf '%s' \"$*\""),
    """. ./logs.sh
testTrim() {
  for s in ' a' 'a '; do assertEquals "for '$s'" 'a' "$(trim "$s")"; done
}
. shunit2
""",
)
add(
    "shunit2 stops at nothing",
    "wrong",
    SS.replace("sort -rn", "sort -n"),
    """. ./logs.sh
test_top() {
  f=$(mktemp)
  printf 'I a\\nI b\\nI b\\n' > "$f"
  result=$(top_message "$f")
  assertTrue "top is b" "[ '$result' = 'b' ]"
  rm "$f"
}
. /usr/share/shunit2/shunit2
""",
)
