#!/bin/sh
# Checks lease.pml with Spin, and that each of its planted faults is found. 77: no Spin.
set -eu
model=$(cd "$(dirname "$0")" && pwd)/lease.pml
command -v spin >/dev/null && command -v gcc >/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# search FLAGS...: prints the verifier's report
search() {
    spin "$@" -a "$model" >/dev/null
    gcc -O1 -w -DSAFETY -DCOLLAPSE -o pan pan.c
    ./pan -m200000 2>&1
}

search >report
grep -E 'states, stored|errors:' report
if ! grep -q 'errors: 0' report || grep -q 'max search depth too small' report; then
    cat report
    exit 1
fi
for fault in NO_FENCE ACK_FIRST GRANT_FIRST; do
    search -D$fault >report || true
    grep -q 'errors: 1' report || {
        echo "$fault was not found"
        exit 1
    }
    echo "$fault: found"
done
