#!/usr/bin/python3
"""Times `relusweep-worker bench` against PyTorch on the same work: one command prints the
whole table of speed and memory as markdown, and writes it as JSON.

usage: compare.py WORKER [--rows NAME,...] [--rounds R] [--seconds S] [--quick] [--json F]

A row begins with PyTorch in each of its ways, up to three times in turn (contiguous,
channels_last; in evaluation also traced and optimised for inference), of which the fastest
goes on. Then come rounds of short measurements, ours and PyTorch's in turn, so that a
machine that becomes slow is slow for both; each side is a process that lives through all
rounds and waits for its turn, and peak memory is each one's own. What disturbs only makes
things slower, so the ratio is that of the best of each side; how far its median is below
that is printed too, as is the median of the rounds' own ratios: where it is far from the
first, measure again. PyTorch's side is torch_side.py, which is checked against an
independent statement. Exits with 77 where PyTorch is not installed.
"""
import argparse
import fnmatch
import json
import os
import platform
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TORCH_SIDE = os.path.join(HERE, "torch_side.py")
# what would change a library's choices behind our back
PINS = ("OPENBLAS_CORETYPE", "DNNL_MAX_CPU_ISA", "ONEDNN_MAX_CPU_ISA", "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ATEN_CPU_CAPABILITY")
CHOOSING = 3  # rounds of PyTorch's ways
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


class Side:
    """A process that measures once whenever it is told to."""

    def __init__(self, command, seconds, work):
        env = {k: v for k, v in os.environ.items() if k not in PINS}
        options = {k: work[k] for k in ("stage", "model", "batch", "threads", "size")}
        for name, value in {**options, "seconds": seconds}.items():
            command = command + [f"--{name}", str(value)]
        self.command = command + ["--paced"]
        self.process = subprocess.Popen(self.command, env=env, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, bufsize=0)

    def measure(self):
        self.process.stdin.write(b"\n")
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"compare.py: {' '.join(self.command)} ended with "
                     f"{self.process.wait()}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def ours(a, work):
    return Side([a.worker, "bench", "--json"], a.seconds, work)


def torch(a, work, way):
    return Side([sys.executable, TORCH_SIDE, "--layout", way], a.seconds, work)


def summary(runs):
    rates = [r["images_per_second"] for r in runs]
    best = max(rates)
    return {"images_per_second": best, "below": 1 - statistics.median(rates) / best,
            "rates": rates, "cpu_seconds": sum(r["cpu_seconds"] for r in runs),
            "peak_rss_bytes": max(r["peak_rss_bytes"] for r in runs)}


def choose_way(a, work):
    """The fastest of PyTorch's ways: its name, its process, and the best rates of all,
    measured in turn up to three times, as a single one may be disturbed."""
    ways = EVALUATION if work["stage"] == "eval" else TRAINING
    sides, rates = {way: torch(a, work, way) for way in ways}, dict.fromkeys(ways, 0)
    begin, rounds = time.monotonic(), 0
    while rounds == 0 or (rounds < CHOOSING and time.monotonic() - begin < a.limit / 8):
        for way, side in sides.items():
            rates[way] = max(rates[way], side.measure()["images_per_second"])
        rounds += 1
    chosen = max(ways, key=rates.get)
    for way in ways:
        if way != chosen:
            sides[way].close()
    return chosen, sides[chosen], rates


def measure(a, work):
    begin = time.monotonic()
    way, theirs, ways = choose_way(a, work)
    own, rounds = ours(a, work), []
    own.measure()  # what is first takes longer
    while len(rounds) < a.rounds and (not rounds or time.monotonic() - begin < a.limit):
        rounds.append((own.measure(), theirs.measure()))
    own.close()
    theirs.close()
    result = {**work, "way": way, "ways": ways, "ours": summary([r[0] for r in rounds]),
              "torch": summary([r[1] for r in rounds])}
    for key, member in (("speed", "images_per_second"), ("memory", "peak_rss_bytes")):
        result[key + "_ratio"] = result["ours"][member] / result["torch"][member]
    result["median_ratio"] = statistics.median(
        r[0]["images_per_second"] / r[1]["images_per_second"] for r in rounds)
    return result


def print_result(r):
    ours, theirs = r["ours"], r["torch"]
    size = "" if r["size"] == 32 else f" {r['size']}x{r['size']}"
    print(f"| {r['model']}{size} {r['stage']} | {r['batch']} | {r['threads']} "
          f"| {ours['images_per_second']:.1f} -{100 * ours['below']:.0f} % "
          f"| {theirs['images_per_second']:.1f} -{100 * theirs['below']:.0f} % "
          f"({r['way']}) | **{r['speed_ratio']:.2f}** | {r['median_ratio']:.2f} "
          f"| {r['goal']:g} | {ours['peak_rss_bytes'] / 2**20:.0f} "
          f"| {theirs['peak_rss_bytes'] / 2**20:.0f} | {r['memory_ratio']:.2f} |",
          flush=True)


def cpu_name():
    with open("/proc/cpuinfo") as f:
        names = [line.split(":")[1].strip() for line in f if "model name" in line]
    return names[0] if names else platform.machine()


def describe_machine(a):
    smallest = row("eval", "resnet10-w8", batch=2)
    sides = [ours(a, smallest), torch(a, smallest, "nchw")]
    engine, library = (s.measure() for s in sides)
    for side in sides:
        side.close()
    version = subprocess.run([a.worker, "--version"], stdout=subprocess.PIPE, text=True)
    return {"cpu": cpu_name(), "cores": len(os.sched_getaffinity(0)),
            "load_at_start": os.getloadavg()[0], "ours": version.stdout.strip(),
            "backend": engine["backend"], "torch": library["torch"],
            "python": platform.python_version(), "rounds": a.rounds,
            "seconds": a.seconds}


def print_head(m):
    print(f"{m['ours']} (backend {m['backend']}) against PyTorch {m['torch']} (Python "
          f"{m['python']}) on {m['cpu']}, {m['cores']} cores, load {m['load_at_start']:.2f} "
          f"at the start; float32, at most {m['rounds']} rounds of {m['seconds']:g} s or a "
          "step; the best of each, and how far the median is below it.\n")
    print("| work | batch | threads | ours, images/s | PyTorch | ratio | median | goal "
          "| ours, MiB | PyTorch | ratio |\n" + "|---" * 11 + "|", flush=True)


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
    p.add_argument("--rounds", type=int, default=15, help="of a row, at most")
    p.add_argument("--seconds", type=float, default=1, help="of each measurement")
    p.add_argument("--limit", type=float, default=80,
                   help="seconds after which a row has no further round")
    p.add_argument("--batch", type=int, help="instead of the row's own")
    p.add_argument("--quick", action="store_true",
                   help="one round, one step, an eighth of the batch")
    p.add_argument("--json", metavar="FILE", help="writes everything there")
    a = p.parse_args()
    if a.quick:
        a.rounds, a.seconds = 1, 0
    chosen = choose(a.rows)
    if a.batch or a.quick:
        chosen = [{**r, "batch": a.batch or max(2, r["batch"] // 8)} for r in chosen]
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
