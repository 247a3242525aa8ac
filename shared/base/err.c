/* err.c - the one error value; see err.h. Truncation is silent and safe. */
#include "shared/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
    va_list ap;

    err->kind = kind;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    return -1;
}

int
err_sys(struct err *err, const char *fmt, ...)
{
    const int saved = errno;
    va_list ap;

    err->kind = saved == ENOMEM ? ERR_OOM : ERR_SYS;
    va_start(ap, fmt);
    int n = vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof err->text) {
        const size_t left = sizeof err->text - (size_t)n;
        int m = snprintf(err->text + n, left, ": %s", strerror(saved));
        (void)m; /* truncation is fine */
    }
    return -1;
}

int
err_wrap(struct err *err, const char *fmt, ...)
{
    char inner[sizeof err->text];
    va_list ap;

    memcpy(inner, err->text, sizeof inner);
    va_start(ap, fmt);
    int n = vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof err->text
        && snprintf(err->text + n, sizeof err->text - (size_t)n, ": %s", inner) < 0)
        err->text[n] = '\0';
    return -1;
}

static const struct {
    const char *name;
    int code;
} kinds[] = {
#define AS_ROW(id, text, exit_code) [id] = {.name = text, .code = exit_code},
    ERR_KINDS(AS_ROW)
#undef AS_ROW
};

const char *
err_kind_name(enum err_kind kind)
{
    return kinds[kind].name;
}

enum err_kind
err_kind_find(const char *name)
{
    for (int i = 0; i < ERR_KIND_COUNT; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return (enum err_kind)i;
    return ERR_BUG;
}

int
err_kind_exit(enum err_kind kind)
{
    return kinds[kind].code;
}

enum err_kind
err_kind_from_exit(int code)
{
    for (int i = 0; i < ERR_KIND_COUNT; i++)
        if (kinds[i].code == code)
            return (enum err_kind)i;
    return ERR_BUG;
}
