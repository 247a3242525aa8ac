/*
 * text.c - text of people and programs on a terminal. Knows characters and columns,
 * nothing of what they say. Texts come from other machines: nothing that acts on a
 * terminal passes text_clean.
 */
#include "coordinator/cli/text.h"

#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "shared/base/mem.h"

/* The character at s and its number of bytes; -1 for one byte that is no UTF-8. */
static int32_t
decode(const char *s, size_t *n)
{
    static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *u = (const unsigned char *)s;
    const size_t length = u[0] < 0x80             ? 1
                          : (u[0] & 0xe0) == 0xc0 ? 2
                          : (u[0] & 0xf0) == 0xe0 ? 3
                          : (u[0] & 0xf8) == 0xf0 ? 4
                                                  : 0;
    int32_t c = length <= 1 ? u[0] : u[0] & (0xff >> (length + 1));

    *n = 1;
    for (size_t i = 1; i < length; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return -1;
        c = c << 6 | (u[i] & 0x3f);
    }
    if (length == 0 || c < least[length] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return -1;
    *n = length;
    return c;
}

static bool
acts_on_terminals(int32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e)
           || (c >= 0x2066 && c <= 0x2069);
}

char *
text_clean(const char *text)
{
    struct buf out = {0};
    size_t n;

    for (; *text != '\0'; text += n) {
        const int32_t c = decode(text, &n);
        if (c == '\n' || c == '\t')
            buf_putc(&out, ' ');
        else if (acts_on_terminals(c))
            buf_putc(&out, '?');
        else
            buf_add(&out, text, n);
    }
    return out.data != NULL ? buf_take(&out) : xstrdup("");
}

/* Columns of one character by the C library's table, whatever the program's locale. */
static size_t
columns_of(int32_t c)
{
    static locale_t utf8;

    if (c >= 0x20 && c < 0x7f)
        return 1;
    if (utf8 == (locale_t)0)
        utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (utf8 == (locale_t)0)
        return 1;
    const locale_t before = uselocale(utf8);
    const int width = wcwidth((wchar_t)c);
    uselocale(before);
    return width >= 0 ? (size_t)width : 1;
}

size_t
text_width(const char *text)
{
    size_t columns = 0, n;

    for (; *text != '\0'; text += n)
        columns += columns_of(decode(text, &n));
    return columns;
}

size_t
text_put(struct buf *out, const char *text, size_t columns)
{
    const size_t all = text_width(text), dots = columns < 3 ? columns : 3;
    size_t taken = 0, n;

    if (all <= columns) {
        buf_puts(out, text);
        return all;
    }
    for (; *text != '\0'; text += n) {
        const size_t wide = columns_of(decode(text, &n));
        if (taken + wide > columns - dots)
            break;
        buf_add(out, text, n);
        taken += wide;
    }
    buf_add(out, "...", dots);
    return taken + dots;
}

bool
text_utf8(void)
{
    const locale_t own = newlocale(LC_CTYPE_MASK, "", (locale_t)0);

    if (own == (locale_t)0)
        return false;
    const bool yes = strcmp(nl_langinfo_l(CODESET, own), "UTF-8") == 0;
    freelocale(own);
    return yes;
}

void
text_bar_widths(size_t widths[4], const struct text_bar *bar, size_t columns)
{
    const double parts[] = {bar->done, bar->running, bar->failed, bar->waiting};
    const double all = parts[0] + parts[1] + parts[2] + parts[3];
    size_t used = 0, widest = 3;

    for (int i = 0; i < 4; i++) {
        const double share = all > 0 ? parts[i] / all * (double)columns : 0;
        widths[i] = parts[i] > 0 && share < 1 ? 1 : (size_t)share;
        used += widths[i];
    }
    for (size_t i = 0; i < 4; i++)
        if (widths[i] > widths[widest])
            widest = i;
    if (used > columns) /* parts that were made visible take it from the widest */
        widths[widest] -=
            used - columns < widths[widest] ? used - columns : widths[widest];
    else
        widths[widest] += columns - used;
}

void
text_bar_part(struct buf *out, int of, size_t columns, bool utf8)
{
    static const char *const plain[] = {"#", "=", "!", "."};
    static const char *const blocks[] = {"█", "▒", "!", "░"};

    for (size_t i = 0; i < columns; i++)
        buf_puts(out, utf8 ? blocks[of] : plain[of]);
}

/* Mean of the values that fall into a column. */
static double
share(const double *values, size_t n, size_t column, size_t columns)
{
    const size_t from = column * n / columns, to = (column + 1) * n / columns;
    double sum = 0;

    for (size_t i = from; i < to; i++)
        sum += values[i];
    return sum / (double)(to - from);
}

void
text_curve(struct buf *out, const double *values, size_t n, size_t columns, bool utf8)
{
    static const char *const plain[] = {"_", ".", "-", "~", "=", "+", "*", "#"};
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double lo = (double)INFINITY, hi = -(double)INFINITY;

    if (columns > n)
        columns = n;
    for (size_t i = 0; i < columns; i++) {
        lo = fmin(lo, share(values, n, i, columns));
        hi = fmax(hi, share(values, n, i, columns));
    }
    for (size_t i = 0; i < columns; i++) {
        const double y =
            hi > lo ? (share(values, n, i, columns) - lo) / (hi - lo) : 0.5;
        const int level = (int)(y * 7 + 0.5);
        buf_puts(out, utf8 ? blocks[level] : plain[level]);
    }
}

const char *
text_duration(double seconds)
{
    static char texts[4][40];
    static int next;
    char *out = texts[next++ % 4];

    if (!(seconds >= 0) || seconds > 1e9) {
        snprintf(out, sizeof texts[0], "?");
        return out;
    }
    const long s = (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(out, sizeof texts[0], "%ld h %02ld min", s / 3600, s / 60 % 60);
    else if (s >= 60)
        snprintf(out, sizeof texts[0], "%ld min %02ld s", s / 60, s % 60);
    else
        snprintf(out, sizeof texts[0], "%ld s", s);
    return out;
}
