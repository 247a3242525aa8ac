#!/usr/bin/python3
"""Compares the attacks of worker/attacks with an independent statement of the same in
PyTorch (double precision, autograd), on what attack_dump writes.

usage: attack_torch.py ATTACK_DUMP

FGSM, PGD and KL-PGD: pixels that end elsewhere are counted and must be below a
hundredth (a gradient within rounding of zero may take the other sign). APGD: which
images break must be the same; the loss of each image that stands must agree within a
thousandth, and its pixels may differ by a twentieth of the ball on average.
Exits with 77 where PyTorch is not installed.
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

torch.set_num_threads(1)
EPS, STEP, STEPS, APGD_STEPS, T = 0.004, 0.001, 7, 40, 4.0
TYPES = {"F32": np.float32, "I64": np.int64}


def load(path):
    with open(path, "rb") as f:
        size, = struct.unpack("<Q", f.read(8))
        header = json.loads(f.read(size))
        data = f.read()
    tensors = {}
    for name, row in header.items():
        begin, end = row["data_offsets"]
        values = np.frombuffer(data[begin:end], TYPES[row["dtype"]])
        tensors[name] = torch.from_numpy(values.reshape(row["shape"]).copy())
    return {n: t.double() if t.is_floating_point() else t for n, t in tensors.items()}


def network(p, x):
    """resnet10-w8 as a student, all ReLUs, eval mode, BN_a; x in [0,1]."""
    def conv(x, name, stride=1):
        w = p[name + ".weight"]
        return F.conv2d(x, w, stride=stride, padding=w.shape[2] // 2)

    def norm(x, name):
        q = [p[f"{name}.BN_a.{k}"]
             for k in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(x, *q, False, 0.1, 1e-5)

    x = F.relu(norm(conv((x - 0.5) / 0.25, "conv1"), "bn1"))
    for g in range(1, 5):
        b, stride = f"layer{g}.0.", 1 if g == 1 else 2
        y = F.relu(norm(conv(x, b + "conv1", stride), b + "bn1"))
        y = norm(conv(y, b + "conv2"), b + "bn2")
        if g > 1:
            x = norm(conv(x, b + "conv_sc", stride), b + "bn_sc")
        x = F.relu(y + x)
    return F.linear(x.mean((2, 3)), p["linear.weight"], p["linear.bias"])


def gradient(p, x, loss_of):
    x = x.clone().requires_grad_()
    logits = network(p, x)
    losses = loss_of(logits)
    return logits.detach(), losses.detach(), torch.autograd.grad(losses.sum(), x)[0]


def project(z, x):
    return torch.clamp(torch.min(torch.max(z, x - EPS), x + EPS), 0, 1)


def pgd(p, x, start, loss_of, steps=STEPS, step=STEP):
    z = x if start is None else torch.clamp(x + EPS * start, 0, 1)
    for _ in range(steps):
        z = project(z + step * gradient(p, z, loss_of)[2].sign(), x)
    return z


def apgd(p, x, start, y):
    """Croce and Hein 2020, algorithm 1, all images of the batch side by side."""
    n, column = len(x), (-1, 1, 1, 1)
    ce = lambda logits: F.cross_entropy(logits, y, reduction="none")
    broken = network(p, x).argmax(1) != y
    result = x.clone()
    fresh = ~broken
    z = torch.clamp(x + EPS * start / start.abs().amax((1, 2, 3), True), 0, 1)
    logits, loss, g = gradient(p, z, ce)
    history = [torch.zeros(n).double()]
    before, best, best_g, best_loss = z, z.clone(), g.clone(), loss.clone()
    at_check, halved = loss.clone(), torch.ones(n, dtype=torch.bool)
    size = torch.full((n,), 2 * EPS).double()

    def note(logits, z):
        now = (logits.argmax(1) != y) & ~broken
        result[now] = z[now]
        broken[now] = True

    note(logits, z)
    interval, since = max(int(0.22 * APGD_STEPS), 1), 0
    for k in range(APGD_STEPS):
        a = 1 if k == 0 else 0.75
        towards = project(z + size.view(column) * g.sign(), x)
        z, before = project(z + a * (towards - z) + (1 - a) * (z - before), x), z
        logits, loss, g = gradient(p, z, ce)
        note(logits, z)
        history.append(loss)
        better = loss > best_loss
        best[better], best_g[better] = z[better], g[better]
        best_loss = torch.where(better, loss, best_loss)
        since += 1
        if since < interval:
            continue
        grown = sum((history[-j] > history[-j - 1]).int() for j in range(1, since + 1))
        stop = (grown <= 0.75 * since) | (~halved & (at_check >= best_loss))
        halved, at_check = stop, best_loss.clone()
        size = torch.where(stop, size / 2, size)
        z, g = z.clone(), g.clone()
        z[stop], g[stop] = best[stop], best_g[stop]
        since = 0
        interval = max(interval - max(int(0.03 * APGD_STEPS), 1),
                       max(int(0.06 * APGD_STEPS), 1))
    stands = ~broken
    result[stands] = best[stands]
    return result, broken, fresh


def moved(a, b):
    return ((a - b).abs() > 1e-6).double().mean().item()


def check(name, value, limit):
    print(f"{name}: {value:.2e} (limit {limit:.0e})")
    return value <= limit


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "dump.safetensors")
        subprocess.run([sys.argv[1], path], check=True)
        p = load(path)
    x, y, start, t = p["x"], p["y"], p["start"], F.softmax(p["teacher"] / T, 1)
    ce = lambda z: F.cross_entropy(z, y, reduction="none")
    kl = lambda z: F.kl_div(F.log_softmax(z / T, 1), t, reduction="none").sum(1)

    good = check("fgsm", moved(pgd(p, x, None, ce, 1, EPS), p["out/fgsm"]), 1e-2)
    good &= check("pgd", moved(pgd(p, x, start, ce), p["out/pgd-7"]), 1e-2)
    good &= check("kl-pgd", moved(pgd(p, x, start, kl), p["out/kl-pgd-7"]), 1e-2)

    result, broken, fresh = apgd(p, x, start, y)
    ours = p["out/apgd-ce"]
    our_logits = network(p, ours)
    stands = ~broken
    print(f"apgd: {int(stands.sum())} of {len(x)} images stand,"
          f" {int((~fresh).sum())} were wrong from the start")
    good &= check("apgd, wrong verdicts",
                  ((our_logits.argmax(1) != y) != broken).double().sum().item(), 0)
    good &= bool(stands.any()) and bool((broken & fresh).any())
    losses, ours_losses = ce(network(p, result))[stands], ce(our_logits)[stands]
    good &= check("apgd, loss", ((losses - ours_losses) / losses).abs().max().item(),
                  1e-3)
    good &= check("apgd, pixels",
                  (result - ours)[stands].abs().mean().item() / EPS, 5e-2)
    good &= bool((ours[~fresh] == x[~fresh]).all())
    print("ok" if good else "FAILED")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
