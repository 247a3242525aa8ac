"""Makes picture_vectors.h: small picture files of Pillow's and the pixels in them.

usage: picture_vectors.py     prints the header
"""
import io

import PIL
from PIL import Image

H, W = 9, 13


def picture():
    data = [
        ((19 * x) % 256, (23 * y + 5 * x) % 256, 255 if x > y else 40)
        for y in range(H)
        for x in range(W)
    ]
    image = Image.new("RGB", (W, H))
    image.putdata(data)
    return image


def with_alpha():
    image = picture().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize((W, H)))
    return image


CASES = {
    "jpeg": (picture(), {"format": "JPEG", "quality": 85}),
    "jpeg, full chroma": (picture(), {"format": "JPEG", "subsampling": 0}),
    "jpeg, progressive": (picture(), {"format": "JPEG", "progressive": True}),
    "jpeg, grey": (picture().convert("L"), {"format": "JPEG"}),
    "png": (picture(), {"format": "PNG"}),
    "png, grey": (picture().convert("L"), {"format": "PNG"}),
    "png, two values": (picture().convert("1"), {"format": "PNG"}),
    "png, palette": (picture().quantize(7), {"format": "PNG"}),
    "png, transparency": (with_alpha(), {"format": "PNG"}),
}

print(f"/* Made by picture_vectors.py with Pillow {PIL.__version__}; do not edit. */")
print("static const struct picture_case picture_cases[] = {")
for name, (image, options) in CASES.items():
    file = io.BytesIO()
    image.save(file, **options)
    rgb = Image.open(io.BytesIO(file.getvalue())).convert("RGB").tobytes()
    print(f'    {{"{name}", {H}, {W}, "{file.getvalue().hex()}", "{rgb.hex()}"}},')
print("};")
