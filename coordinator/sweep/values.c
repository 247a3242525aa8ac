/*
 * values.c - words of a sweep file -> values of a parameter. Ranges are counted before
 * they are made, so that a slip of the finger costs nothing.
 */
#include "coordinator/sweep/values.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_LIMIT 1e15

/* range(from, to, step): `n` values from, from + step, ... */
struct range {
    double from, step;
    int64_t n;
};

/* Where values go: a count, and a list unless only counting. */
struct sink {
    struct space *space; /* NULL: only count */
    const struct param *param;
    int slot;
    struct values *list;
    json_t *notes;
    int64_t n;
};

static bool
is_call(const char *text, const char *name)
{
    const size_t n = strlen(name);

    return strncmp(text, name, n) == 0 && text[n] == '(';
}

/* The k-th argument of "name(a, b)" trimmed, to `out`; false when there is none. */
static bool
argument(const char *text, int k, char *out, size_t size)
{
    const char *s = strchr(text, '(') + 1;

    for (; k > 0 && *s != '\0'; k--) {
        s += strcspn(s, ",)");
        if (*s != ',')
            return false;
        s++;
    }
    s += strspn(s, " ");
    size_t n = strcspn(s, ",)");
    while (n > 0 && s[n - 1] == ' ')
        n--;
    snprintf(out, size, "%.*s", (int)n, s);
    return true;
}

static int
check_call(const struct yaml_node *at, struct err *err)
{
    const size_t n = strlen(at->text);

    if (at->text[n - 1] == ')' && strchr(at->text, ')') == at->text + n - 1)
        return 0;
    return yaml_error(err, at, "`%.100s` has no closing parenthesis at its end%s",
                      at->text,
                      at->quoted ? ""
                                 : "; inside { } and [ ] a comma ends a word, so "
                                   "put the whole in quotes");
}

static int
read_bound(double *out, const char *text)
{
    char *end;

    errno = 0;
    *out = strtod(text, &end);
    if (end == text || errno != 0 || !isfinite(*out))
        return -1;
    if (*end == 'k' || *end == 'm')
        *out *= *end++ == 'k' ? 1e3 : 1e6;
    return *end == '\0' ? 0 : -1;
}

static int
read_range(struct range *out, const struct yaml_node *at, struct err *err)
{
    double bound[3] = {0, 0, 1};
    char word[64];
    int k = 0;

    while (argument(at->text, k, word, sizeof word)) {
        if (k == 3 || read_bound(&bound[k], word) != 0)
            return yaml_error(err, at,
                              "`%.100s`: write range(from, to, step) with numbers; "
                              "`to` is not reached",
                              at->text);
        k++;
    }
    if (k < 2)
        return yaml_error(err, at, "`%.100s` needs two bounds", at->text);
    if (bound[2] == 0)
        return yaml_error(err, at, "`%.100s` has a step of 0", at->text);
    const double n = ceil((bound[1] - bound[0]) / bound[2] - 1e-9);
    if (n < 1)
        return yaml_error(err, at, "`%.100s` is empty", at->text);
    *out = (struct range){bound[0], bound[2], (int64_t)fmin(n, COUNT_LIMIT)};
    return 0;
}

/* Words that a person and strtod may read differently. */
static void
note_trap(const struct sink *sink, const struct yaml_node *at, const char *text,
          const json_t *value)
{
    const char *digits = text + (text[0] == '-' || text[0] == '+');
    const bool octal = digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9';
    const bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');

    if (!json_is_number(value) || (!octal && !hex))
        return;
    char where[512], *read = json_canonical(value);
    char *note =
        xasprintf("%s: `%s: %s` was read as %s", yaml_where(where, sizeof where, at),
                  sink->param->name, text, read);
    json_array_append_new(sink->notes, json_string(note));
    free(note);
    free(read);
}

static int
put_text(struct sink *sink, const struct yaml_node *at, const char *text,
         struct err *err)
{
    uint32_t number;

    sink->n++;
    if (sink->space == NULL)
        return 0;
    if (space_read(&number, sink->space, sink->slot, text, err) != 0)
        return yaml_error_wrap(err, at);
    note_trap(sink, at, text, space_json(sink->space, (size_t)sink->slot, number));
    struct values *list = sink->list;
    list->items = xgrow(list->items, &list->capacity, list->n + 1, sizeof *list->items);
    list->items[list->n++] = (struct value){number, at};
    return 0;
}

static int
put_range(struct sink *sink, const struct yaml_node *at, struct err *err)
{
    struct range r = {0};
    char text[40];

    if (check_call(at, err) != 0 || read_range(&r, at, err) != 0)
        return -1;
    if (sink->space == NULL) {
        sink->n += r.n;
        return 0;
    }
    for (int64_t i = 0; i < r.n; i++) {
        snprintf(text, sizeof text, "%.15g", r.from + (double)i * r.step);
        if (put_text(sink, at, text, err) != 0)
            return -1;
    }
    return 0;
}

static int
put_choice(struct sink *sink, const struct yaml_node *at, struct err *err)
{
    char word[256];

    if (check_call(at, err) != 0)
        return -1;
    for (int k = 0; argument(at->text, k, word, sizeof word); k++) {
        if (word[0] == '\0')
            return yaml_error(err, at, "`%.100s` has an empty choice", at->text);
        if (put_text(sink, at, word, err) != 0)
            return -1;
    }
    return 0;
}

static int
put_word(struct sink *sink, const struct yaml_node *at, struct err *err)
{
    const char *text = at->text;

    if (!at->quoted
        && (text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0))
        return yaml_error(err, at, "`%s` has no value (%s)", sink->param->name,
                          sink->param->doc);
    if (is_call(text, "range"))
        return put_range(sink, at, err);
    if (is_call(text, "choice"))
        return put_choice(sink, at, err);
    return put_text(sink, at, text, err);
}

/* [clean, pgd-7] as one value of a set parameter. */
static int
put_joined(struct sink *sink, const struct yaml_node *list, struct err *err)
{
    struct buf text = {0};
    int rc = 0;

    if (list->n == 0)
        return yaml_error(err, list, "`%s` is an empty list", sink->param->name);
    for (size_t i = 0; rc == 0 && i < list->n; i++) {
        const struct yaml_node *item = list->items[i];
        if (item->kind != YAML_TEXT)
            rc = yaml_error(err, item, "`%s` takes a list of words", sink->param->name);
        else
            buf_printf(&text, "%s%s", i > 0 ? "," : "", item->text);
    }
    if (rc == 0)
        rc = put_text(sink, list, buf_str(&text), err);
    buf_release(&text);
    return rc;
}

/* One element of an axis. */
static int
put_element(struct sink *sink, const struct yaml_node *at, struct err *err)
{
    if (at->kind == YAML_TEXT)
        return put_word(sink, at, err);
    if (at->kind == YAML_LIST && sink->param->type == PARAM_SET)
        return put_joined(sink, at, err);
    return yaml_error(err, at, "`%s`: %s cannot be a value", sink->param->name,
                      yaml_kind_name(at->kind));
}

static int
put_node(struct sink *sink, const struct yaml_node *node, struct err *err)
{
    if (node->kind != YAML_LIST)
        return put_element(sink, node, err);
    if (node->n == 0)
        return yaml_error(err, node, "`%s` has an empty list of values",
                          sink->param->name);
    for (size_t i = 0; i < node->n; i++)
        if (put_element(sink, node->items[i], err) != 0)
            return -1;
    return 0;
}

int
values_count(int64_t *n, const struct yaml_node *node, const struct param *p,
             struct err *err)
{
    struct sink sink = {.param = p};
    const int rc = put_node(&sink, node, err);

    *n = sink.n;
    return rc;
}

static int
check_twice(const struct values *v, const struct space_param *p, struct err *err)
{
    bool *seen = xcalloc(p->n, sizeof *seen);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < v->n; i++) {
        const uint32_t number = v->items[i].number;
        if (seen[number])
            rc = yaml_error(err, v->items[i].at, "`%s` has the value %.100s twice",
                            p->param->name, p->values[number].text);
        seen[number] = true;
    }
    free(seen);
    return rc;
}

int
values_read(struct values *out, const struct yaml_node *node, struct space *s, int slot,
            json_t *notes, struct err *err)
{
    struct sink sink = {.space = s,
                        .param = s->params[slot].param,
                        .slot = slot,
                        .list = out,
                        .notes = notes};

    *out = (struct values){0};
    if (put_node(&sink, node, err) != 0)
        return -1;
    return check_twice(out, &s->params[slot], err);
}

const struct yaml_node *
values_split(const struct yaml_node *text, const struct param *p, struct arena *mem)
{
    struct yaml_node *list = arena_alloc(mem, sizeof *list);
    size_t capacity = 1, depth = 0;

    if (p->type == PARAM_SET || p->type == PARAM_STRING || p->type == PARAM_PERCENTS)
        return text;
    for (const char *c = text->text; *c != '\0'; c++)
        capacity += *c == ',';
    *list = *text;
    list->kind = YAML_LIST;
    list->items = arena_alloc(mem, capacity * sizeof(struct yaml_node *));
    for (const char *c = text->text, *from = c;; c++) {
        depth += *c == '(';
        depth -= depth > 0 && *c == ')';
        if (*c != '\0' && (*c != ',' || depth > 0))
            continue;
        char *word = xstrndup(from, (size_t)(c - from));
        list->items[list->n++] = yaml_text(text->file, word, mem);
        free(word);
        from = c + 1;
        if (*c == '\0')
            break;
    }
    return list->n == 1 ? list->items[0] : list;
}

void
values_release(struct values *v)
{
    free(v->items);
    *v = (struct values){0};
}
