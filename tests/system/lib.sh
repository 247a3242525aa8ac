#!/usr/bin/env bash
# Shared by the system tests: a state folder of their own, the programs, and checks.
# Source it with the folder of the programs in $BIN.
set -euo pipefail

# shellcheck disable=SC2034 # the tests use it
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BIN=${BIN:?folder of the programs}
work=$(mktemp -d /tmp/relusweep-test-XXXXXX)
chmod 755 "$work" # the unprivileged user of PostgreSQL has to pass
export RELUSWEEP_STATE=$work/state
export XDG_RUNTIME_DIR=$work # where workers of one machine count each other's jobs
unset PGHOST PGHOSTADDR PGPORT PGDATABASE PGUSER PGSERVICE || true

clean_up() {
    local pid
    for pid in $(pgrep -f "$work" || true); do
        [ "$pid" = $$ ] || kill -TERM "$pid" 2>/dev/null || true
    done
    for pid in $(pgrep -f "$work" || true); do
        [ "$pid" = $$ ] || timeout 20 tail --pid="$pid" -f /dev/null 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
    done
    [ -n "${KEEP:-}" ] || rm -rf "$work"
}
trap clean_up EXIT

relusweep() { "$BIN/relusweep" "$@"; }

fail() {
    echo "FAILED: $*" >&2
    tail -n 15 "$RELUSWEEP_STATE"/*.log >&2 2>/dev/null || true
    exit 1
}

# same A B WHAT: two texts are equal
same() {
    [ "$1" = "$2" ] || {
        printf 'expected: %s\n     got: %s\n' "$1" "$2" >&2
        fail "$3"
    }
}

# contains TEXT PART WHAT
contains() {
    case "$1" in
    *"$2"*) ;;
    *)
        printf 'expected to contain: %s\n                got: %s\n' "$2" "$1" >&2
        fail "$3"
        ;;
    esac
}

# The final numbers of a sweep as text that can be compared: cell parameters and metrics,
# without what may differ (times, speeds).
numbers() {
    relusweep report "$1" --json --state-dir "$2" |
        /usr/bin/python3 -c '
import json, sys
doc = json.load(sys.stdin)
for g in doc["groups"]:
    m = {k: v["mean"] for k, v in g["metrics"].items() if v.get("unit") != "images/s"}
    print(json.dumps([g["params"], m], sort_keys=True))'
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "waited too long for: $*"
        sleep 0.1
    done
}
