#!/usr/bin/python3
"""Times `relusweep-worker bench` against PyTorch on the same work: one command prints the
whole table of speed and memory as markdown, and writes it as JSON.

usage: compare.py WORKER [--rows NAME,...] [--rounds R] [--seconds S] [--quick] [--json F]

A row is measured in rounds, each of them first ours and then PyTorch in each of its ways
(contiguous, channels_last; in evaluation also traced and optimised for inference), every
one a process of its own, so that a busy machine slows all of them and peak memory is each
one's own. Numbers are medians over the rounds; the spread is (largest - smallest) / median
and the fastest way of PyTorch is what ours is divided by. The last column divides
processor time a step instead of wall time: it says more where the machine is not quiet. Peak memory is that of the same
way. PyTorch's side is torch_side.py, which is checked against an independent statement.
Exits with 77 where PyTorch is not installed.
"""
import argparse
import fnmatch
import json
import os
import platform
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TORCH_SIDE = os.path.join(HERE, "torch_side.py")
# what would change a library's choices behind our back
PINS = ("OPENBLAS_CORETYPE", "DNNL_MAX_CPU_ISA", "ONEDNN_MAX_CPU_ISA", "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ATEN_CPU_CAPABILITY")
TRAINING, EVALUATION = ("nchw", "nhwc"), ("nchw", "nhwc", "nchw-jit", "nhwc-jit")


def row(stage, model="resnet18", batch=128, threads=1, size=32, goal=3.0):
    name = f"{model}-{stage}-b{batch}-t{threads}" + (f"-{size}px" if size != 32 else "")
    return {"name": name, "stage": stage, "model": model, "batch": batch,
            "threads": threads, "size": size, "goal": goal}


ROWS = (
    [row(s, threads=t) for s in ("finetune", "teacher", "mask") for t in (1, 2)]
    + [row("ce", batch=b) for b in (128, 64)]
    + [row("ce", threads=2), row("eval", batch=256), row("eval", batch=256, threads=2)]
    + [row(s, m, 32, goal=4.0) for m in ("resnet10-w8", "resnet10-w16")
       for s in ("finetune", "teacher", "mask", "ce", "eval")]
    + [row("finetune", "wrn-22-8", goal=2.5), row("finetune", "resnet34", goal=2.5),
       row("finetune", batch=64, size=64, goal=2.5)]
)


def run(command, seconds, quick, work):
    env = {k: v for k, v in os.environ.items() if k not in PINS}
    options = {k: work[k] for k in ("stage", "model", "batch", "threads", "size")}
    if quick:
        options["batch"] = max(2, work["batch"] // 8)
    for name, value in {**options, "seconds": seconds}.items():
        command = command + [f"--{name}", str(value)]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"compare.py: {' '.join(command)} ended with {done.returncode}")
    return json.loads(done.stdout)


def summary(runs):
    rates = [r["images_per_second"] for r in runs]
    middle = statistics.median(rates)
    cpu = [r["cpu_seconds"] / r["steps"] for r in runs]
    return {"images_per_second": middle, "cpu_seconds_per_step": statistics.median(cpu), "spread": (max(rates) - min(rates)) / middle,
            "rates": rates, "peak_rss_bytes": max(r["peak_rss_bytes"] for r in runs)}


def measure(a, work):
    ways = EVALUATION if work["stage"] == "eval" else TRAINING
    sides = {"ours": [a.worker, "bench", "--json"]}
    sides.update({w: [sys.executable, TORCH_SIDE, "--layout", w] for w in ways})
    runs = {k: [] for k in sides}
    for _ in range(a.rounds):
        for side, command in sides.items():
            runs[side].append(run(command, a.seconds, a.quick, work))
    result = {**work, "sides": {k: summary(v) for k, v in runs.items()}}
    if a.quick:
        result["batch"] = max(2, work["batch"] // 8)
    sides = result["sides"]
    best = max(ways, key=lambda w: sides[w]["images_per_second"])
    result["torch_best"] = best
    for key, member in (("speed", "images_per_second"), ("memory", "peak_rss_bytes")):
        result[key + "_ratio"] = sides["ours"][member] / sides[best][member]
    result["cpu_ratio"] = (min(sides[w]["cpu_seconds_per_step"] for w in ways)
                           / sides["ours"]["cpu_seconds_per_step"])
    return result


def print_result(r):
    ours, best = r["sides"]["ours"], r["sides"][r["torch_best"]]
    size = "" if r["size"] == 32 else f" {r['size']}x{r['size']}"
    print(f"| {r['model']}{size} {r['stage']} | {r['batch']} | {r['threads']} "
          f"| {ours['images_per_second']:.1f} ±{50 * ours['spread']:.0f} % "
          f"| {best['images_per_second']:.1f} ±{50 * best['spread']:.0f} % "
          f"({r['torch_best']}) | **{r['speed_ratio']:.2f}** | {r['goal']:g} "
          f"| {ours['peak_rss_bytes'] / 2**20:.0f} | {best['peak_rss_bytes'] / 2**20:.0f} "
          f"| {r['memory_ratio']:.2f} | {r['cpu_ratio']:.2f} |", flush=True)


def cpu_name():
    with open("/proc/cpuinfo") as f:
        names = [line.split(":")[1].strip() for line in f if "model name" in line]
    return names[0] if names else platform.machine()


def describe_machine(a):
    engine = run([a.worker, "bench", "--json"], 0, False,
                 row("eval", "resnet10-w8", batch=2))
    torch = run([sys.executable, TORCH_SIDE], 0, False, row("eval", "resnet10-w8", batch=2))
    version = subprocess.run([a.worker, "--version"], stdout=subprocess.PIPE, text=True)
    return {"cpu": cpu_name(), "cores": len(os.sched_getaffinity(0)),
            "load_at_start": os.getloadavg()[0], "ours": version.stdout.strip(),
            "backend": engine["backend"], "torch": torch["torch"],
            "python": platform.python_version(), "rounds": a.rounds,
            "seconds": a.seconds}


def print_head(m):
    print(f"{m['ours']} (backend {m['backend']}) against PyTorch {m['torch']} (Python "
          f"{m['python']}) on {m['cpu']}, {m['cores']} cores, load {m['load_at_start']:.2f} "
          f"at the start; float32, {m['rounds']} rounds of at least {m['seconds']:g} s.\n")
    print("| work | batch | threads | ours, images/s | PyTorch | ratio | goal "
          "| ours, MiB | PyTorch | ratio | CPU ratio |\n" + "|---" * 11 + "|", flush=True)


def choose(patterns):
    chosen = [r for r in ROWS
              if any(fnmatch.fnmatch(r["name"], p) for p in patterns.split(","))]
    if not chosen:
        sys.exit("compare.py: no such row; there are\n  "
                 + "\n  ".join(r["name"] for r in ROWS))
    return chosen


def main():
    p = argparse.ArgumentParser(description="ours against PyTorch; see the file's top",
                                epilog="rows: " + " ".join(r["name"] for r in ROWS))
    p.add_argument("worker", help="path of relusweep-worker")
    p.add_argument("--rows", default="*", help="names or patterns, separated by commas")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=10, help="of each measurement")
    p.add_argument("--quick", action="store_true",
                   help="one round, one step, an eighth of the batch")
    p.add_argument("--json", metavar="FILE", help="writes everything there")
    a = p.parse_args()
    if a.quick:
        a.rounds, a.seconds = 1, 0
    chosen = choose(a.rows)
    if subprocess.run([sys.executable, "-c", "import torch"],
                      stderr=subprocess.DEVNULL).returncode != 0:
        print("skipped: PyTorch is not installed")
        return 77
    machine = describe_machine(a)
    print_head(machine)
    results = []
    for work in chosen:
        results.append(measure(a, work))
        print_result(results[-1])
    if a.json:
        with open(a.json, "w") as f:
            json.dump({"machine": machine, "rows": results}, f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
