#!/usr/bin/env bash
# Models leave and come in: a sweep's network as safetensors and ONNX with its card, and a
# teacher from elsewhere, which gives the numbers that it gave before.
. "$(dirname "$0")/lib.sh"
cd "$work"
export RELUSWEEP_DATA=$work/data

relusweep run "$here/tiny.yaml" --set relu_budget=2k >run.txt 2>run.err || fail "the sweep"
job_of() { relusweep jobs "$1" --json | jq -r "[.jobs[] | select(.stage == \"$2\")][0].id"; }
student=$(job_of tiny finetune)
teacher=$(job_of tiny teacher)

# the card says what the network is, what was measured, and where it was made
relusweep export "$student" --format safetensors --out student.st >said.txt
same "student.st student.st.json" "$(tr '\n' ' ' <said.txt | sed 's/ $//')" "what was written"
card() { jq -r "$1" student.st.json; }
same "2000 resnet10-w8 synthetic student" "$(card '"\(.relus) \(.model) \(.dataset) \(.role)"')" "card"
same 2000 "$(card '.relus_by_layer | add')" "ReLUs by layer"
same finetune "$(card .job.stage)" "the job"
same 2k "$(card .params.relu_budget | sed 's/000$/k/')" "its parameters"
card '.metrics | .CA, .NPA, .AdvA' | grep -qv '^[0-9]' && fail "metrics of the evaluation"
[ "$(card .provenance.host)" != null ] || fail "where it was made"
same "$(sha256sum <student.st | cut -d' ' -f1)" "$(card .file_sha256)" "digest of the file"

# the same by the artifact's digest, and as ONNX
relusweep export "$(card .file_sha256)" --format safetensors --out again.st >/dev/null
cmp student.st again.st || fail "by job and by artifact"
relusweep export "$student" --format onnx --path adv --out student.onnx >/dev/null
same "adv 13" "$(jq -r '"\(.path) \(.opset)"' student.onnx.json)" "card of the ONNX file"
for left in student.onnx.model student.onnx.about; do
    [ ! -e $left ] || fail "$left is left"
done

# refusals
refused() {
    local said code=0
    said=$(relusweep "${@:2}" 2>&1 >/dev/null) || code=$?
    [ $code -ne 0 ] || fail "not refused: ${*:2}"
    contains "$said" "$1" "what it says: ${*:2}"
}
refused "is a sweep" export tiny --format onnx
refused "has no model" export "$(job_of tiny evaluate)" --format onnx
refused "safetensors" export "$student" --format pickle

# the teacher as PyTorch would have saved it: no masks, no metadata
relusweep export "$teacher" --format safetensors --out teacher.st >/dev/null
/usr/bin/python3 - <<'PY'
import json, struct
with open("teacher.st", "rb") as f:
    header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
    data, kept, out = f.read(), {}, b""
for name, t in header.items():
    if name == "__metadata__" or name.startswith("mask."):
        continue
    begin, end = t["data_offsets"]
    kept[name] = dict(t, data_offsets=[len(out), len(out) + end - begin])
    out += data[begin:end]
text = json.dumps(kept).encode()
with open("plain.st", "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text + out)
PY
refused "mask.0" import teacher.st --model resnet10-w8 --dataset synthetic
refused "no resnet18 of synthetic" import plain.st --model resnet18 --dataset synthetic
line=$(relusweep import plain.st --model resnet10-w8 --dataset synthetic)
contains "$line" "teacher: import:" "the line for a sweep file"

# a sweep with it: no teacher is trained, and all later numbers are the same
relusweep run "$here/tiny.yaml" --set relu_budget=2k --set name=imported \
    --set "teacher=${line#teacher: }" >run.txt 2>run.err || fail "the sweep with an imported teacher"
of_cells() { numbers "$1" "$RELUSWEEP_STATE" | jq -c '[.[0].relu_budget, .[1].CA, .[1].AdvA]' | sort; }
contains "$(relusweep jobs imported --json | jq -r '.jobs[] | select(.stage == "teacher") | .params.teacher')" \
    "${line#teacher: }" "the teacher's job"
[ "$(of_cells tiny | wc -l)" = 2 ] || fail "numbers of two cells"
same "$(of_cells tiny)" "$(of_cells imported)" "numbers with the imported teacher"
