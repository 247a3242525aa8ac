#!/usr/bin/env bash
# kill -9 of the worker in the mask stage, of the coordinator, and an interrupted `run`:
# the final numbers are those of an undisturbed run.
. "$(dirname "$0")/lib.sh"
cd "$work"
longer=(--set mask_epochs=40 --set teacher_epochs=4 --checkpoint-seconds 1)

relusweep run "$here/tiny.yaml" "${longer[@]}" --state-dir "$work/calm" --out calm-report >/dev/null 2>calm.err ||
    fail "undisturbed run"
numbers tiny "$work/calm" >calm.txt

running_stage() {
    relusweep status tiny --json --state-dir "$work/rough" 2>/dev/null |
        jq -e --arg s "$1" '[.sweeps[0].running[] | select(.stage == $s and .step > 5)] | length > 0' >/dev/null
}
process() { pgrep -f "$1.*$work/rough" | head -n 1; }
start() {
    "$BIN/relusweep" run "$here/tiny.yaml" "${longer[@]}" --state-dir "$work/rough" --out rough-report >>rough.txt 2>>rough.err &
    run=$!
}

start
wait_for 300 running_stage mask
kill -KILL "$(process 'relusweep-worker agent')" || fail "no worker to kill"
wait_for 300 running_stage mask
kill -KILL "$(process relusweep-coordinator)" || fail "no coordinator to kill"
wait_for 300 running_stage mask
kill -INT $run
code=0
wait $run || code=$?
same 130 "$code" "an interrupted run exits with 130"
contains "$(cat rough.err)" "nothing is lost" "it says how to go on"

start
wait_for 300 running_stage mask
kill -KILL $run # the command itself: its children end by themselves
wait $run || true
start
wait $run || fail "the last run ends well"
numbers tiny "$work/rough" >rough.numbers
diff calm.txt rough.numbers || fail "the numbers differ from those of an undisturbed run"
echo "20-kill: ok"
