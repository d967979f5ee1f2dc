# What shunit2, bats and bats-assert give, as far as models use it.
HIDDEN_wrong=0
HIDDEN_fail() { HIDDEN_wrong=1; printf '%s\n' "$*" >&2; return 1; }
fail() { HIDDEN_fail "$@"; }
assertEquals() { [ "${@: -2:1}" = "${@: -1}" ] || HIDDEN_fail "expected ${*: -2:1}, got ${*: -1}"; }
assertNotEquals() { [ "${@: -2:1}" != "${@: -1}" ] || HIDDEN_fail "both are ${*: -1}"; }
assertSame() { assertEquals "$@"; }
assertNotSame() { assertNotEquals "$@"; }
failNotEquals() { HIDDEN_fail "expected ${*: -2:1}, got ${*: -1}"; }
failSame() { HIDDEN_fail "the same: $*"; }
failNotSame() { HIDDEN_fail "not the same: $*"; }
assertTrue() { local it=${*: -1}; case $it in 0 | true) ;; *[!0-9]*) eval "$it" || HIDDEN_fail "not true: $it" ;; *) HIDDEN_fail "not true: $it" ;; esac; }
assertFalse() { local it=${*: -1}; case $it in 0 | true) HIDDEN_fail "not false: $it" ;; *[!0-9]*) if eval "$it"; then HIDDEN_fail "not false: $it"; fi ;; esac; }
assertNull() { [ -z "${*: -1}" ] || HIDDEN_fail "not empty"; }
assertNotNull() { [ -n "${*: -1}" ] || HIDDEN_fail "empty"; }
assertContains() { case ${*: -2:1} in *"${@: -1}"*) ;; *) HIDDEN_fail "does not contain ${*: -1}" ;; esac; }
assertNotContains() { case ${*: -2:1} in *"${@: -1}"*) HIDDEN_fail "contains ${*: -1}" ;; esac; }
run() {
    local wanted='' HIDDEN_err=/dev/stdout
    while [ $# -gt 0 ]; do
        case $1 in
            -[0-9]*) wanted=${1#-} ;;
            !) wanted=! ;;
            --separate-stderr) HIDDEN_err=$BATS_TEST_TMPDIR/stderr ;;
            --keep-empty-lines) ;;
            *) break ;;
        esac
        shift
    done
    status=0
    if [ "$HIDDEN_err" = /dev/stdout ]; then output=$("$@" 2>&1) || status=$?; else
        output=$("$@" 2>"$HIDDEN_err") || status=$?
        stderr=$(<"$HIDDEN_err")
    fi
    IFS=$'\n' read -r -d '' -a lines <<<"$output" || true
    case $wanted in
        '') ;;
        !) [ "$status" -ne 0 ] || HIDDEN_fail "status 0" ;;
        *) [ "$status" -eq "$wanted" ] || HIDDEN_fail "status $status, not $wanted" ;;
    esac
}
skip() { printf 'skipped %s' "$HIDDEN_skip" >&8; exit 0; }
startSkipping() { skip; }
assert() { "$@" || HIDDEN_fail "not true: $*"; }
assert_equal() { [ "$1" = "$2" ] || HIDDEN_fail "expected $2, got $1"; }
assert_success() { [ "$status" -eq 0 ] || HIDDEN_fail "status $status"; }
assert_failure() { if [ $# -gt 0 ]; then [ "$status" -eq "$1" ]; else [ "$status" -ne 0 ]; fi || HIDDEN_fail "status $status"; }
# How a text is compared in bats-assert: `HIDDEN_fits --partial TEXT WANTED`.
HIDDEN_fits() {
    case $1 in
        --partial | -p) [[ $2 == *"$3"* ]] ;;
        --regexp | -e) [[ $2 =~ $3 ]] ;;
        *) [ "$2" = "$3" ] ;;
    esac
}
HIDDEN_output() {
    local how='' wanted
    case ${1-} in --partial | -p | --regexp | -e) how=$1; shift ;; --stdin | -) shift; set -- "$(cat)" ;; esac
    if [ $# = 0 ]; then [ -n "$output" ]; else HIDDEN_fits "$how" "$output" "$1"; fi
}
HIDDEN_line() {
    local how='' at='' one
    while :; do
        case ${1-} in
            --partial | -p | --regexp | -e) how=$1; shift ;;
            --index | -n) at=$2; shift 2 ;;
            *) break ;;
        esac
    done
    if [ -n "$at" ]; then HIDDEN_fits "$how" "${lines[$at]-}" "$1"; return; fi
    for one in "${lines[@]}"; do if HIDDEN_fits "$how" "$one" "$1"; then return 0; fi; done
    return 1
}
assert_output() { HIDDEN_output "$@" || HIDDEN_fail "output $output"; }
refute_output() { if HIDDEN_output "$@"; then HIDDEN_fail "output $output"; fi; }
assert_line() { HIDDEN_line "$@" || HIDDEN_fail "no line ${*: -1}"; }
refute_line() { if HIDDEN_line "$@"; then HIDDEN_fail "a line ${*: -1}"; fi; }
assert_not_equal() { [ "$1" != "$2" ] || HIDDEN_fail "both are $1"; }
assert_regex() { [[ $1 =~ $2 ]] || HIDDEN_fail "$1 does not match $2"; }
refute_regex() { if [[ $1 =~ $2 ]]; then HIDDEN_fail "$1 matches $2"; fi; }
refute() { if "$@"; then HIDDEN_fail "true: $*"; fi; }
for HIDDEN_name in EQUALS:Equals NOT_EQUALS:NotEquals SAME:Same NOT_SAME:NotSame TRUE:True FALSE:False NULL:Null NOT_NULL:NotNull CONTAINS:Contains; do
    printf -v "_ASSERT_${HIDDEN_name%:*}_" 'eval assert%s' "${HIDDEN_name#*:}"
done
HIDDEN_folder=$(mktemp -d)
BATS_TEST_TMPDIR=$HIDDEN_folder BATS_FILE_TMPDIR=$HIDDEN_folder BATS_RUN_TMPDIR=$HIDDEN_folder BATS_TMPDIR=$HIDDEN_folder
SHUNIT_TMPDIR=$HIDDEN_folder BATS_TEST_DIRNAME=$PWD BATS_TEST_FILENAME=$PWD/tests.bats SHUNIT_TRUE=0 SHUNIT_FALSE=1
