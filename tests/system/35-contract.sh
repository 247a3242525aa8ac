#!/usr/bin/env bash
# A stage that says that all went well and forgets a metric that it declares: its job fails
# by contract, none of its numbers counts, and people are told what is missing.
. "$(dirname "$0")/lib.sh"
cd "$work"
mkdir bin
for program in relusweep relusweep-coordinator relusweep-web; do
    ln -s "$BIN/$program" bin/
done
ln -s "${FORGETFUL:?a worker that forgets}" bin/relusweep-worker
cp "$BIN/relusweep" bin/relusweep.copy && mv bin/relusweep.copy bin/relusweep # finds its neighbours
BIN=$work/bin

{
    cat "$here/tiny.yaml"
    echo 'retries: {error: 0}'
} >forgets.yaml
code=0
relusweep run forgets.yaml --set relu_budget=2k --set train_images=64 --page off \
    --out report >out.txt 2>err.txt || code=$?
same 1 "$code" "some jobs failed: exit code"
missing='the result lacks the metric `CA`, which stage evaluate declares'
query() { relusweep db psql -- -XAtc "$1"; }
same "contract|$missing" "$(query "SELECT DISTINCT outcome, error FROM attempt a
    JOIN job_spec s ON s.job = a.job WHERE stage = 'evaluate'")" "how the evaluations ended"
same ok "$(query "SELECT DISTINCT outcome FROM attempt a
    JOIN job_spec s ON s.job = a.job WHERE stage <> 'evaluate'")" "how all others ended"
same 0 "$(query "SELECT count(*) FROM metric_final m JOIN job_spec s ON s.job = m.job
    WHERE stage = 'evaluate'")" "numbers of a broken contract"
contains "$(relusweep explain "$(query "SELECT min(job) FROM job_spec
    WHERE stage = 'evaluate'")")" "$missing" "explain"
echo "35-contract: ok"
