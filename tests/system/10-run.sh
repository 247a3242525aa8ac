#!/usr/bin/env bash
# One command does a whole sweep; the same command again has nothing to do and gives the
# same bytes; every verb that reads tells about it.
. "$(dirname "$0")/lib.sh"
cd "$work"

plan=$(relusweep plan "$here/tiny.yaml" --json)
same 3 "$(jq -r .cells <<<"$plan")" "plan counts cells"

relusweep run "$here/tiny.yaml" --out first >first.txt 2>first.err || fail "run"
contains "$(cat first.err)" "page: http://127.0.0.1:" "run says where the page is"
! kill -0 "$(jq .pid "$RELUSWEEP_STATE/page.ready")" 2>/dev/null || fail "the page ends with the run"
contains "$(cat first.txt)" "first/index.html" "run names its report"
for f in index.html cells.csv cells.tex report.json pareto-CA.svg pareto-CA.png pareto-NPA.pdf pareto-AdvA.csv \
    layers.csv overlap.svg norms.png work.csv; do
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
relusweep run "$here/tiny.yaml" --set name=other --set relu_budget=4k,6k --out third >/dev/null 2>&1 || fail "another sweep"
both=$(relusweep report tiny other --cost delphi --json)
same 2 "$(jq '.sweeps | length' <<<"$both")" "one report of two sweeps"
same 4 "$(jq '.groups | length' <<<"$both")" "what both have run is one setting"
same true "$(jq '[.groups[].metrics.pi_online_s.mean > 0] | all' <<<"$both")" "the cost is an axis"
contains "$(relusweep report tiny --text)" "on the Pareto front" "report --text has a plot"

relusweep export tiny --format csv -o tables >/dev/null || fail "export csv"
same 1 "$(grep -c ',evaluate,relus,2000,' tables/finals.csv)" "finals.csv has the ReLUs"
grep -q ',teacher,val/CA,2,' tables/curves.csv || fail "curves.csv has the curves"
relusweep export tiny --format jsonl -o jobs.jsonl >/dev/null || fail "export jsonl"
same 8 "$(jq -s length jobs.jsonl)" "a line for each job"
relusweep export tiny --format tensorboard -o board >/dev/null || fail "export tensorboard"
same 8 "$(find board -name 'events.out.tfevents.*' -size +100c | wc -l)" "an event file for each job"
relusweep export tiny --format mlflow -o mlruns >/dev/null || fail "export mlflow"
same 8 "$(grep -l 'status: 3' mlruns/*/*/meta.yaml | wc -l)" "eight finished runs"
grep -qE '^[0-9]{13} [0-9.]+ 1$' mlruns/*/*/metrics/train.loss || fail "MLflow: time, value, step"
relusweep watch tiny 2>/dev/null || fail "watch of a finished sweep ends at once"
relusweep doctor >/dev/null || fail "doctor finds this machine healthy"
echo "10-run: ok"
