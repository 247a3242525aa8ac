#!/usr/bin/env bash
# The live views: on a terminal of the test's own (terminal.py), in a pipe, and tables at
# several widths.
. "$(dirname "$0")/lib.sh"
cd "$work"

"$BIN/relusweep" run "$here/tiny.yaml" --set mask_epochs=400 --slots 2 >run.txt 2>run.err &
run=$!
is_masking() {
    [ "$(relusweep status tiny --json 2>/dev/null | jq '[.sweeps[0].running[]? | select(.stage == "mask" and .epoch > 1)] | length' 2>/dev/null)" = 2 ]
}
wait_for 300 is_masking

/usr/bin/python3 "$here/terminal.py" "$BIN/relusweep" tiny || fail "watch on a terminal"

# in a pipe: plain lines, no escapes
timeout -s INT 2 "$BIN/relusweep" watch tiny >watch.txt 2>/dev/null || true
grep -q '^\[[0-9]* s\] 8 jobs: 1 done, 2 running' watch.txt || fail "plain lines ($(cat watch.txt))"
! grep -q $'\033' watch.txt || fail "a pipe gets no escapes"

# tables: within the width that is asked for, whole lines in a pipe
for columns in 60 80 100; do
    for verb in "status tiny" "jobs tiny"; do
        # shellcheck disable=SC2086 # words
        longest=$(COLUMNS=$columns relusweep $verb 2>/dev/null | wc -L)
        [ "$longest" -le $columns ] || fail "$verb is $longest wide at $columns"
    done
done
contains "$(relusweep jobs tiny)" "relu_budget=2000" "whole lines in a pipe"

kill -INT $run
code=0
wait $run || code=$?
same 130 "$code" "an interrupted run"
grep -q 'left$' run.err || fail "run says what is left ($(cat run.err))"
echo "55-terminal: ok"
