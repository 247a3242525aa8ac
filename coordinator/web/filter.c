/* filter.c - from the fields of an address to the filter of the database. Pure. */
#include "coordinator/web/filter.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/param.h"

static const char name_letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

/* "50k" as the database has it. */
static const char *
plain_value(struct arena *mem, const char *text, size_t n)
{
    char *value = arena_printf(mem, "%.*s", (int)n, text);
    const int64_t count = param_parse_count(value);

    return count >= 0 ? arena_printf(mem, "%lld", (long long)count) : value;
}

static bool
is_number(const char *text)
{
    char *end;

    (void)strtod(text, &end);
    return text[0] != '\0' && *end == '\0' && strspn(text, "+-.0123456789eE") > 0;
}

static const char *
read_op(const char *at, size_t *length)
{
    static const char *const ops[] = {"!=", "<=", ">=", "=", "<", ">", NULL};

    for (const char *const *op = ops; *op != NULL; op++) {
        *length = strlen(*op);
        if (strncmp(at, *op, *length) == 0)
            return *op;
    }
    return NULL;
}

/* One condition of n characters. */
static int
read_condition(struct db_web_condition *c, struct arena *mem, const char *text,
               size_t n, struct err *err)
{
    const size_t name = strspn(text, name_letters);
    size_t op_length = 0;

    c->name = arena_printf(mem, "%.*s", (int)name, text);
    c->op = name > 0 && name < n ? read_op(text + name, &op_length) : NULL;
    if (c->op == NULL || name + op_length > n)
        return err_set(err, ERR_USAGE,
                       "`%.*s` is no condition: write NAME=VALUE, or with != < <= > >=",
                       (int)n, text);
    c->value = plain_value(mem, text + name + op_length, n - name - op_length);
    if (strpbrk(c->op, "<>") != NULL && !is_number(c->value))
        return err_set(err, ERR_USAGE, "`%.*s` compares with `%s`, which is no number",
                       (int)n, text, c->value);
    return 0;
}

static int
read_conditions(struct db_web_filter *out, struct arena *mem, const char *text,
                struct err *err)
{
    for (text += strspn(text, " "); *text != '\0'; text += strspn(text, " ")) {
        const size_t n = strcspn(text, " ");
        if (out->n_conditions == DB_WEB_CONDITIONS)
            return err_set(err, ERR_USAGE, "more than %d conditions",
                           DB_WEB_CONDITIONS);
        if (read_condition(&out->conditions[out->n_conditions], mem, text, n, err) != 0)
            return -1;
        out->n_conditions++;
        text += n;
    }
    return 0;
}

static int
read_chosen(struct db_web_filter *out, const struct request *r, struct err *err)
{
    for (size_t i = 0; i < r->n_fields; i++) {
        if (strcmp(r->fields[i].name, "job") != 0)
            continue;
        char *end;
        const long long job = strtoll(r->fields[i].value, &end, 10);
        if (job <= 0 || *end != '\0' || out->n_chosen == DB_WEB_CHOSEN)
            return err_set(err, ERR_USAGE, "`job` is a number, at most %d times",
                           DB_WEB_CHOSEN);
        out->chosen[out->n_chosen++] = job;
    }
    if (out->n_chosen == 0 && request_get(r, "chosen")[0] != '\0')
        return err_set(err, ERR_USAGE, "no job was chosen in the list");
    return 0;
}

int
filter_read(struct db_web_filter *out, struct arena *mem, const struct request *r,
            int64_t sweep, struct err *err)
{
    *out = (struct db_web_filter){
        .sweep = sweep > 0 ? sweep : request_number(r, "sweep", 0, 1, INT64_MAX),
        .state = request_get(r, "state"),
        .stage = request_get(r, "stage"),
        .cause = request_get(r, "cause"),
    };
    if (read_chosen(out, r, err) != 0)
        return -1;
    return read_conditions(out, mem, request_get(r, "where"), err);
}
