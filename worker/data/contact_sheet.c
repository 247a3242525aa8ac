/* contact_sheet.c - every corruption at every severity in one picture. */
#include "worker/data/contact_sheet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/data/glyphs.h"
#include "worker/data/picture.h"

enum {
    SAMPLES = 3,
    STEPS = CORRUPTION_SEVERITIES + 1, /* clean, then the severities */
    CELLS = SAMPLES * STEPS,
    SMALL = 64, /* what is smaller is shown at twice its size */
    GAP = 3,
    GROUP_GAP = 12,
    LETTER_ZOOM = 2,
    LETTER = GLYPH_HEIGHT * LETTER_ZOOM,
    LABEL = 18 * GLYPH_ADVANCE * LETTER_ZOOM, /* longest name, and a space */
    HEAD = LETTER + 2 * GAP,
    WHITE = 255,
};

struct sheet {
    const struct dataset *test;
    uint64_t seed;
    uint8_t *rgb; /* (h,w,3) */
    int64_t h, w, zoom;
    int64_t samples[SAMPLES]; /* indices of test images */
    float *image;             /* (3,h,w) of one of them */
};

static int64_t
cell_height(const struct sheet *s)
{
    return s->test->h * s->zoom + GAP;
}

static int64_t
cell_x(const struct sheet *s, int64_t cell)
{
    return LABEL + cell * (s->test->w * s->zoom + GAP) + cell / STEPS * GROUP_GAP;
}

/* Of as many different classes as there are. */
static void
choose_samples(struct sheet *s)
{
    const struct dataset *t = s->test;

    for (int k = 0; k < SAMPLES; k++) {
        const int64_t class = k * t->classes / SAMPLES;
        s->samples[k] = k % t->n;
        for (int64_t i = t->n - 1; i >= 0; i--)
            if (t->labels[i] == class)
                s->samples[k] = i;
    }
}

static void
draw_image(struct sheet *s, int64_t y0, int64_t x0)
{
    const int64_t w = s->test->w * s->zoom, plane = s->test->h * s->test->w;

    for (int64_t i = 0; i < s->test->h * s->zoom * w; i++) {
        const int64_t y = i / w, x = i % w;
        uint8_t *out = s->rgb + ((y0 + y) * s->w + x0 + x) * PICTURE_CHANNELS;
        const float *in = s->image + y / s->zoom * s->test->w + x / s->zoom;
        for (int64_t c = 0; c < PICTURE_CHANNELS; c++)
            corruption_to_bytes(out + c, in + c * plane, 1);
    }
}

static void
draw_row(struct sheet *s, const struct corruption *kind, int64_t y)
{
    const struct dataset *t = s->test;
    const int64_t pixels = t->c * t->h * t->w;

    glyphs_draw(s->rgb, s->h, s->w, y + (t->h * s->zoom - LETTER) / 2, GAP, LETTER_ZOOM,
                kind->name);
    for (int cell = 0; cell < CELLS; cell++) {
        const int64_t sample = s->samples[cell / STEPS];
        const int severity = cell % STEPS;
        const uint8_t *bytes = t->images + sample * pixels;
        if (severity == 0)
            corruption_from_bytes(s->image, bytes, pixels);
        else
            corruption_apply(s->image, bytes, t->h, t->w, kind, severity, s->seed,
                             sample);
        draw_image(s, y, cell_x(s, cell));
    }
}

static void
draw_head(struct sheet *s)
{
    for (int cell = 0; cell < CELLS; cell++) {
        char text[16] = "clean";
        if (cell % STEPS > 0)
            (void)snprintf(text, sizeof text, "%d", cell % STEPS);
        glyphs_draw(s->rgb, s->h, s->w, GAP, cell_x(s, cell), LETTER_ZOOM, text);
    }
}

int
contact_sheet_write(const char *path, const struct dataset *test,
                    const struct corruption *const *kinds, uint64_t seed,
                    struct err *err)
{
    struct sheet s = {.test = test, .seed = seed};
    int rows = 0;

    while (kinds[rows] != NULL)
        rows++;
    s.zoom = test->h < SMALL ? 2 : 1;
    s.h = HEAD + rows * cell_height(&s);
    s.w = cell_x(&s, CELLS) - GROUP_GAP;
    choose_samples(&s);
    s.rgb = xmalloc((size_t)(s.h * s.w * PICTURE_CHANNELS));
    s.image = xmalloc((size_t)(test->c * test->h * test->w) * sizeof *s.image);
    memset(s.rgb, WHITE, (size_t)(s.h * s.w * PICTURE_CHANNELS));
    draw_head(&s);
    for (int i = 0; i < rows; i++)
        draw_row(&s, kinds[i], HEAD + i * cell_height(&s));
    const int rc = picture_write_png(path, s.rgb, s.h, s.w, err);
    free(s.image);
    free(s.rgb);
    return rc;
}
