#!/usr/bin/env bash
# The papers' sweeps: each one can be planned as it is and at small scale, and runs to its
# end with a tiny network; a sensitivity that is measured reaches the masks.
. "$(dirname "$0")/lib.sh"
sweeps=$here/../../sweeps
cd "$work"

small=()
for word in dataset=synthetic model=resnet10-w8 relu_budget=2k budgets=eta select_on=last \
    train_images=64 batch=16 teacher_epochs=1 mask_epochs=1 finetune_epochs=1 \
    sensitivity_epochs=1 sensitivity_interval=2 eval_images=32 attack_images=16 \
    evaluate=clean,pgd-7; do
    small+=(--set "$word")
done

plan() { relusweep plan "$@" --json 2>/dev/null; }
jobs_of() { plan "$@" | jq "[.stages[] | select(.stage == \"$stage\") | .jobs] | add"; }

for file in "$sweeps"/*.yaml; do
    name=$(basename "$file" .yaml)
    plan "$file" | jq -e '.cells > 0 and .seconds_left > 0' >/dev/null || fail "plan of $name"
    plan "$file" "${small[@]}" | jq -e '.cells > 0' >/dev/null || fail "small plan of $name"
done

# rows that need the same teacher or mask share it
stage=teacher
same 1 "$(jobs_of "$sweeps/rlnet-table5.yaml")" "table 5 has one teacher"
stage=mask
same 2 "$(jobs_of "$sweeps/rlnet-table5.yaml")" "and two mask searches"
stage=sensitivity
same 1 "$(jobs_of "$sweeps/sensitivity.yaml")" "two budgets share the measured sensitivity"
stage=teacher
same 5 "$(jobs_of "$sweeps/rlnet-fig4.yaml")" "figure 4 trains five teachers"

# what a stage would refuse, plan refuses
refused() { # WORD SENTENCE
    local said
    said=$(relusweep plan "$sweeps/rlnet-table5.yaml" "${small[@]}" --set "$1" 2>&1) &&
        fail "plan accepts $1"
    contains "$said" "$2" "plan of $1"
}
refused teacher_milestones=90,50 "rising per cents"
refused budgets=released/resnet34-80k "needs model = resnet34"
refused budgets=released "needs model = resnet18 or resnet34 or wrn-22-8"
refused relu_budget=1m "ReLUs that resnet10-w8/synthetic has"
refused eval_images=1m "test images that synthetic has"
refused val_images=1m "training images that synthetic has"
refused ablation=table5/k "did you mean"
refused loss=ce "leave one of them out"

run() { relusweep run "$sweeps/$1.yaml" "${small[@]}" "${@:2}" --out "$1" >"$1.txt" 2>&1 ||
    { cat "$1.txt"; fail "run $1"; }; }
run rlnet-table3
same 3 "$(jq '.groups | length' rlnet-table3/report.json)" "three rows of table 3"
run rlnet-fig4 --set relu_budget=all
same 5 "$(jq '.groups | length' rlnet-fig4/report.json)" "five teachers in figure 4"
run rlnet-fig7a
run sensitivity --set budgets=measured,eta
same 2 "$(jq '.groups | length' sensitivity/report.json)" "measured and published budgets"
mask=$(relusweep jobs sensitivity --json | jq -r '[.jobs[] | select(.stage == "mask")][0].id')
relusweep explain "$mask" >/dev/null || fail "explain of a mask"
# the others to their end as well; what they share is done already
for name in rlnet-table1 rlnet-table1-tiny rlnet-table4 rlnet-table5 rlnet-table6 rlnet-fig5 \
    rlnet-fig6 rlnet-fig7b; do
    run "$name"
    jq -e '.groups | length > 0' "$name/report.json" >/dev/null || fail "rows of $name"
done
echo "60-sweeps: ok"
