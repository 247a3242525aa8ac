"""Makes pil_vectors.h: what Pillow answers to the operations that worker/data copies.

usage: pil_vectors.py            prints the header
       pil_vectors.py --check F  makes it anew and compares with the file F: exit 0 equal
                                 (JPEG: within 1, as libjpeg versions may differ),
                                 1 different, 77 no Pillow here

The pictures are drawn by the same arithmetic in pil_vectors.c. All images are planes
(3,h,w). A `case` holds its picture in hexadecimal; a `sum` is the SHA-256 of many.
"""
import hashlib
import re
import sys

try:
    import PIL
    from PIL import Image, ImageOps
except ImportError:
    print("Pillow is not installed: skipped")
    sys.exit(77)

import io

KINDS = 4
SMALL = (20, 16)  # h, w; equalize needs more than 255 pixels
FULL = (32, 32)
# sizes of the sums, and which of the values are taken
SUMS = {FULL: slice(None), (64, 64): slice(None, None, 7), (33, 47): slice(3, None, 9)}


def picture(kind, seed, h, w):
    """gradient with noise | noise | three poor channels | few bright pixels"""
    state = (seed * 2654435761 + 12345) % 2**32
    image = Image.new("RGB", (w, h))
    planes = []
    for c in range(3):
        plane = []
        for y in range(h):
            for x in range(w):
                state = (state * 1664525 + 1013904223) % 2**32
                r = state >> 24
                if kind == 0:
                    v = (5 * x + 3 * y * (c + 1) + r % 16) % 256
                elif kind == 1:
                    v = r
                elif kind == 2:
                    v = (100 + r % 40, 77, 10 if r < 128 else 200)[c]
                else:
                    v = r if r > 200 else 0
                plane.append(v)
        planes.append(plane)
    image.putdata(list(zip(*planes)))
    return image


def planes_of(image):
    return b"".join(band.tobytes() for band in image.split())


def affine(matrix):
    return lambda im, v: im.transform(
        im.size, Image.AFFINE, matrix(v), resample=Image.BILINEAR
    )


def pixelate(im, factor):
    w, h = im.size
    small = im.resize((int(w * factor), int(h * factor)), Image.BOX)
    return small.resize((w, h), Image.BOX)


def jpeg(im, quality):
    file = io.BytesIO()
    im.save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue())).convert("RGB")


# name: function, values of the hexadecimal cases, values of the sum
OPS = {
    "autocontrast": (lambda im, v: ImageOps.autocontrast(im), [0], [0]),
    "equalize": (lambda im, v: ImageOps.equalize(im), [0], [0]),
    "posterize": (lambda im, v: ImageOps.posterize(im, v), [3], [1, 2, 3, 4, 8]),
    "rotate": (
        lambda im, v: im.rotate(v, resample=Image.BILINEAR),
        [-7, 3],
        [*range(-30, 31), 60, 90, 180, 270],
    ),
    "solarize": (
        lambda im, v: ImageOps.solarize(im, v),
        [200],
        [0, 1, 128, 180, 205, 231, 255, 256],
    ),
    "shear_x": (
        affine(lambda v: (1, v, 0, 0, 1, 0)),
        [0.0715],
        [s * (0.1 + 0.029 * i) * 0.3 / 10 for i in range(100) for s in (1, -1)],
    ),
    "shear_y": (
        affine(lambda v: (1, 0, 0, v, 1, 0)),
        [-0.043],
        [s * (0.1 + 0.029 * i) * 0.3 / 10 for i in range(100) for s in (1, -1)],
    ),
    "translate_x": (affine(lambda v: (1, 0, v, 0, 1, 0)), [2], list(range(-40, 41))),
    "translate_y": (affine(lambda v: (1, 0, 0, 0, 1, v)), [-1], list(range(-40, 41))),
}
# name: function, value of each severity, kinds of picture
CORRUPTIONS = {
    "pixelate": (pixelate, [0.95, 0.9, 0.85, 0.75, 0.65], [1]),
    "jpeg_compression": (jpeg, [80, 65, 58, 50, 40], [0, 1]),
}


def row(fields):
    return "    {" + ", ".join(fields) + "},"


def cases():
    for name, (op, values, _) in OPS.items():
        for value in values:
            for kind in range(KINDS):
                data = planes_of(op(picture(kind, 1, *SMALL), value))
                yield row([f'"{name}"', str(kind), repr(float(value)), f'"{data.hex()}"'])


def sums():
    for size, part in SUMS.items():
        for name, (op, _, all_values) in OPS.items():
            digest = hashlib.sha256()
            values = all_values[part] or all_values
            for i, value in enumerate(values):
                for kind in range(KINDS):
                    digest.update(planes_of(op(picture(kind, i, *size), value)))
            listed = ", ".join(repr(float(v)) for v in values)
            yield row([
                f'"{name}"', str(size[0]), str(size[1]), str(len(values)),
                f"{{{listed}}}", f'"{digest.hexdigest()}"',
            ])


def corruptions():
    for name, (op, values, kinds) in CORRUPTIONS.items():
        for i, value in enumerate(values):
            for kind in kinds:
                data = planes_of(op(picture(kind, i, *FULL), value))
                yield row([f'"{name}"', str(kind), str(i + 1), f'"{data.hex()}"'])


def header():
    yield f"/* Made by pil_vectors.py with Pillow {PIL.__version__}; do not edit. */"
    yield "static const struct pil_case pil_cases[] = {"
    yield from cases()
    yield "};"
    yield "static const struct pil_sum pil_sums[] = {"
    yield from sums()
    yield "};"
    yield "static const struct pil_corruption pil_corruptions[] = {"
    yield from corruptions()
    yield "};"


def near(ours, theirs):
    """Equal, or JPEG rows whose bytes differ by at most 1."""
    if ours == theirs:
        return True
    if '"jpeg_compression"' not in ours or '"jpeg_compression"' not in theirs:
        return False
    a, b = (bytes.fromhex(re.search(r'"([0-9a-f]{100,})"', s)[1]) for s in (ours, theirs))
    return len(a) == len(b) and all(abs(x - y) <= 1 for x, y in zip(a, b))


def check(path):
    with open(path, encoding="ascii") as file:
        kept = file.read().splitlines()[1:]
    made = list(header())[1:]
    wrong = [i for i, (a, b) in enumerate(zip(kept, made)) if not near(a, b)]
    if len(kept) == len(made) and not wrong:
        print(f"{len(made)} lines agree with Pillow {PIL.__version__}")
        return 0
    print(f"{len(kept)} lines kept, {len(made)} made; different:")
    for i in wrong[:10]:
        print(f"line {i + 2}: {made[i][:70]}")
    return 1


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        sys.exit(check(sys.argv[2]))
    print("\n".join(header()))
