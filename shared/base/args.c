/* args.c - argv by parameter tables; help from the same rows. */
#include "shared/base/args.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

/* The row that `--some-name` or `--some-name=value` means. *value is NULL when the
 * value is not attached. */
static const struct param *
row_of(const struct param *params, size_t n, const char *arg, char *name, size_t size,
       const char **value)
{
    const char *equals = strchr(arg, '=');
    size_t len = equals ? (size_t)(equals - arg) : strlen(arg);

    *value = equals ? equals + 1 : NULL;
    if (len >= size)
        len = size - 1;
    memcpy(name, arg, len);
    name[len] = '\0';
    for (char *c = name; *c != '\0'; c++)
        if (*c == '-')
            *c = '_';
    return param_find(params, n, name);
}

static int
unknown_option(const struct param *params, size_t n, const char *arg, char *name,
               struct err *err)
{
    const char *near = param_nearest(params, n, name);
    char *hint = near ? xasprintf("; did you mean --%s?", near) : xstrdup("");

    for (char *c = hint + (near ? 16 : 0); *c != '\0'; c++)
        if (*c == '_')
            *c = '-';
    err_set(err, ERR_USAGE, "unknown option %s%s (--help lists the options)", arg,
            hint);
    free(hint);
    return -1;
}

/* Adds a value; repeated ones are joined by newlines. */
static void
put_value(json_t *values, const struct param *p, const char *text, const char *repeated)
{
    const char *before = json_string_value(json_object_get(values, p->name));

    if (before != NULL && repeated != NULL && strcmp(repeated, p->name) == 0) {
        char *joined = xasprintf("%s\n%s", before, text);
        json_object_set_new(values, p->name, json_string(joined));
        free(joined);
        return;
    }
    json_object_set_new(values, p->name, json_string(text));
}

int
args_parse(struct args *out, const struct param *params, size_t n, void *config,
           int argc, char *const *argv, const char *repeated, struct err *err)
{
    char name[64];
    bool options = true;

    *out = (struct args){.words = xcalloc((size_t)argc + 1, sizeof *out->words),
                         .values = json_object()};
    for (int i = 1; i < argc; i++) {
        const char *arg = strcmp(argv[i], "-o") == 0 ? "--out" : argv[i], *value;
        if (!options || strncmp(arg, "--", 2) != 0) {
            out->words[out->n_words++] = arg;
            continue;
        }
        if (arg[2] == '\0') {
            options = false;
            continue;
        }
        const struct param *p = row_of(params, n, arg + 2, name, sizeof name, &value);
        if (p == NULL) {
            unknown_option(params, n, arg, name, err);
            goto fail;
        }
        if (value == NULL && p->type == PARAM_BOOL)
            value = "true";
        if (value == NULL && i + 1 < argc)
            value = argv[++i];
        if (value == NULL) {
            err_set(err, ERR_USAGE, "%s needs a value (%s)", arg, p->doc);
            goto fail;
        }
        put_value(out->values, p, value, repeated);
    }
    if (param_apply(params, n, out->values, config, "command line", err) == 0)
        return 0;
fail:
    args_release(out);
    return -1;
}

void
args_release(struct args *a)
{
    free(a->words);
    json_decref(a->values);
    *a = (struct args){0};
}

const char *
args_short(const struct param *p)
{
    return strcmp(p->name, "out") == 0 ? "-o, " : "";
}

void
args_help(struct buf *out, const struct param *params, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct param *p = &params[i];
        char *left = p->type == PARAM_BOOL
                         ? xasprintf("--%s", p->name)
                         : xasprintf("%s--%s %s", args_short(p), p->name,
                                     param_type_name(p->type));
        for (char *c = left; *c != '\0'; c++)
            if (*c == '_')
                *c = '-';
        buf_printf(out, "  %-26s %s", left, p->doc);
        if (p->type != PARAM_BOOL && p->dflt != NULL && p->dflt[0] != '\0')
            buf_printf(out, " [%s]", p->dflt);
        buf_putc(out, '\n');
        free(left);
    }
}
