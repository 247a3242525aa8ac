"""States the corruptions whose formula is public again, in NumPy and SciPy, and compares
with what `relusweep-worker data corrupt` writes: two programs that share nothing but the
random numbers (Philox4x32-10, drawn in the same order).

usage: corrupt_formulas.py relusweep-worker     exit 0 equal, 1 different, 77 no SciPy

A byte may differ by 1 where a value lies on the border of two bytes; how often is bounded.
Left out: shot noise (its way of drawing is ours), snow and frost (so are their textures);
pixelate and JPEG are compared with Pillow byte for byte in pil_test.
"""
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from scipy import ndimage
except ImportError:
    print("NumPy or SciPy is not installed: skipped")
    sys.exit(77)

N = 6
PURPOSE_CORRUPT = 7  # place in enum rng_purpose
BLOCK_BITS = 24  # of the first counter word, below the purpose
SIDE = 32


class Stream:
    """Philox4x32-10 as worker/engine/rng.h names its streams; seed 0."""

    def __init__(self, epoch, index):
        self.counter = [PURPOSE_CORRUPT << BLOCK_BITS, epoch, index, 0]
        self.words = []

    def block(self):
        c, k = list(self.counter), [0, 0]
        for _ in range(10):
            a, b = 0xCD9E8D57 * c[2], 0xD2511F53 * c[0]
            c = [(a >> 32) ^ c[1] ^ k[0], a & 0xFFFFFFFF,
                 (b >> 32) ^ c[3] ^ k[1], b & 0xFFFFFFFF]
            k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
        self.counter[0] += 1
        self.words = c

    def u32(self):
        if not self.words:
            self.block()
        return self.words.pop(0)

    def uniform(self):
        return (self.u32() >> 8) * 2.0**-24

    def below(self, n):
        while True:
            product = self.u32() * n
            if (product & 0xFFFFFFFF) >= 2**32 % n:
                return product >> 32

    def normal(self):
        radius = np.sqrt(-2 * np.log((self.u32() + 0.5) * 2.0**-32))
        return radius * np.cos(2 * np.pi * (self.u32() + 0.5) * 2.0**-32)


def each_channel(function):
    return lambda x, s, r: np.stack([function(x[c], s, r) for c in range(3)])


def gaussian_noise(x, s, r):
    c = [0.04, 0.06, 0.08, 0.09, 0.10][s]
    return x + c * np.array([r.normal() for _ in range(x.size)]).reshape(x.shape)


def impulse_noise(x, s, r):
    out = x.copy().ravel()
    for i in range(out.size):
        if r.uniform() < np.float32([0.01, 0.02, 0.03, 0.05, 0.07][s]):
            out[i] = r.below(2)
    return out.reshape(x.shape)


def defocus_blur(plane, s, _):
    radius, sigma = [(0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)][s]
    grid = np.arange(-8, 9)
    disk = (grid[:, None] ** 2 + grid[None, :] ** 2 <= radius**2).astype(float)
    line = np.exp(-0.5 * np.arange(-1, 2) ** 2 / sigma**2)
    soft = np.outer(line, line) / np.outer(line, line).sum()
    kernel = ndimage.correlate(disk / disk.sum(), soft, mode="mirror")
    return ndimage.correlate(plane, kernel, mode="mirror")


def glass_blur(x, s, r):
    sigma, delta, rounds = [(0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)][s]

    def blur(v):
        return np.stack([ndimage.gaussian_filter(p, sigma, mode="nearest", truncate=4) for p in v])

    x = np.floor(np.clip(blur(x), 0, 1) * 255 + 1e-3) / 255
    for _ in range(rounds):
        for h in range(SIDE - delta, delta, -1):
            for w in range(SIDE - delta, delta, -1):
                dx, dy = r.below(2 * delta) - delta, r.below(2 * delta) - delta
                x[:, h, w] = x[:, h + dy, w + dx]
    return blur(x)


def motion_blur(x, s, r):
    radius, sigma = [(6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)][s]
    angle = np.deg2rad(-45 + 90 * r.uniform())
    i = np.arange(2 * radius + 1)
    weights = np.exp(-(i**2) / (2 * sigma**2))
    kernel = np.zeros((4 * radius + 3, 4 * radius + 3))
    middle = 2 * radius + 1
    dy = np.ceil(i * np.sin(angle) - 0.5).astype(int)
    dx = np.ceil(i * np.cos(angle) - 0.5).astype(int)
    np.add.at(kernel, (middle + dy, middle + dx), weights / weights.sum())
    out = np.stack([ndimage.correlate(p, kernel, mode="nearest") for p in x])
    return np.round(np.clip(out, 0, 1) * 255) / 255


def zoom_blur(plane, s, _):
    total = plane.copy()
    count = [6, 11, 16, 21, 26][s]
    for z in range(count):
        factor = 1 + 0.01 * z
        kept = int(np.ceil(SIDE / factor))
        top = (SIDE - kept) // 2
        zoomed = ndimage.zoom(plane[top:top + kept, top:top + kept], factor, order=1)
        trim = (zoomed.shape[0] - SIDE) // 2
        total += zoomed[trim:trim + SIDE, trim:trim + SIDE]
    return total / (count + 1)


def plasma(decay, r):
    """The generator's recursion, on whole arrays."""
    size, wibble = SIDE, 100.0
    a = np.zeros((size, size))

    def mean(total):
        u = np.array([r.uniform() for _ in range(total.size)]).reshape(total.shape)
        return total / 4 + wibble * (2 * u - 1) * wibble

    step = size
    while step >= 2:
        half = step // 2
        corner = a[::step, ::step]
        total = corner + np.roll(corner, -1, axis=0)
        a[half::step, half::step] = mean(total + np.roll(total, -1, axis=1))
        down, up = a[half::step, half::step], a[::step, ::step]
        a[::step, half::step] = mean(
            down + np.roll(down, 1, axis=0) + up + np.roll(up, -1, axis=1))
        a[half::step, ::step] = mean(
            down + np.roll(down, 1, axis=1) + up + np.roll(up, -1, axis=0))
        step //= 2
        wibble /= decay
    a -= a.min()
    return a / a.max()


def fog(x, s, r):
    amount, decay = [(0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)][s]
    return (x + amount * plasma(decay, r)) * x.max() / (x.max() + amount)


def brightness(x, s, _):
    added = [0.05, 0.1, 0.15, 0.2, 0.3][s]
    v = x.max(axis=0)
    brighter = np.minimum(v + added, 1)
    return np.where(v > 0, x / np.where(v > 0, v, 1) * brighter, brighter)


def contrast(plane, s, _):
    return (plane - plane.mean()) * [0.75, 0.5, 0.4, 0.3, 0.15][s] + plane.mean()


def elastic_transform(x, s, r):
    alpha, sigma, jitter = [
        (0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05),
        (0.1, 0.03, 0.03)][s]
    middle, third = SIDE // 2, SIDE // 3
    a = np.array([[middle + third, middle + third], [middle + third, middle - third],
                  [middle - third, middle - third]], float)
    b = a + np.array([[(2 * r.uniform() - 1) * jitter * SIDE for _ in range(2)] for _ in range(3)])
    back = np.linalg.solve(np.column_stack([b, np.ones(3)]), a)  # result -> image, (x,y)

    def field():
        v = np.array([2 * r.uniform() - 1 for _ in range(SIDE * SIDE)]).reshape(SIDE, SIDE)
        if sigma > 0:
            v = ndimage.gaussian_filter(v, sigma * SIDE, mode="reflect", truncate=3)
        return v * alpha * SIDE

    dx = field()
    dy = field()
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(float)
    at = np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ back
    out = []
    for plane in x:
        warped = ndimage.map_coordinates(plane, [at[..., 1], at[..., 0]], order=1, mode="mirror")
        out.append(ndimage.map_coordinates(
            warped, [rows + dy, columns + dx], order=1, mode="reflect"))
    return np.stack(out)


# name: place in the benchmark, function, share of bytes that may differ by 1
FORMULAS = {
    "gaussian_noise": (0, gaussian_noise, 0.001),
    "impulse_noise": (2, impulse_noise, 0),
    "defocus_blur": (3, each_channel(defocus_blur), 0.001),
    "glass_blur": (4, glass_blur, 0.02),  # cut twice: more values on a border
    "motion_blur": (5, motion_blur, 0.001),
    "zoom_blur": (6, each_channel(zoom_blur), 0.001),
    "fog": (9, fog, 0.002),
    "brightness": (10, brightness, 0.001),
    "contrast": (11, each_channel(contrast), 0.001),
    "elastic_transform": (12, elastic_transform, 0.002),
}


def differences(images, written, function, place):
    """(largest difference, share of bytes that differ)"""
    worst = wrong = 0
    for severity in range(1, 6):
        for i in range(N):
            stream = Stream(place * 8 + severity, i)
            out = function(images[i] / 255.0, severity - 1, stream)
            expected = np.floor(np.clip(out, 0, 1) * 255 + 1e-3).astype(int)
            ours = written[(severity - 1) * N + i].transpose(2, 0, 1).astype(int)
            worst = max(worst, np.abs(expected - ours).max())
            wrong += (expected != ours).sum()
    return worst, wrong / written.size


def clean_images():
    """Smooth colours with fine structure, as photographs have; one black, one nearly grey."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    images = []
    for i in range(N):
        planes = [
            128 + 70 * np.sin(6 * x * rng.random() + 9 * y * rng.random() + c + i)
            + 20 * rng.standard_normal((SIDE, SIDE))
            for c in range(3)
        ]
        images.append(np.stack(planes))
    images[1] *= 0
    images[2] = 120 + images[2] / 30
    return np.clip(images, 0, 255).astype(np.uint8)


def make(worker, folder, images):
    """Has the worker corrupt the images, as the first of a CIFAR-10 test part."""
    os.mkdir(f"{folder}/cifar-10-batches-bin")
    records = np.zeros((10000, 3073), np.uint8)
    records[:N, 1:] = images.reshape(N, -1)
    records.tofile(f"{folder}/cifar-10-batches-bin/test_batch.bin")
    subprocess.run(
        [worker, "data", "corrupt", "cifar10", "--data-dir", folder, "--images", str(N),
         "--out", f"{folder}/out"], check=True, stdout=subprocess.DEVNULL)


def main(worker):
    images = clean_images()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        make(worker, folder, images)
        for name, (place, function, allowed) in FORMULAS.items():
            written = np.load(f"{folder}/out/{name}.npy")
            assert written.shape == (5 * N, SIDE, SIDE, 3) and written.dtype == np.uint8
            worst, share = differences(images, written, function, place)
            good = worst <= 1 and share <= allowed
            failed += not good
            print(f"{name:20} largest difference {worst}, {share:.5f} of the bytes"
                  f"{'' if good else '  WRONG'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
