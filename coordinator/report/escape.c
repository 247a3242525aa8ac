/*
 * escape.c - hostile text made harmless for one format each. Works on characters, not
 * on meaning: the caller chooses the format.
 */
#include "coordinator/report/escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char replacement[] = "\xEF\xBF\xBD";

/* Code point at *s and its length; a broken sequence is one U+FFFD of one byte. */
static uint32_t
decode(const char *s, size_t *length)
{
    const unsigned char *u = (const unsigned char *)s;
    const size_t n = u[0] < 0x80   ? 1
                     : u[0] < 0xC2 ? 0
                     : u[0] < 0xE0 ? 2
                     : u[0] < 0xF0 ? 3
                     : u[0] < 0xF5 ? 4
                                   : 0;
    uint32_t c = n < 2 ? u[0] : u[0] & (0x7Fu >> n);

    *length = 1;
    if (n == 0)
        return 0xFFFD;
    for (size_t i = 1; i < n; i++) {
        if ((u[i] & 0xC0) != 0x80)
            return 0xFFFD;
        c = c << 6 | (u[i] & 0x3F);
    }
    *length = n;
    return c;
}

static bool
is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

/* Reorders or hides its neighbours, or is no character of XML. */
static bool
is_deceptive(uint32_t c)
{
    return (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E)
           || (c >= 0x2060 && c <= 0x206F) || (c >= 0xD800 && c <= 0xDFFF)
           || c == 0xFEFF || (c & 0xFFFE) == 0xFFFE || c > 0x10FFFF;
}

static const char *
entity(uint32_t c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    }
    return NULL;
}

void
escape_markup(struct buf *out, const char *s)
{
    size_t n;

    for (; *s != '\0'; s += n) {
        const uint32_t c = decode(s, &n);
        const bool space = c == '\n' || c == '\t';
        if (entity(c) != NULL)
            buf_puts(out, entity(c));
        else if ((is_control(c) && !space) || is_deceptive(c) || c == 0xFFFD)
            buf_puts(out, replacement);
        else
            buf_add(out, s, n);
    }
}

/* What LaTeX does not take as it is; NULL: it does. */
static const char *
latex_for(uint32_t c)
{
    static const struct {
        uint32_t c;
        const char *text;
    } rows[] = {
        {'&', "\\&"},
        {'%', "\\%"},
        {'$', "\\$"},
        {'#', "\\#"},
        {'_', "\\_"},
        {'{', "\\{"},
        {'}', "\\}"},
        {'\\', "\\textbackslash{}"},
        {'~', "\\textasciitilde{}"},
        {'^', "\\textasciicircum{}"},
        {'<', "\\textless{}"},
        {'>', "\\textgreater{}"},
        {'"', "\\textquotedbl{}"},
        {0xB1, "$\\pm$"},
        {0xD7, "$\\times$"},
        {0xB7, "$\\cdot$"},
        {0x3BB, "$\\lambda$"},
        {0x2264, "$\\leq$"},
        {0x2013, "--"},
        {0x2026, "\\ldots{}"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].c == c)
            return rows[i].text;
    return NULL;
}

void
escape_latex(struct buf *out, const char *s)
{
    size_t n;

    for (; *s != '\0'; s += n) {
        const uint32_t c = decode(s, &n);
        if (latex_for(c) != NULL)
            buf_puts(out, latex_for(c));
        else if (c == '\n' || c == '\t')
            buf_putc(out, ' ');
        else if (is_control(c) || is_deceptive(c) || c == 0xFFFD)
            buf_putc(out, '?');
        else
            buf_add(out, s, n);
    }
}

void
escape_csv(struct buf *out, const char *s)
{
    if (strpbrk(s, ",\"\r\n") == NULL) {
        buf_puts(out, s);
        return;
    }
    buf_putc(out, '"');
    for (; *s != '\0'; s++) {
        if (*s == '"')
            buf_putc(out, '"');
        buf_putc(out, *s);
    }
    buf_putc(out, '"');
}

void
escape_terminal(struct buf *out, const char *s)
{
    size_t n;

    for (; *s != '\0'; s += n) {
        const uint32_t c = decode(s, &n);
        if (is_control(c) || is_deceptive(c) || c == 0xFFFD)
            buf_putc(out, '?');
        else
            buf_add(out, s, n);
    }
}

void
escape_shell(struct buf *out, const char *s)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789_./=,:+-%@";

    if (*s != '\0' && s[strspn(s, plain)] == '\0') {
        buf_puts(out, s);
        return;
    }
    buf_putc(out, '\'');
    for (; *s != '\0'; s++) {
        if (*s == '\'')
            buf_puts(out, "'\\''");
        else
            buf_putc(out, *s);
    }
    buf_putc(out, '\'');
}
