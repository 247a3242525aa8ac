/*
 * load.c - a sweep from its text: reads it, binds it for each of its methods, expands,
 * and says which parameters vary. The only file that sees all steps.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/sweep/settle.h"
#include "coordinator/sweep/sweep.h"
#include "shared/base/file.h"
#include "shared/base/json.h"
#include "shared/base/word.h"

enum { MAX_METHODS = 64, NAME_MAX_LENGTH = 64 };

struct loader {
    struct sweep *sweep;
    struct sweep_file file;
    const struct catalog_method *methods[MAX_METHODS];
    size_t n_methods;
    struct bind_context context;
};

static int
read_name(struct loader *l, struct err *err)
{
    const struct yaml_node *node = l->file.name;

    if (node == NULL)
        return yaml_error(err, l->file.root,
                          "key `name` is missing; results are kept under it");
    const size_t n = strlen(node->text);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)node->text[i])
            && strchr("._-", node->text[i]) == NULL)
            return yaml_error(err, node,
                              "name `%.100s` may hold letters, digits, dot, dash and "
                              "underscore",
                              node->text);
    if (n == 0 || n > NAME_MAX_LENGTH)
        return yaml_error(err, node, "a name has 1 to %d characters", NAME_MAX_LENGTH);
    l->sweep->name = xstrdup(node->text);
    l->sweep->title = xstrdup(l->file.title != NULL ? l->file.title->text : node->text);
    return 0;
}

static int
add_method(struct loader *l, const struct yaml_node *at, struct err *err)
{
    const struct catalog *c = l->context.catalog;
    const char *names[MAX_METHODS + 1] = {NULL};

    if (at->kind != YAML_TEXT)
        return yaml_error(err, at, "`method` is a word or a list of words");
    const struct catalog_method *m = catalog_find_method(c, at->text);
    for (size_t i = 0; i < l->n_methods; i++)
        if (l->methods[i] == m)
            return yaml_error(err, at, "method `%s` stands here twice", at->text);
    if (m != NULL && l->n_methods < MAX_METHODS) {
        l->methods[l->n_methods++] = m;
        return 0;
    }
    for (size_t i = 0; i < c->n_methods && i < MAX_METHODS; i++)
        names[i] = c->methods[i].name;
    struct buf known = {0};
    word_list(&known, names);
    yaml_error(err, at, "unknown method `%.100s`%s; there are: %s", at->text,
               word_hint(word_nearest(names, at->text)).text, buf_str(&known));
    buf_release(&known);
    return -1;
}

static int
read_methods(struct loader *l, struct err *err)
{
    const struct sweep_entry *entry = parse_entry(&l->file, "method");
    const struct yaml_node *node;
    const struct param word = {.name = "method", .type = PARAM_CHOICE};

    if (entry == NULL)
        return yaml_error(
            err, l->file.root, "`method` is missing; write fixed: {method: %s}",
            l->context.catalog->n_methods > 0 ? l->context.catalog->methods[0].name
                                              : "NAME");
    node = entry->value;
    if (entry->kind == ENTRY_SET)
        node = values_split(node, &word, &l->file.mem);
    if (node->kind != YAML_LIST)
        return add_method(l, node, err);
    for (size_t i = 0; i < node->n; i++)
        if (add_method(l, node->items[i], err) != 0)
            return -1;
    return l->n_methods > 0 ? 0 : yaml_error(err, node, "`method` has an empty list");
}

/* The cells of one method. */
static int
expand_one(struct loader *l, const struct catalog_method *m, struct err *err)
{
    struct binding b = {0};
    struct space space;
    struct rows rows = {0};
    int rc = -1;

    if (space_init(&space, m, err) == 0
        && bind_method(&b, &l->file, &space, &l->context, err) == 0
        && expand_method(&rows, &b, &l->context, err) == 0)
        rc = settle_rows(&rows, &b, &l->context, l->file.root, err);
    if (rc == 0 && rows.n > 0)
        sweep_add_part(l->sweep, &space, rows.items, rows.n);
    else
        free(rows.items);
    bind_release(&b);
    space_release(&space);
    return rc;
}

static int
expand_all(struct loader *l, struct err *err)
{
    for (size_t i = 0; i < l->n_methods; i++)
        if (expand_one(l, l->methods[i], err) != 0)
            return -1;
    if (l->sweep->n_cells > 0)
        return 0;
    return yaml_error(err, l->file.exclude != NULL ? l->file.exclude : l->file.root,
                      "no cell is left; `exclude` drops the whole grid");
}

/* ---- axes ------------------------------------------------------------------------ */

/* The first number in the slot that is there and is not `but`. */
static uint32_t
other_number(const struct sweep_part *p, size_t slot, uint32_t but)
{
    uint32_t number = SPACE_ABSENT;

    for (size_t i = 0; i < p->n && (number == SPACE_ABSENT || number == but); i++)
        number = SWEEP_NUMBER(sweep_at(p, i, slot));
    return number == but ? SPACE_ABSENT : number;
}

/* A parameter varies when two cells that have it differ in it. */
static bool
varies(const struct sweep *s, const char *name)
{
    const char *first = NULL;

    if (strcmp(name, "method") == 0)
        return s->n_parts > 1;
    for (size_t i = 0; i < s->n_parts; i++) {
        const struct sweep_part *p = &s->parts[i];
        const int slot = space_slot(&p->space, name);
        const uint32_t number =
            slot >= 0 ? other_number(p, (size_t)slot, SPACE_ABSENT) : SPACE_ABSENT;
        if (number == SPACE_ABSENT)
            continue;
        const char *text = p->space.params[slot].values[number].text;
        if (other_number(p, (size_t)slot, number) != SPACE_ABSENT
            || (first != NULL && strcmp(first, text) != 0))
            return true;
        first = text;
    }
    return false;
}

static void
add_axis(struct sweep *s, const char *name)
{
    if (!json_has_text(s->axes, name) && varies(s, name))
        json_array_append_new(s->axes, json_string(name));
}

static void
find_axes(struct loader *l)
{
    const struct yaml_node *include = l->file.include;

    l->sweep->axes = json_array();
    for (size_t i = 0; i < l->file.n_entries; i++)
        add_axis(l->sweep, l->file.entries[i].key->text);
    for (size_t i = 0; include != NULL && i < include->n; i++)
        for (size_t k = 0; k < include->items[i]->n; k++)
            add_axis(l->sweep, include->items[i]->keys[k]->text);
}

static int
check_group_over(const struct loader *l, struct err *err)
{
    const char *name = json_str(l->sweep->report, "group_over", "");
    const struct yaml_node *at = l->file.report[REPORT_GROUP_OVER];

    if (at == NULL || strcmp(name, "none") == 0)
        return 0;
    for (size_t i = 0; i < l->n_methods; i++)
        if (catalog_find_param(l->methods[i], name) != NULL)
            return 0;
    const char *near = catalog_nearest_param(l->methods[0], name);
    return yaml_error(err, at, "`group_over: %.100s` is no parameter%s", name,
                      near ? word_hint(near).text : " (`none` groups nothing)");
}

/* A metric that nothing gives would be an empty column after days of work. */
static int
check_metric(const struct loader *l, const struct yaml_node *at, struct err *err)
{
    for (size_t i = 0; i < l->n_methods; i++)
        if (!catalog_declares_metrics(l->methods[i])
            || catalog_gives_metric(l->methods[i], at->text))
            return 0;
    return yaml_error(err, at, "`%.100s` is no metric that a stage gives%s", at->text,
                      word_hint(catalog_nearest_metric(l->methods[0], at->text)).text);
}

static int
check_metrics(const struct loader *l, const struct yaml_node *at, struct err *err)
{
    if (at == NULL || at->kind == YAML_TEXT)
        return at != NULL ? check_metric(l, at, err) : 0;
    for (size_t i = 0; i < at->n; i++)
        if (check_metric(l, at->items[i], err) != 0)
            return -1;
    return 0;
}

static int
load(struct loader *l, const char *text, size_t size, const char *path,
     const struct sweep_options *options, struct err *err)
{
    const char *sets = options->sets != NULL ? options->sets : "";

    if (parse_file(&l->file, text, size, path, err) != 0
        || parse_sets(&l->file, sets, err) != 0 || read_name(l, err) != 0
        || read_methods(l, err) != 0
        || parse_report(&l->sweep->report, &l->file, err) != 0
        || policy_read(&l->sweep->policy, l->file.policy, l->methods, l->n_methods, err)
               != 0
        || check_group_over(l, err) != 0
        || check_metrics(l, l->file.report[REPORT_X], err) != 0
        || check_metrics(l, l->file.report[REPORT_Y], err) != 0)
        return -1;
    l->context.methods = l->methods;
    l->context.n_methods = l->n_methods;
    if (expand_all(l, err) != 0)
        return -1;
    find_axes(l);
    l->sweep->path = xstrdup(path);
    l->sweep->sets = xstrdup(sets);
    l->sweep->text = buf_take(&l->file.text);
    return 0;
}

int
sweep_parse(struct sweep **out, const char *text, size_t size, const char *path,
            const struct catalog *c, const struct sweep_options *options,
            struct err *err)
{
    struct loader l = {.sweep = xcalloc(1, sizeof *l.sweep)};

    l.sweep->notes = json_array();
    l.context = (struct bind_context){
        .catalog = c, .notes = l.sweep->notes, .max_cells = options->max_cells};
    const int rc = load(&l, text, size, path, options, err);
    parse_release(&l.file);
    *out = NULL;
    if (rc != 0)
        sweep_free(l.sweep);
    else
        *out = l.sweep;
    return rc;
}

int
sweep_load(struct sweep **out, const char *path, const struct catalog *c,
           const struct sweep_options *options, struct err *err)
{
    struct buf text = {0};

    *out = NULL;
    int rc = file_read(&text, path, err);
    if (rc != 0)
        err->kind = ERR_USAGE; /* the command line named it */
    else
        rc = sweep_parse(out, buf_str(&text), text.len, path, c, options, err);
    buf_release(&text);
    return rc;
}
