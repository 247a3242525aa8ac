#!/bin/sh
# The worker's command line, and the whole chain of stages by hand on synthetic images.
# usage: worker_test.sh RELUSWEEP_WORKER
set -eu
worker=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export RELUSWEEP_EVENTS=stdout RELUSWEEP_THREADS=1

fail() {
    echo "worker_test: $*" >&2
    exit 1
}

# expect CODE COMMAND...: runs it into $dir/out and $dir/err and compares the exit code
expect() {
    code=$1
    shift
    got=0
    "$@" >"$dir/out" 2>"$dir/err" || got=$?
    [ "$got" = "$code" ] || fail "$* gave $got, not $code: $(cat "$dir/err")"
}

says() {
    grep -q -e "$1" "$dir/out" "$dir/err" || fail "nothing says: $1"
}

expect 0 "$worker" --version
says '^relusweep-worker [0-9]'
expect 0 "$worker" help
says 'catalog'
expect 2 "$worker"
expect 2 "$worker" catalgo
says 'did you mean `catalog`'
expect 2 "$worker" stage
expect 0 "$worker" bench --help
says '--seconds'
expect 2 "$worker" bench --secnods 3
says 'unknown option'
expect 0 "$worker" catalog --json
says '"relu_budget"'
expect 11 "$worker" stage "$dir/none"
says 'spec.json'

subject='"dataset": "synthetic", "model": "resnet10-w8"'
training='"train_images": 40, "val_images": 20, "batch": 16, "attack_steps": 2'
digest=$(printf %064d 0)

# stage NAME INPUTS PARAMS: makes the folder and runs the stage in it
stage() {
    mkdir -p "$dir/$1/inputs"
    for input in $2; do
        cp "$dir/$input/model.safetensors" "$dir/$1/inputs/$input.model"
    done
    inputs=$(for input in $2; do printf '%s"%s": "%s"' "$comma" "$input" "$digest"
        comma=", "; done)
    echo "{\"version\": 1, \"method\": \"rlnet\", \"stage\": \"$1\", \"revision\": 1," \
        "\"inputs\": {$inputs}, \"params\": {$subject, $3}}" >"$dir/$1/spec.json"
    expect 0 "$worker" stage "$dir/$1"
    says '"started"'
    says '"result"'
}

comma=
stage teacher '' "$training, \"teacher_epochs\": 1"
stage mask 'teacher' "$training, \"mask_epochs\": 1, \"relu_budget\": \"10%\""
stage finetune 'teacher mask' \
    "$training, \"finetune_epochs\": 1, \"relu_budget\": \"10%\""
stage evaluate 'finetune' '"eval_images": 50, "corruption_images": 10, "attack_images": 10'
for metric in CA NPA mCE AdvA relus relus_total macs; do
    says "\"name\":\"$metric\""
done
