#!/usr/bin/python3
"""Models that leave the program and models that come in: `relusweep-worker export` and
`import`, checked with PyTorch, and with onnx where it is installed.

usage: interchange_torch.py WORKER MODEL_DUMP README

Every exported network must give the engine's logits to 1e-4: as safetensors, loaded by
the Python code that stands in the README, and as ONNX, on every batch norm path, run
node by node. A PyTorch state_dict that is imported must come back as the model of a
teacher job, bit for bit. Exits with 77 where PyTorch is not installed.
"""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

try:
    import torch
    import torch.nn.functional as F
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
try:
    import onnx
    import onnx.checker
    import onnx.numpy_helper
    import onnx.shape_inference
except ImportError:
    onnx = None
    print("onnx is not installed: its part is left out")

torch.set_num_threads(1)
WORKER, DUMP, README = sys.argv[1:4]


def check(name, good):
    if not good:
        sys.exit(f"FAILED: {name}")
    print(f"ok: {name}")


def near(a, b):
    return a.shape == b.shape and (a - b).abs().max().item() < 1e-4 * max(
        1, b.abs().max().item())


def run(*command, **more):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **more)


def refuse(says, *command, **more):
    end = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True, **more)
    check(f"refused: {says}", end.returncode != 0 and says in end.stdout)


def readme_code():
    text = open(README, encoding="utf-8").read()
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    code = [b for b in blocks if "class Network" in b]
    check("the README has the loader", len(code) == 1)
    names = {}
    exec(compile(code[0], README, "exec"), names)
    return names


# ---- ONNX, node by node ----------------------------------------------------------------

def run_onnx(path, x):
    graph = onnx.load(path).graph
    v = {t.name: torch.from_numpy(onnx.numpy_helper.to_array(t).copy())
         for t in graph.initializer}
    v["images"] = x
    for node in graph.node:
        a = {k.name: onnx.helper.get_attribute_value(k) for k in node.attribute}
        i = [v[name] for name in node.input]
        v[node.output[0]] = {
            "Sub": lambda: i[0] - i[1],
            "Div": lambda: i[0] / i[1],
            "Add": lambda: i[0] + i[1],
            "Relu": lambda: F.relu(i[0]),
            "Where": lambda: torch.where(i[0], i[1], i[2]),
            "Conv": lambda: F.conv2d(i[0], i[1], None, a["strides"], a["pads"][:2]),
            "BatchNormalization": lambda: F.batch_norm(
                i[0], i[3], i[4], i[1], i[2], False, 0, a["epsilon"]),
            "GlobalAveragePool": lambda: i[0].mean((2, 3), True),
            "Flatten": lambda: i[0].flatten(1),
            "Gemm": lambda: i[0] @ i[1].T + i[2],
        }[node.op_type]()
    return v["logits"]


def check_onnx(title, model, out, x, logits):
    for side, want in logits.items():
        run(WORKER, "export", "--model", model, "--format", "onnx", "--path", side,
            "--out", out)
        loaded = onnx.load(out)
        onnx.checker.check_model(loaded, full_check=True)
        onnx.shape_inference.infer_shapes(loaded, strict_mode=True)
        card = json.load(open(out + ".json"))
        check(f"{title}, ONNX, {side}", near(run_onnx(out, x), want)
              and card["opset"] == loaded.opset_import[0].version
              and card["path"] == side)


# ---- cases -----------------------------------------------------------------------------

def check_export(folder, code, model, role, paths, density):
    title = f"{model} {role} with {paths} batch norms, {density} % ReLUs"
    own, seen = os.path.join(folder, "own"), os.path.join(folder, "seen")
    run(DUMP, model, role, str(paths), str(density), own, seen)
    seen = code["load"](seen)
    logits = {"clean": seen["logits/0"], "adv": seen[f"logits/{paths - 1}"]}
    out = os.path.join(folder, "out")
    about = os.path.join(folder, "about.json")
    with open(about, "w", encoding="utf-8") as f:
        json.dump({"metrics": {"CA": 1}, "model": "another"}, f)
    run(WORKER, "export", "--model", own, "--format", "safetensors", "--about", about,
        "--out", out)
    card = json.load(open(out + ".json"))
    check(f"{title}: card", card["model"] == model and card["metrics"] == {"CA": 1}
          and sum(card["relus_by_layer"]) == card["relus"] <= card["relus_total"]
          and card["classes"] == 10 and card["input"]["shape"] == [3, 32, 32])
    if model.startswith("resnet"):
        network = code["Network"](out)
        check(f"{title}: README", all(near(network(seen["x"], side), want)
                                      for side, want in logits.items()))
    if onnx is not None:
        check_onnx(title, own, out + ".onnx", seen["x"], logits)


def save(path, tensors):
    kinds, header, at = {torch.float32: "F32", torch.int64: "I64"}, {}, 0
    for name, t in tensors.items():
        size = t.numel() * t.element_size()
        header[name] = {"dtype": kinds[t.dtype], "shape": list(t.shape),
                        "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for t in tensors.values():
            f.write(t.contiguous().numpy().tobytes())


def teacher_job(folder, digest):
    os.makedirs(folder)
    spec = {"version": 1, "method": "rlnet", "stage": "teacher", "revision": 1,
            "params": {"dataset": "synthetic", "model": "resnet10-w8",
                       "teacher": "import:" + digest}, "inputs": {}}
    with open(os.path.join(folder, "spec.json"), "w", encoding="utf-8") as f:
        json.dump(spec, f)


def check_import(folder, code):
    own, seen, data = (os.path.join(folder, n) for n in ("own", "seen", "data"))
    plain = os.path.join(folder, "plain.safetensors")
    environment = dict(os.environ, RELUSWEEP_DATA=data, RELUSWEEP_EVENTS="stdout")
    command = (WORKER, "import", plain, "--model", "resnet10-w8", "--dataset",
               "synthetic")
    for paths in 1, 2, 3:
        run(DUMP, "resnet10-w8", "teacher", str(paths), "100", own, seen)
        state = {n: t for n, t in code["load"](own).items() if "mask." not in n}
        save(plain, {"module." + n: t for n, t in state.items()
                     if paths > 1 or "num_batches" not in n})
        said = run(*command, env=environment).stdout
        digest = said.strip().removeprefix("teacher: import:")
        job = os.path.join(folder, f"job{paths}")
        teacher_job(job, digest)
        run(WORKER, "stage", job, env=environment)
        back = code["load"](os.path.join(job, "model.safetensors"))
        same = all(torch.equal(back[n], t) for n, t in state.items()
                   if "num_batches" not in n or paths > 1)
        check(f"imported teacher with {paths} batch norms", same and all(
            (back[n] == 1).all() for n in back if n.startswith("mask.")))
    name = "module.layer2.0.conv1.weight"
    loaded = code["load"](plain)
    save(plain, {n: t for n, t in loaded.items() if n != name})
    refuse("`layer2.0.conv1.weight` is missing", *command, env=environment)
    save(plain, dict(loaded, **{name: loaded[name][:1]}))
    refuse("another type or shape", *command, env=environment)
    save(plain, dict(loaded, extra=loaded[name]))
    refuse("`extra` is none of this network", *command, env=environment)
    with open(os.path.join(data, "imports", digest + ".safetensors"), "r+b") as f:
        f.seek(-1, os.SEEK_END)
        f.write(b"x")
    refuse("another digest", WORKER, "stage", job, env=environment)


def main():
    code = readme_code()
    cases = [("resnet10-w8", "student", 2, 30), ("resnet10-w8", "student", 3, 0),
             ("resnet18-w16", "teacher", 2, 100), ("resnet10-w8", "teacher", 1, 100),
             ("wrn-22-8", "student", 2, 10)]
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            check_export(folder, code, *case)
        check_import(folder, code)


if __name__ == "__main__":
    main()
