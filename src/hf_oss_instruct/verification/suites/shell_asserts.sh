# What shunit2, bats and bats-assert give, as far as models use it.
HIDDEN_wrong=0
HIDDEN_fail() { HIDDEN_wrong=1; printf '%s\n' "$*" >&2; return 1; }
fail() { HIDDEN_fail "$@"; }
assertEquals() { [ "${@: -2:1}" = "${@: -1}" ] || HIDDEN_fail "expected ${*: -2:1}, got ${*: -1}"; }
assertNotEquals() { [ "${@: -2:1}" != "${@: -1}" ] || HIDDEN_fail "both are ${*: -1}"; }
assertSame() { assertEquals "$@"; }
assertTrue() { local it=${*: -1}; case $it in 0 | true) ;; *[!0-9]*) eval "$it" || HIDDEN_fail "not true: $it" ;; *) HIDDEN_fail "not true: $it" ;; esac; }
assertFalse() { local it=${*: -1}; case $it in 0 | true) HIDDEN_fail "not false: $it" ;; *[!0-9]*) if eval "$it"; then HIDDEN_fail "not false: $it"; fi ;; esac; }
assertNull() { [ -z "${*: -1}" ] || HIDDEN_fail "not empty"; }
assertNotNull() { [ -n "${*: -1}" ] || HIDDEN_fail "empty"; }
assertContains() { case ${*: -2:1} in *"${@: -1}"*) ;; *) HIDDEN_fail "does not contain ${*: -1}" ;; esac; }
assertNotContains() { case ${*: -2:1} in *"${@: -1}"*) HIDDEN_fail "contains ${*: -1}" ;; esac; }
run() {
    status=0
    output=$("$@" 2>&1) || status=$?
    IFS=$'\n' read -r -d '' -a lines <<<"$output" || true
}
skip() { printf 'skipped %s' "$HIDDEN_skip" >&8; exit 0; }
startSkipping() { skip; }
assert() { "$@" || HIDDEN_fail "not true: $*"; }
assert_equal() { [ "$1" = "$2" ] || HIDDEN_fail "expected $2, got $1"; }
assert_success() { [ "$status" -eq 0 ] || HIDDEN_fail "status $status"; }
assert_failure() { if [ $# -gt 0 ]; then [ "$status" -eq "$1" ]; else [ "$status" -ne 0 ]; fi || HIDDEN_fail "status $status"; }
assert_output() {
    case $1 in
        --partial | -p) [[ $output == *"$2"* ]] ;;
        --regexp | -e) [[ $output =~ $2 ]] ;;
        *) [ "$output" = "$1" ] ;;
    esac || HIDDEN_fail "output $output"
}
refute_output() { if [ $# = 0 ]; then [ -z "$output" ]; else [ "$output" != "$1" ]; fi || HIDDEN_fail "output $output"; }
assert_line() { local one; for one in "${lines[@]}"; do if [ "$one" = "${@: -1}" ]; then return 0; fi; done; HIDDEN_fail "no line ${*: -1}"; }
