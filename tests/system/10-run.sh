#!/usr/bin/env bash
# One command does a whole sweep; the same command again has nothing to do and gives the
# same bytes; every verb that reads tells about it.
. "$(dirname "$0")/lib.sh"
cd "$work"

plan=$(relusweep plan "$here/tiny.yaml" --json)
same 3 "$(jq -r .cells <<<"$plan")" "plan counts cells"

relusweep run "$here/tiny.yaml" --out first >first.txt || fail "run"
contains "$(cat first.txt)" "first/index.html" "run names its report"
for f in index.html cells.csv report.json pareto-CA.svg pareto-CA.png pareto-NPA.png pareto-AdvA.csv; do
    [ -s "first/$f" ] || fail "the report has no $f"
done
same 3 "$(jq '.groups | length' first/report.json)" "three groups in the report"
same 8 "$(relusweep status tiny --json | jq '.sweeps[0].jobs.succeeded')" "jobs: teacher, 2 masks, 2 finetunes, 3 evaluations"

relusweep run "$here/tiny.yaml" --out second >second.txt 2>second.err || fail "second run"
diff -r first second || fail "the same rows give the same report"
contains "$(cat second.err)" "8 done already" "the second run finds everything done"

relusweep jobs tiny | grep -q teacher || fail "jobs lists stages"
job=$(relusweep jobs tiny --json | jq '.jobs[] | select(.stage == "mask") | .id' | head -n 1)
contains "$(relusweep explain "$job")" "succeeded" "explain says the state"
relusweep logs "$job" >/dev/null || fail "logs"
relusweep artifacts "$job" --get model --out model.safetensors >/dev/null || fail "artifacts --get"
[ -s model.safetensors ] || fail "the artifact was written"
relusweep watch tiny 2>/dev/null || fail "watch of a finished sweep ends at once"
relusweep doctor >/dev/null || fail "doctor finds this machine healthy"
echo "10-run: ok"
