/* What Pillow answers, byte for byte: the operations of AugMix, the box filter, JPEG. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shared/base/sha256.h"
#include "tests/worker/data/pictures.h"
#include "worker/data/augment/augmix.h"
#include "worker/data/corrupt/corrupt.h"

enum { SMALL_H = 20, SMALL_W = 16, SIDE = 32, MAX_VALUES = 256 };
enum { SMALL = 3 * SMALL_H * SMALL_W, FULL = 3 * SIDE * SIDE };
enum { SIZES = 3, LARGEST = 3 * 64 * 64 };

struct pil_case {
    const char *op;
    int kind;
    double value;
    const char *hex;
};
struct pil_sum {
    const char *op;
    int h, w;
    int count;
    double values[MAX_VALUES];
    const char *sha256;
};
struct pil_corruption {
    const char *name;
    int kind, severity;
    const char *hex;
};
#include "tests/worker/data/pil_vectors.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct augmix_op *
find_op(const char *name)
{
    for (int i = 0; i < augmix_op_count; i++)
        if (strcmp(augmix_ops[i].name, name) == 0)
            return &augmix_ops[i];
    fail_msg("no operation %s", name);
    return NULL;
}

static int
hex_byte(const char *hex)
{
    unsigned v = 999;

    assert_int_equal(sscanf(hex, "%2x", &v), 1);
    return (int)v;
}

/* Largest difference between bytes and hexadecimal digits. */
static int
distance(const uint8_t *bytes, const char *hex, size_t n)
{
    int worst = 0;

    assert_int_equal(strlen(hex), 2 * n);
    for (size_t i = 0; i < n; i++) {
        const int d = abs(bytes[i] - hex_byte(hex + 2 * i));
        worst = d > worst ? d : worst;
    }
    return worst;
}

static void
every_operation_gives_pillows_bytes(void **state)
{
    uint8_t in[SMALL], out[SMALL];

    (void)state;
    for (size_t i = 0; i < COUNT(pil_cases); i++) {
        const struct pil_case *c = &pil_cases[i];
        picture_draw(in, c->kind, 1, SMALL_H, SMALL_W);
        find_op(c->op)->apply(out, in, SMALL_H, SMALL_W, c->value);
        if (distance(out, c->hex, SMALL) != 0)
            fail_msg("%s(%g) of picture %d differs", c->op, c->value, c->kind);
    }
}

/* The digest of all values and pictures. */
static struct sha256
digest_of(const struct pil_sum *s)
{
    static uint8_t in[LARGEST], out[LARGEST];
    const size_t pixels = 3 * (size_t)(s->h * s->w);
    struct sha256_stream *stream = sha256_stream_new();

    assert_true(pixels <= LARGEST);
    for (int v = 0; v < s->count; v++)
        for (int kind = 0; kind < PICTURE_KINDS; kind++) {
            picture_draw(in, kind, (uint32_t)v, s->h, s->w);
            find_op(s->op)->apply(out, in, s->h, s->w, s->values[v]);
            sha256_stream_add(stream, out, pixels);
        }
    return sha256_stream_end(stream);
}

/* Images of 32x32 and 64x64, and with odd sides. */
static void
every_operation_gives_pillows_bytes_over_its_whole_range(void **state)
{
    (void)state;
    assert_int_equal(COUNT(pil_sums), SIZES * augmix_op_count);
    for (size_t i = 0; i < COUNT(pil_sums); i++) {
        const struct pil_sum *s = &pil_sums[i];
        if (strcmp(digest_of(s).hex, s->sha256) != 0)
            fail_msg("%s of %dx%d differs somewhere", s->op, s->h, s->w);
    }
}

/* Box filter: equal. JPEG: within 1, as versions of libjpeg may round differently. */
static void
pixelate_and_jpeg_give_pillows_bytes(void **state)
{
    uint8_t bytes[FULL];
    float out[FULL];

    (void)state;
    for (size_t i = 0; i < COUNT(pil_corruptions); i++) {
        const struct pil_corruption *p = &pil_corruptions[i];
        const struct corruption *c = corruption_find(p->name);
        const int allowed = strcmp(p->name, "jpeg_compression") == 0 ? 1 : 0;
        assert_non_null(c);
        picture_draw(bytes, p->kind, (uint32_t)p->severity - 1, SIDE, SIDE);
        corruption_apply(out, bytes, SIDE, SIDE, c, p->severity, 0, 0);
        corruption_to_bytes(bytes, out, FULL);
        if (distance(bytes, p->hex, FULL) > allowed)
            fail_msg("%s at severity %d of picture %d differs", p->name, p->severity,
                     p->kind);
    }
}

static void
tone_curves_may_work_in_place(void **state)
{
    static const char *const names[] = {"autocontrast", "equalize", "posterize",
                                        "solarize"};
    uint8_t in[FULL], out[FULL];

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        picture_draw(in, 0, 3, SIDE, SIDE);
        find_op(names[i])->apply(out, in, SIDE, SIDE, 3);
        find_op(names[i])->apply(in, in, SIDE, SIDE, 3);
        assert_memory_equal(in, out, FULL);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_gives_pillows_bytes),
        cmocka_unit_test(every_operation_gives_pillows_bytes_over_its_whole_range),
        cmocka_unit_test(pixelate_and_jpeg_give_pillows_bytes),
        cmocka_unit_test(tone_curves_may_work_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
