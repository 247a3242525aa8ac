#!/usr/bin/env bash
# What people get wrong: each gives the right exit code and an error that says what,
# where and what to do; nothing already computed is lost.
. "$(dirname "$0")/lib.sh"
cd "$work"

# sweep LINE... writes bad.yaml: a good head, then these lines
sweep() {
    printf '%s\n' 'name: bad' \
        'fixed: {method: rlnet, dataset: synthetic, model: resnet10-w8, relu_budget: 2k}' "$@" >bad.yaml
}

# refused CODE TEXT COMMAND...: exit code, and TEXT in what it says
refused() {
    local want=$1 text=$2 said code=0
    shift 2
    said=$("$@" 2>&1 >/dev/null) || code=$?
    same "$want" "$code" "exit code of: $* ($said)"
    contains "$said" "$text" "what it says: $*"
}

plan() { relusweep plan bad.yaml "$@"; }

sweep 'grid: {temperatur: [1, 4]}'
refused 2 'bad.yaml:3:8' plan
refused 2 'temperature' plan
sweep 'grid: {temperature: [1, hot]}'
refused 2 'bad.yaml:3:' plan
sweep 'gird: {temperature: [1, 4]}'
refused 2 'grid' plan
sweep 'grid: {temperature: []}'
refused 2 'temperature' plan
sweep
refused 2 'rlnet' plan --set method=rlnett
refused 2 'synthetic' plan --set dataset=syntetic
refused 2 'ReLUs' plan --set relu_budget=10m
refused 2 'ReLUs' plan --set relu_budget=2
refused 2 'max-cells' plan --set 'seed=range(0,1000000,1)' --set 'temperature=range(1,999,1)'
refused 2 'no-such-file.yaml' relusweep plan no-such-file.yaml
refused 2 'status' relusweep statsu
refused 2 '--json' relusweep status --jsn
printf 'name: x\n  bad indent: [\n' >broken.yaml
refused 2 'broken.yaml:' relusweep plan broken.yaml

# a database that is not there, and one that is newer than the program
refused 3 'there is no database yet' relusweep status
refused 3 '/nowhere' relusweep status --database 'host=/nowhere dbname=x'
relusweep db migrate 2>/dev/null || fail "migrate"
relusweep db psql -- -q -c 'UPDATE schema_version SET version = 999 WHERE version = 1'
refused 4 '999' relusweep status
rm -rf "$RELUSWEEP_STATE"

# missing and truncated data: the job fails at once and says what to do
cat >data.yaml <<'Y'
name: data
fixed: {method: rlnet, dataset: fashion-mnist, model: resnet10-w8, relu_budget: 2k, teacher_epochs: 1}
Y
mkdir -p "$work/data/FashionMNIST/raw"
for f in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do
    head -c 5000 /dev/urandom >"$work/data/FashionMNIST/raw/$f-ubyte"
done
code=0
relusweep run data.yaml --data-dir "$work/data" --out data-report >data.txt 2>data.err || code=$?
same 1 "$code" "a sweep whose data are broken ends with 1"
contains "$(relusweep status data)" "FashionMNIST/raw/train-" "status names the broken file"
states=$(relusweep status data --json | jq -c '.sweeps[0].jobs')
contains "$states" '"upstream_failed"' "dependants are reported, not silently missing"
[ -s data-report/index.html ] || fail "there is a report all the same"
contains "$(cat data-report/index.html)" "FashionMNIST/raw/train-" "the report says why"
relusweep retry data 2>/dev/null || fail "retry"
relusweep cancel data 2>/dev/null || fail "cancel"

# a diverging job is a numeric failure that names the step, and is not tried again
code=0
relusweep run "$here/tiny.yaml" --set teacher_lr=1e9 --set relu_budget=2k --out nan >/dev/null 2>nan.err || code=$?
same 1 "$code" "a sweep that diverges ends with 1"
failed=$(relusweep jobs tiny --state failed --json | jq -r '.jobs[0].id')
contains "$(relusweep explain "$failed")" "numeric" "explain names the kind"
same 1 "$(relusweep jobs tiny --state failed --json | jq -r '.jobs[0].attempt')" "one attempt only"
echo "30-bad-input: ok"
