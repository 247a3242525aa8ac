#!/usr/bin/python3
"""The steps of RLNet and plain training in PyTorch, as fast as PyTorch does them: what
compare.py measures ours against.

usage: torch_side.py --stage S --model M [...]   times one kind of work, prints JSON
       torch_side.py --check                      compares a step of each with trace_torch

Written from the formulas. Everything is float32; the teacher sees an image once; a view
is differentiated as soon as its losses are there, so that one view's graph is alive at a
time and gradients add up in place; maps are kept only where a loss or score reads them;
activations work in place or as one autograd function; masked gradients of the weights are
not computed in the attack; SGD is the foreach one. Evaluation can be traced and
optimised for inference (batch norm folded, oneDNN's layouts throughout).
Exits with 77 where PyTorch is not installed.
"""
import argparse
import json
import os
import resource
import sys
import time

try:
    import numpy as np
    import torch
    import torch.nn.functional as F
    from torch import nn
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

RESNETS = {  # width of the first group, blocks of each
    "resnet18": (64, (2, 2, 2, 2)), "resnet34": (64, (3, 4, 6, 3)),
    "resnet18-w16": (16, (2, 2, 2, 2)), "resnet10-w16": (16, (1, 1, 1, 1)),
    "resnet10-w8": (8, (1, 1, 1, 1)),
}
LAYOUTS = {"nchw": torch.contiguous_format, "nhwc": torch.channels_last}
EPS, ATTACK_STEP, ATTACK_STEPS, TEMPERATURE = 8 / 255, 2 / 255, 7, 4.0
WEIGHTS = {"teacher": {"ce": 1}, "mask": {"ce": 0.5, "kl": 0.5},
           "finetune": {"ce": 0.5, "kl": 0.5, "pram": 1000}}

# ---- networks ---------------------------------------------------------------------------


class MaskedRelu(torch.autograd.Function):
    """relu where low is 0, identity where it is -inf: one pass each way."""

    @staticmethod
    def forward(ctx, z, low):
        y = torch.maximum(z, low)
        ctx.save_for_backward(y, low)
        return y

    @staticmethod
    def backward(ctx, g):
        y, low = ctx.saved_tensors
        return torch.where(y > low, g, 0.0), None


class Act(nn.Module):
    """low: (1,C,H,W), or None: all units are ReLUs."""

    def __init__(self):
        super().__init__()
        self.low, self.keep, self.out = None, False, None

    def forward(self, z):
        y = F.relu(z, inplace=True) if self.low is None else MaskedRelu.apply(z, self.low)
        if self.keep:
            self.out = y
        return y


class Norm(nn.Module):
    """One batch norm for each kind of input."""

    def __init__(self, channels):
        super().__init__()
        self.BN_c, self.BN_a = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        self.path = 0

    def forward(self, x):
        return (self.BN_a if self.path else self.BN_c)(x)


def conv(c, k, kernel=3, stride=1):
    return nn.Conv2d(c, k, kernel, stride, kernel // 2, bias=False)


class BasicBlock(nn.Module):
    def __init__(self, c, k, stride, teacher):
        super().__init__()
        self.conv1, self.bn1, self.act1 = conv(c, k, 3, stride), Norm(k), Act()
        self.conv2, self.bn2, self.act2 = conv(k, k), Norm(k), Act()
        self.teacher, self.projects = teacher, stride != 1 or c != k
        if self.projects and teacher:  # one batch norm for both paths, as released
            self.shortcut = nn.Sequential(conv(c, k, 1, stride), nn.BatchNorm2d(k))
        elif self.projects:
            self.conv_sc, self.bn_sc = conv(c, k, 1, stride), Norm(k)

    def short(self, x):
        if not self.projects:
            return x
        return self.shortcut(x) if self.teacher else self.bn_sc(self.conv_sc(x))

    def forward(self, x):
        y = self.bn2(self.conv2(self.act1(self.bn1(self.conv1(x)))))
        y += self.short(x)
        return self.act2(y)


class WideBlock(nn.Module):
    def __init__(self, c, k, stride):
        super().__init__()
        self.bn1, self.act1, self.conv1 = Norm(c), Act(), conv(c, k, 3, stride)
        self.bn2, self.act2, self.conv2 = Norm(k), Act(), conv(k, k)
        self.convShortcut = conv(c, k, 1, stride) if c != k else None

    def forward(self, x):
        y = self.act1(self.bn1(x))
        skip = x if self.convShortcut is None else self.convShortcut(y)
        z = self.conv2(self.act2(self.bn2(self.conv1(y))))
        return z.add_(skip)


class ResNet(nn.Module):
    def __init__(self, name, classes, teacher):
        super().__init__()
        width, blocks = RESNETS[name]
        self.conv1, self.bn1, self.act = conv(3, width), Norm(width), Act()
        c, self.groups = width, []
        for g, n in enumerate(blocks):
            k = width << g
            group = nn.Sequential(*(BasicBlock(c if i == 0 else k, k,
                                               2 if g > 0 and i == 0 else 1, teacher)
                                    for i in range(n)))
            setattr(self, f"layer{g + 1}", group)
            self.groups.append(group)
            c = k
        self.linear = nn.Linear(c, classes)

    def features(self, x):
        x = self.act(self.bn1(self.conv1(x)))
        outs = []
        for group in self.groups:
            x = group(x)
            outs.append(x)
        return x, outs

    def classify(self, x):
        return self.linear(x.mean((2, 3)))


class WideResNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.conv1, c, self.groups = conv(3, 16), 16, []
        for g, k in enumerate((128, 256, 512)):
            block = nn.Module()
            block.layer = nn.Sequential(*(WideBlock(c if i == 0 else k, k,
                                                    2 if g > 0 and i == 0 else 1)
                                          for i in range(3)))
            setattr(self, f"block{g + 1}", block)
            self.groups.append(block.layer)
            c = k
        self.bn1, self.act, self.fc = Norm(c), Act(), nn.Linear(c, classes)

    def features(self, x):
        x, outs = self.conv1(x), []
        for group in self.groups:
            x = group(x)
            outs.append(x)
        return self.act(self.bn1(x)), outs

    def classify(self, x):
        return self.fc(x.mean((2, 3)))


class Net(nn.Module):
    """A network on images in [0,1], on one of its paths."""

    def __init__(self, name, classes, teacher, mean, std):
        super().__init__()
        self.body = WideResNet(classes) if name.startswith("wrn") \
            else ResNet(name, classes, teacher)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("scale", 1 / torch.tensor(std).view(1, 3, 1, 1))
        self.norms = [m for m in self.modules() if isinstance(m, Norm)]
        self.acts = [m for m in self.modules() if isinstance(m, Act)]

    def run(self, x, path):
        """Logits and the groups' outputs."""
        for norm in self.norms:
            norm.path = path
        last, groups = self.body.features((x - self.mean) * self.scale)
        return self.body.classify(last), groups

    def forward(self, x):
        return self.run(x, 0)[0]

    def set_masks(self, masks, layout):
        """masks: (C,H,W) each, 1 where a ReLU stays."""
        zero, free = torch.tensor(0.0), torch.tensor(-float("inf"))
        for act, mask in zip(self.acts, masks):
            low = torch.where(mask.bool(), zero, free).unsqueeze(0)
            act.low = low.contiguous(memory_format=layout)


# ---- losses and attack -------------------------------------------------------------------


def kl(s, t):
    return TEMPERATURE ** 2 * F.kl_div(F.log_softmax(s / TEMPERATURE, 1),
                                       F.softmax(t / TEMPERATURE, 1),
                                       reduction="batchmean")


def attention(f):
    return F.normalize(f.pow(2).mean(1).flatten(1))


def pram(s, t):
    return sum(F.mse_loss(attention(a), attention(b)) for a, b in zip(s, t))


def pgd(net, x, start, loss):
    net.eval()
    low, high = (x - EPS).clamp_(0, 1), (x + EPS).clamp_(0, 1)
    x_adv = x.add(start, alpha=EPS).clamp_(0, 1)
    for _ in range(ATTACK_STEPS):
        x_adv.requires_grad_()
        g, = torch.autograd.grad(loss(net.run(x_adv, 1)[0]), x_adv)
        with torch.no_grad():
            x_adv = torch.clamp(x_adv + ATTACK_STEP * g.sign_(), low, high)
    net.train()
    return x_adv


# ---- one step ---------------------------------------------------------------------------


class Step:
    """One optimiser step of a stage; `losses` are those of the last run, unweighted."""

    def __init__(self, stage, student, teacher):
        self.stage, self.student, self.teacher = stage, student, teacher
        self.weights = WEIGHTS[stage]
        self.maps = stage == "mask"
        self.losses, self.scores, self.x_adv = {}, None, None
        self.sgd = torch.optim.SGD(student.parameters(), 0.01, 0.9, weight_decay=5e-4,
                                   foreach=True)

    def add(self, term, value, share):
        """The term's part of the total loss, by its share of a view."""
        self.losses[term] = self.losses.get(term, 0) + value.detach() * share
        return self.weights[term] * share * value

    def view(self, x, path, y, target, groups):
        logits, own = self.student.run(x, path)
        loss = self.add("ce", F.cross_entropy(logits, y), 1 / 3)
        if target is not None:
            loss = loss + self.add("kl", kl(logits, target), 1 / 3)
        if groups is not None:
            loss = loss + self.add("pram", pram(own, groups), 1 / 2)
        loss.backward()

    def keep_maps(self, on):
        for act in self.student.acts + self.teacher.acts:
            act.keep = on and self.maps
            if not on:
                act.out = None

    def add_scores(self, h):
        with torch.no_grad():
            d = [(t.out[:h] - s.out).abs_().sum(0)
                 for s, t in zip(self.student.acts, self.teacher.acts)]
            self.scores = d if self.scores is None else torch._foreach_add(self.scores, d)

    def run(self, x, x_aug, y, start, optimise=True):
        h = len(x) // 2
        wants_groups = "pram" in self.weights
        target = clean = aug = None
        self.losses = {}
        self.sgd.zero_grad(set_to_none=True)
        if self.teacher is not None:
            with torch.no_grad():
                self.keep_maps(True)
                target, clean = self.teacher.run(x, 0)
                clean = [g[:h] for g in clean] if wants_groups else None
        self.view(x[:h], 0, y[:h], None if target is None else target[:h], clean)
        if self.teacher is not None:
            if self.maps:
                self.add_scores(h)
            self.keep_maps(False)
        clean = None
        if wants_groups:
            with torch.no_grad():
                aug = self.teacher.run(x_aug[:h], 0)[1]
        self.view(x_aug[:h], 0, y[:h], None if target is None else target[:h], aug)
        aug = None
        if target is None:
            self.x_adv = pgd(self.student, x[h:], start[h:],
                             lambda z: F.cross_entropy(z, y[h:], reduction="sum"))
        else:
            self.x_adv = pgd(self.student, x[h:], start[h:], lambda z: kl(z, target[h:]))
        self.view(self.x_adv, 1, y[h:], None if target is None else target[h:], None)
        if optimise:
            self.sgd.step()


# ---- measuring ---------------------------------------------------------------------------


def thin(net, size, layout):
    """A student keeps every tenth ReLU, as in bench.c."""
    shapes = []
    hooks = [act.register_forward_hook(lambda m, i, o: shapes.append(o.shape[1:]))
             for act in net.acts]
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, size, size))
    for hook in hooks:
        hook.remove()
    net.set_masks([(torch.arange(s.numel()) % 10 == 0).view(s) for s in shapes], layout)


def make_net(a, teacher):
    layout = LAYOUTS[a.layout.split("-")[0]]
    net = Net(a.model, a.classes, teacher, [0.5] * 3, [0.25] * 3)
    net = net.to(memory_format=layout)
    if not teacher:
        thin(net, a.size, layout)
    return net


def make_evaluation(net, a, x):
    net.eval()
    if a.layout.endswith("-jit"):
        with torch.no_grad():
            net = torch.jit.optimize_for_inference(torch.jit.freeze(
                torch.jit.trace(net, x[:2])))

    def evaluate():
        with torch.inference_mode():
            net(x)
    return evaluate


def make_work(a):
    """A function that does one step (or one evaluation) of the stage."""
    layout = LAYOUTS[a.layout.split("-")[0]]
    shape = (a.batch, 3, a.size, a.size)
    x, x_aug = (torch.rand(shape).contiguous(memory_format=layout) for _ in "ab")
    start = torch.rand(shape).mul_(2).sub_(1).contiguous(memory_format=layout)
    y = torch.arange(a.batch) % a.classes
    alone = a.stage in ("teacher", "ce", "eval")
    net = make_net(a, alone)
    if a.stage == "eval":
        return make_evaluation(net, a, x)
    if a.stage != "ce":
        step = Step(a.stage, net.train(), None if alone else make_net(a, True).eval())
        return lambda: step.run(x, x_aug, y, start)
    net.train()
    sgd = torch.optim.SGD(net.parameters(), 0.01, 0.9, weight_decay=5e-4, foreach=True)

    def train():
        sgd.zero_grad(set_to_none=True)
        F.cross_entropy(net(x), y).backward()
        sgd.step()
    return train


def measure(work, a):
    begin, cpu_begin, n = time.monotonic(), time.process_time(), 0
    while n == 0 or time.monotonic() - begin < a.seconds:
        work()
        n += 1
    seconds, cpu_seconds = time.monotonic() - begin, time.process_time() - cpu_begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"images_per_second": n * a.batch / seconds, "steps": n,
                      "seconds": seconds, "cpu_seconds": cpu_seconds,
                      "peak_rss_bytes": peak, "torch": torch.__version__}), flush=True)


def measure_all(a):
    """After one step, or paced by the lines of the standard input as our bench."""
    torch.set_num_threads(a.threads)
    torch.set_flush_denormal(True)
    work = make_work(a)
    for _ in range(3 if a.layout.endswith("-jit") else 0):  # the first runs optimise
        work()
    if a.paced:
        for _ in sys.stdin:
            measure(work, a)
    else:
        work()
        measure(work, a)


# ---- the same numbers as the plain statement ----------------------------------------------


def load_reference():
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, os.path.join(here, "..", "worker", "pipeline"))
    import trace_torch
    return trace_torch


def copy_of(reference, plain, mean, std, layout):
    """Our network with the parameters of one of trace_torch."""
    net = Net(plain.model, plain.classes, plain.role == "teacher", mean, std)
    net.body.load_state_dict({k: v.detach().clone() for k, v in plain.p.items()})
    net = net.to(memory_format=layout)
    if plain.role == "student":
        net.set_masks(plain.masks, layout)
    return net


def check_stage(reference, model, stage, layout):
    """Losses within 1e-4, gradients and scores within 1e-3 of their norm."""
    size, classes, n = (8, 10, 4) if model.startswith("wrn") else (16, 10, 10)
    mean, std = [0.5071, 0.4867, 0.4408], [0.2675, 0.2565, 0.2761]
    alone = stage == "teacher"
    plain = reference.Net(model, "teacher" if alone else "student", classes, size, 1)
    teacher = None if alone else reference.Net(model, "teacher", classes, size, 2)
    data = reference.make_data(n, size, classes, np.random.default_rng(3))
    data = [torch.from_numpy(data[k]) for k in ("x", "x_aug", "y", "attack_start")]
    fast = [v.contiguous(memory_format=LAYOUTS[layout]) if v.dim() == 4 else v
            for v in data]
    ours = copy_of(reference, plain, mean, std, LAYOUTS[layout])
    step = Step(stage, ours.train(), None if alone else
                copy_of(reference, teacher, mean, std, LAYOUTS[layout]).eval())
    step.run(*fast, optimise=False)

    c = {**reference.complete({"stage": stage}), "eps": EPS, "attack_step": ATTACK_STEP,
         "attack_steps": ATTACK_STEPS, "temperature": TEMPERATURE,
         "weights": WEIGHTS[stage], "mean": mean, "std": std}
    for p in plain.trained().values():
        p.requires_grad_()
    exact = [v.double() if v.is_floating_point() else v for v in data]
    want = reference.step(plain, teacher, exact, c, step.x_adv.double())
    flips = ((step.x_adv.double() - want["x_adv"]).abs() > 1e-5).double().mean().item()
    far = {"x_adv": flips / 0.1}
    for term, value in step.losses.items():
        w = want["loss/" + term].item()
        far["loss/" + term] = abs(value.item() - w) / abs(w) / 1e-4
    for name, p in ours.body.named_parameters():
        far["grad/" + name] = reference.distance(p.grad, want["grad/" + name]) / 1e-3
    for i, d in enumerate(step.scores or ()):
        far[f"score/{i}"] = reference.distance(d, want[f"score/{i}"]) / 1e-3
    if len(far) < 1 + len(WEIGHTS[stage]) + len(plain.trained()):
        far["something is missing"] = float("inf")
    worst = max(far, key=far.get)
    print(f"{'ok  ' if far[worst] <= 1 else 'FAIL'} {model:12}{stage:9}{layout}: "
          f"{flips:.2%} of the pixels differ; {worst} at {far[worst]:.2f} of its limit")
    return far[worst] <= 1


def check():
    reference = load_reference()
    ok = True
    for stage in WEIGHTS:
        for layout in LAYOUTS:
            ok &= check_stage(reference, "resnet10-w8", stage, layout)
    ok &= check_stage(reference, "wrn-22-8", "mask", "nchw")
    return 0 if ok else 1


def main():
    p = argparse.ArgumentParser(description="PyTorch's side, see the top")
    p.add_argument("--check", action="store_true")
    p.add_argument("--stage", default="finetune",
                   choices=("teacher", "mask", "finetune", "ce", "eval"))
    p.add_argument("--model", default="resnet18")
    p.add_argument("--layout", default="nchw", choices=("nchw", "nhwc", "nchw-jit",
                                                        "nhwc-jit"))
    p.add_argument("--batch", type=int, default=128)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--classes", type=int, default=100)
    p.add_argument("--size", type=int, default=32)
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--paced", action="store_true")
    a = p.parse_args()
    return check() if a.check else measure_all(a)


if __name__ == "__main__":
    sys.exit(main())
