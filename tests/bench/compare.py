#!/usr/bin/python3
"""Times `relusweep-worker bench` against PyTorch on the same work, and prints a table.

usage: compare.py WORKER [--model M] [--batch N] [--threads T] [--stages a,b]
                  [--rounds R] [--seconds S]

Each round runs first ours, then PyTorch (contiguous and channels_last; the faster median
counts), each as a process of its own, so that a busy machine slows all of them and peak
memory is each one's own. The steps of PyTorch are those that trace_torch.py checks our
results with, in float32. It is not tuned further: step() there computes the teacher on
the clean half twice and copies the gradients, a few hundredths of a step.
Exits with 77 where PyTorch is not installed.
"""
import argparse
import ast
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = os.path.join(HERE, "..", "worker", "pipeline", "trace_torch.py")
CLASSES, SIZE = 100, 32


def load_steps():
    """The definitions of trace_torch.py, without its last statement, main()."""
    with open(STEPS) as f:
        tree = ast.parse(f.read())
    tree.body.pop()
    names = {"__name__": "trace_torch"}
    exec(compile(tree, STEPS, "exec"), names)
    names["BLOCKS"].update({"resnet10-w16": (16, (1, 1, 1, 1))})
    return names


def float_net(steps, model, role, memory_format):
    """A network in float32; students keep every tenth ReLU, as in bench.c."""

    class FloatNet(steps["Net"]):
        def act(self, x):
            if self.declaring:
                return super().act(x)
            if self.role == "student":
                y = torch.where(self.kept[len(self.maps)], torch.relu(x), x)
            else:
                y = torch.relu(x)
            self.maps.append(y)
            return y

        def forward(self, x, path, train):
            if not self.declaring:
                x = x.float().contiguous(memory_format=memory_format)
            return super().forward(x, path, train)

    net = FloatNet(model, role, CLASSES, SIZE, 1)
    for name, value in net.p.items():
        if value.is_floating_point():
            value = value.float()
            if value.dim() == 4:
                value = value.contiguous(memory_format=memory_format)
            net.p[name] = value
    net.kept = [(torch.arange(m.numel()) % 10 == 0).view(m.shape) for m in net.masks]
    return net


def make_work(steps, a):
    """A function that does one step (or one evaluation) of the stage."""
    layout = torch.channels_last if a.layout == "nhwc" else torch.contiguous_format
    teacher_like = a.stage in ("teacher", "ce", "eval")
    net = float_net(steps, a.model, "teacher" if teacher_like else "student", layout)
    teacher = None if teacher_like else float_net(steps, a.model, "teacher", layout)
    data = steps["make_data"](a.batch, SIZE, CLASSES, np.random.default_rng(3))
    x, x_aug, y, start = (torch.from_numpy(data[k])
                          for k in ("x", "x_aug", "y", "attack_start"))
    c = {"stage": a.stage, "eps": 8 / 255, "attack_step": 2 / 255, "attack_steps": 7,
         "ce_attack": teacher is None, "temperature": 4.0, "mean": [0.5] * 3,
         "std": [0.25] * 3, "pram_form": "released", "pram_views": "clean,aug",
         "weights": {"teacher": {"ce": 1}, "mask": {"ce": 0.5, "kl": 0.5}}.get(
             a.stage, steps["RELEASED"])}
    if a.stage == "eval":
        def evaluate():
            with torch.no_grad():
                net.forward(x, 0, False)
        return evaluate
    sgd = torch.optim.SGD([p.requires_grad_() for p in net.trained().values()], 0.01, 0.9,
                          weight_decay=5e-4)

    def train():
        if a.stage == "ce":
            sgd.zero_grad(set_to_none=True)
            F.cross_entropy(net.forward(x, 0, True), y).backward()
        else:
            steps["step"](net, teacher, (x, x_aug, y, start), c, None)
        sgd.step()
    return train


def torch_side(a):
    work = make_work(load_steps(), a)
    torch.set_num_threads(a.threads)
    work()
    begin, n = time.monotonic(), 0
    while n == 0 or time.monotonic() - begin < a.seconds:
        work()
        n += 1
    rate = n * a.batch / (time.monotonic() - begin)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"images_per_second": rate, "peak_rss_bytes": peak}))


def run_side(command, a, stage):
    env = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"}
    options = {"stage": stage, "model": a.model, "batch": a.batch, "threads": a.threads,
               "seconds": a.seconds}
    for name, value in options.items():
        command = command + [f"--{name}", str(value)]
    return json.loads(subprocess.run(command, check=True, env=env,
                                     stdout=subprocess.PIPE).stdout)


def compare(a, stage):
    here = [sys.executable, os.path.abspath(__file__), a.worker, "--layout"]
    sides = {"ours": [a.worker, "bench", "--json"],
             "nchw": here + ["nchw"], "nhwc": here + ["nhwc"]}
    runs = {k: [] for k in sides}
    for _ in range(a.rounds):
        for k, command in sides.items():
            runs[k].append(run_side(command, a, stage))
    rate = {k: statistics.median(r["images_per_second"] for r in v)
            for k, v in runs.items()}
    peak = {k: max(r["peak_rss_bytes"] for r in v) / 2**20 for k, v in runs.items()}
    best = max(("nchw", "nhwc"), key=rate.get)
    print(f"{stage:9}{rate['ours']:10.1f}{rate[best]:10.1f} {best}"
          f"{rate['ours'] / rate[best]:8.2f}{peak['ours']:10.0f}{peak[best]:10.0f}"
          f"{peak['ours'] / peak[best]:8.2f}", flush=True)


def cpu_name():
    with open("/proc/cpuinfo") as f:
        names = [line.split(":")[1].strip() for line in f if "model name" in line]
    return names[0] if names else platform.machine()


def main():
    p = argparse.ArgumentParser(description="ours against PyTorch, see the top")
    p.add_argument("worker")
    p.add_argument("--model", default="resnet10-w8")
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--stages", default="teacher,mask,finetune,ce,eval")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=2)
    p.add_argument("--layout", help=argparse.SUPPRESS)  # one measurement of PyTorch
    p.add_argument("--stage", help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.layout:
        return torch_side(a)
    print(f"{cpu_name()}; PyTorch {torch.__version__}; {a.model}, batch {a.batch}, "
          f"{a.threads} threads, {a.rounds} rounds of {a.seconds} s")
    print(f"{'stage':9}{'ours im/s':>10}{'torch':>10}     {'ratio':>8}{'ours MiB':>10}"
          f"{'torch':>10}{'ratio':>8}")
    for stage in a.stages.split(","):
        compare(a, stage)


main()
