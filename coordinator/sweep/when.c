/*
 * when.c - conditions: a recursive-descent parser and its evaluation. Depth is bounded
 * by the tree reader's rules only in part, so the parser counts it.
 */
#include "coordinator/sweep/when.h"

#include <string.h>

#include "coordinator/sweep/sweep.h"
#include "shared/base/word.h"

enum when_op { WHEN_OR, WHEN_AND, WHEN_NOT, WHEN_IN };

struct when {
    enum when_op op;
    const struct when *left, *right; /* OR, AND; NOT: left */
    int slot;                        /* IN */
    uint32_t *words;                 /* numbers of values */
    size_t n_words;
};

enum { MAX_DEPTH = 64, MAX_WORDS = 64 };

struct parser {
    struct space *space;
    const struct yaml_node *at;
    struct arena *mem;
    const char *s;
    int depth;
};

static int
fail_at(const struct parser *p, const char *what, struct err *err)
{
    struct yaml_node here = *p->at;

    here.column += (int)(p->s - p->at->text) + p->at->quoted;
    return yaml_error(err, &here, "condition `%.200s`: %s", p->at->text, what);
}

static void
skip_space(struct parser *p)
{
    p->s += strspn(p->s, " \t\n");
}

/* Takes a sign like "==" or "(" if it comes next. */
static bool
take_sign(struct parser *p, const char *sign)
{
    skip_space(p);
    if (strncmp(p->s, sign, strlen(sign)) != 0)
        return false;
    p->s += strlen(sign);
    return true;
}

static size_t
word_length(const char *s)
{
    return strcspn(s, " \t\n()[],=!\"'");
}

/* Takes a keyword that stands alone. */
static bool
take_keyword(struct parser *p, const char *word)
{
    skip_space(p);
    const size_t n = strlen(word);
    if (word_length(p->s) != n || strncmp(p->s, word, n) != 0)
        return false;
    p->s += n;
    return true;
}

/* The next word, bare or in quotes, into the arena. */
static int
take_word(struct parser *p, const char **out, const char *what, struct err *err)
{
    skip_space(p);
    const char *quote = *p->s == '"' ? "\"" : *p->s == '\'' ? "'" : NULL;
    const char *from = p->s + (quote != NULL);
    const size_t n = quote ? strcspn(from, quote) : word_length(from);

    if ((quote && from[n] != *quote) || (!quote && n == 0))
        return fail_at(p, what, err);
    *out = arena_printf(p->mem, "%.*s", (int)n, from);
    p->s = from + n + (quote != NULL);
    return 0;
}

static struct when *
new_node(struct parser *p, enum when_op op, const struct when *left,
         const struct when *right)
{
    struct when *w = arena_alloc(p->mem, sizeof *w);

    *w = (struct when){.op = op, .left = left, .right = right};
    return w;
}

static int
add_word(struct parser *p, struct when *test, const char *text, struct err *err)
{
    if (test->n_words == MAX_WORDS)
        return fail_at(p, "too many words in a list", err);
    if (space_read(&test->words[test->n_words++], p->space, test->slot, text, err) != 0)
        return yaml_error_wrap(err, p->at);
    return 0;
}

static int
parse_list(struct parser *p, struct when *test, struct err *err)
{
    const char *text = NULL;

    if (!take_sign(p, "["))
        return fail_at(p, "expected [ after `in`", err);
    do {
        if (take_word(p, &text, "expected a word in the list", err) != 0
            || add_word(p, test, text, err) != 0)
            return -1;
    } while (take_sign(p, ","));
    return take_sign(p, "]") ? 0 : fail_at(p, "expected , or ]", err);
}

static int
unknown_name(struct parser *p, const char *name, struct err *err)
{
    const struct catalog_method *m = p->space->method;
    const char *text =
        arena_printf(p->mem, "`%.60s` is no parameter of %s%s", name, m->name,
                     word_hint(catalog_nearest_param(m, name)).text);

    p->s -= strlen(name);
    return fail_at(p, text, err);
}

static int
parse_test(struct parser *p, const struct when **out, struct err *err)
{
    struct when *test = new_node(p, WHEN_IN, NULL, NULL);
    const char *name, *text = "true";
    bool negated = false;

    if (take_word(p, &name, "expected the name of a parameter", err) != 0)
        return -1;
    test->slot = space_slot(p->space, name);
    if (test->slot < 0)
        return unknown_name(p, name, err);
    test->words = arena_alloc(p->mem, MAX_WORDS * sizeof *test->words);
    *out = test;
    if (take_keyword(p, "not"))
        negated = true;
    if (take_keyword(p, "in")) {
        if (parse_list(p, test, err) != 0)
            return -1;
    } else {
        if (negated)
            return fail_at(p, "expected `in` after `not`", err);
        negated = take_sign(p, "!=");
        const bool compared = negated || take_sign(p, "==");
        if (!compared && p->space->params[test->slot].param->type != PARAM_BOOL)
            return fail_at(p, "expected ==, != or in", err);
        if (compared && take_word(p, &text, "expected a value", err) != 0)
            return -1;
        if (add_word(p, test, text, err) != 0)
            return -1;
    }
    if (negated)
        *out = new_node(p, WHEN_NOT, test, NULL);
    return 0;
}

static int parse_or(struct parser *p, const struct when **out, struct err *err);

static int
parse_not(struct parser *p, const struct when **out, struct err *err)
{
    int rc;

    if (++p->depth > MAX_DEPTH)
        return fail_at(p, "nested too deep", err);
    if (take_keyword(p, "not")) {
        rc = parse_not(p, out, err);
        if (rc == 0)
            *out = new_node(p, WHEN_NOT, *out, NULL);
    } else if (take_sign(p, "(")) {
        rc = parse_or(p, out, err);
        if (rc == 0 && !take_sign(p, ")"))
            rc = fail_at(p, "expected )", err);
    } else {
        rc = parse_test(p, out, err);
    }
    p->depth--;
    return rc;
}

static int
parse_and(struct parser *p, const struct when **out, struct err *err)
{
    const struct when *right = NULL;

    if (parse_not(p, out, err) != 0)
        return -1;
    while (take_keyword(p, "and")) {
        if (parse_not(p, &right, err) != 0)
            return -1;
        *out = new_node(p, WHEN_AND, *out, right);
    }
    return 0;
}

static int
parse_or(struct parser *p, const struct when **out, struct err *err)
{
    const struct when *right = NULL;

    if (parse_and(p, out, err) != 0)
        return -1;
    while (take_keyword(p, "or")) {
        if (parse_and(p, &right, err) != 0)
            return -1;
        *out = new_node(p, WHEN_OR, *out, right);
    }
    return 0;
}

int
when_parse(struct when **out, const struct yaml_node *at, struct space *s,
           struct arena *mem, struct err *err)
{
    struct parser p = {.space = s, .at = at, .mem = mem};
    const struct when *w = NULL;

    *out = NULL;
    if (at->kind != YAML_TEXT)
        return yaml_error(err, at, "a condition is text like \"loss == kl\", not %s",
                          yaml_kind_name(at->kind));
    if (strlen(at->text) > 2000)
        return yaml_error(err, at, "a condition of more than 2000 characters");
    p.s = at->text;
    if (parse_or(&p, &w, err) != 0)
        return -1;
    skip_space(&p);
    if (*p.s != '\0')
        return fail_at(&p, "expected `and`, `or`, == or !=", err);
    *out = (struct when *)w;
    return 0;
}

bool
when_holds(const struct when *w, const uint32_t *row)
{
    switch (w->op) {
    case WHEN_OR: return when_holds(w->left, row) || when_holds(w->right, row);
    case WHEN_AND: return when_holds(w->left, row) && when_holds(w->right, row);
    case WHEN_NOT: return !when_holds(w->left, row);
    case WHEN_IN: break;
    }
    for (size_t i = 0; i < w->n_words; i++)
        if (SWEEP_NUMBER(row[w->slot]) == w->words[i])
            return true;
    return false;
}

int
when_slots(const struct when *w, int (*visit)(void *ctx, int slot), void *ctx)
{
    if (w->op == WHEN_IN)
        return visit(ctx, w->slot);
    const int rc = when_slots(w->left, visit, ctx);
    if (rc != 0 || w->right == NULL)
        return rc;
    return when_slots(w->right, visit, ctx);
}
