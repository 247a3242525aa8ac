/*
 * number.c - numbers as text. Formats are fixed and never follow the locale or the size
 * of a terminal; knows nothing about where the text goes.
 */
#include "coordinator/report/number.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
number_count(struct buf *out, int64_t v)
{
    char digits[24];
    const int n = snprintf(digits, sizeof digits, "%" PRIu64,
                           v < 0 ? 0 - (uint64_t)v : (uint64_t)v);

    if (v < 0)
        buf_putc(out, '-');
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            buf_putc(out, ',');
        buf_putc(out, digits[i]);
    }
}

void
number_short(struct buf *out, double v)
{
    static const struct {
        double unit;
        const char *suffix;
    } steps[] = {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        /* 999.6 rounds to 1000 in three digits: the next suffix takes it */
        if (fabs(v) >= steps[i].unit * 0.9995) {
            buf_printf(out, "%.3g%s", v / steps[i].unit, steps[i].suffix);
            return;
        }
    }
    buf_printf(out, "%.3g", v);
}

void
number_metric(struct buf *out, double v, const char *unit)
{
    if (!isfinite(v))
        buf_puts(out, "–");
    else if (strcmp(unit, "%") == 0)
        buf_printf(out, "%.2f", v == 0 ? 0 : v);
    else if ((strcmp(unit, "ReLUs") == 0 || strcmp(unit, "MACs") == 0)
             && fabs(v) < 9e15)
        number_count(out, llround(v));
    else if (strcmp(unit, "B") == 0)
        number_short(out, v);
    else
        buf_printf(out, "%.4g", v);
}

void
number_signed(struct buf *out, double v, const char *unit)
{
    if (v > 0)
        buf_putc(out, '+');
    number_metric(out, v, unit);
}

void
number_exact(struct buf *out, double v)
{
    char text[40];

    if (!isfinite(v))
        return;
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    /* 5e+04 reads back, but 50000 is what people write */
    if (v == floor(v) && fabs(v) < 1e15)
        snprintf(text, sizeof text, "%.0f", v);
    buf_puts(out, text);
}

/* Round counts get a suffix; others stay as they are, exactly. */
static void
put_whole(struct buf *out, int64_t v)
{
    if (v >= 1000000 && v % 10000 == 0)
        buf_printf(out, "%.15gM", (double)v / 1e6);
    else if (v >= 1000 && v % 100 == 0)
        buf_printf(out, "%.15gk", (double)v / 1e3);
    else
        buf_printf(out, "%" PRId64, v);
}

void
number_param(struct buf *out, const json_t *value)
{
    const char *s = json_string_value(value);

    if (s != NULL) {
        const size_t n = strlen(s);
        if (n > 0 && n < 16 && strspn(s, "0123456789") == n)
            put_whole(out, strtoll(s, NULL, 10));
        else
            buf_puts(out, s);
    } else if (json_is_real(value)) {
        number_exact(out, json_real_value(value));
    } else if (value != NULL) {
        char *text = json_canonical(value);
        buf_puts(out, text);
        free(text);
    } else {
        buf_puts(out, "–");
    }
}

void
number_seconds(struct buf *out, double seconds)
{
    if (seconds < 120)
        buf_printf(out, "%.0f s", seconds);
    else if (seconds < 7200)
        buf_printf(out, "%.0f min", seconds / 60);
    else
        buf_printf(out, "%.1f h", seconds / 3600);
}
