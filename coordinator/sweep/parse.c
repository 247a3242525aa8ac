/*
 * parse.c - sweep file -> entries. Knows the keys of a sweep file and how a preset and
 * --set lie under and over it; must not know any parameter of any method.
 */
#include "coordinator/sweep/parse.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/file.h"
#include "shared/base/param.h"
#include "shared/base/word.h"

enum { MAX_BASES = 8 };

static const char *const file_keys[] = {"name",     "title",  "description", "base",
                                        "fixed",    "grid",   "exclude",     "include",
                                        "evaluate", "report", NULL};

/* ERR_USAGE for a key that is not in `known`, naming the nearest. */
static int
check_keys(const struct yaml_node *map, const char *const *known, const char *what,
           struct err *err)
{
    for (size_t i = 0; i < map->n; i++) {
        const char *key = map->keys[i]->text;
        const char *const *k = known;
        while (*k != NULL && strcmp(*k, key) != 0)
            k++;
        if (*k != NULL)
            continue;
        return yaml_error(err, map->keys[i], "unknown key `%.100s`%s%s", key, what,
                          word_hint(word_nearest(known, key)).text);
    }
    return 0;
}

/* The keys at the top of a file. */
static int
check_file_keys(const struct yaml_node *root, struct err *err)
{
    const char *known[64] = {NULL};
    size_t n = 0;

    for (const char *const *k = file_keys; *k != NULL; k++)
        known[n++] = *k;
    for (const char *const *k = policy_keys; *k != NULL; k++)
        known[n++] = *k;
    return check_keys(root, known, "", err);
}

static int
need_kind(const struct yaml_node *node, enum yaml_kind kind, const char *key,
          struct err *err)
{
    if (node->kind == kind)
        return 0;
    return yaml_error(err, node, "`%s` must be %s, not %s", key, yaml_kind_name(kind),
                      yaml_kind_name(node->kind));
}

const struct sweep_entry *
parse_entry(const struct sweep_file *file, const char *key)
{
    for (size_t i = 0; i < file->n_entries; i++)
        if (strcmp(file->entries[i].key->text, key) == 0)
            return &file->entries[i];
    return NULL;
}

static bool
is_axis(const struct sweep_file *file, const char *key)
{
    const struct sweep_entry *entry = parse_entry(file, key);

    return entry != NULL && entry->axis;
}

/* Adds an entry or replaces the one of the same key, at its place. */
static void
put_entry(struct sweep_file *file, struct sweep_entry entry)
{
    struct sweep_entry *old = (struct sweep_entry *)parse_entry(file, entry.key->text);

    if (old != NULL) {
        *old = entry;
        return;
    }
    file->entries = xgrow(file->entries, &file->capacity, file->n_entries + 1,
                          sizeof *file->entries);
    file->entries[file->n_entries++] = entry;
}

/* One file must not say a parameter twice; a preset and its user may. */
static int
check_twice(const struct yaml_node *root, const char *section, const char *other,
            struct err *err)
{
    const struct yaml_node *a = yaml_get(root, section), *b = yaml_get(root, other);

    if (a == NULL || b == NULL || a->kind != YAML_MAP)
        return 0;
    for (size_t i = 0; i < a->n; i++) {
        const struct yaml_node *twin = yaml_get(b, a->keys[i]->text);
        if (twin != NULL)
            return yaml_error(err, a->keys[i],
                              "`%.100s` is already under `%s` in line %d",
                              a->keys[i]->text, other, twin->line);
    }
    return 0;
}

static int
put_section(struct sweep_file *file, const struct yaml_node *root, const char *section,
            enum sweep_entry_kind kind, struct err *err)
{
    const struct yaml_node *map = yaml_get(root, section);

    if (map == NULL)
        return 0;
    if (need_kind(map, YAML_MAP, section, err) != 0)
        return -1;
    if (map->n == 0)
        return yaml_error(err, map, "`%s` is empty; leave it out or name a parameter",
                          section);
    for (size_t i = 0; i < map->n; i++)
        put_entry(file, (struct sweep_entry){kind, map->keys[i], map->items[i],
                                             kind == ENTRY_GRID});
    return 0;
}

/* `evaluate: [a, b]` at the top is the parameter `evaluate`. */
static int
put_evaluate(struct sweep_file *file, const struct yaml_node *root, struct err *err)
{
    const struct yaml_node *sections[] = {yaml_get(root, "fixed"),
                                          yaml_get(root, "grid")};

    for (size_t i = 0; i < root->n; i++) {
        if (strcmp(root->keys[i]->text, "evaluate") != 0)
            continue;
        for (size_t s = 0; s < 2; s++)
            if (sections[s] != NULL && yaml_get(sections[s], "evaluate") != NULL)
                return yaml_error(
                    err, root->keys[i], "`evaluate` is also under `%s`, in line %d",
                    s == 0 ? "fixed" : "grid", yaml_get(sections[s], "evaluate")->line);
        put_entry(file, (struct sweep_entry){ENTRY_FIXED, root->keys[i], root->items[i],
                                             false});
    }
    return 0;
}

static int
take_text(const struct yaml_node **out, const struct yaml_node *root, const char *key,
          struct err *err)
{
    const struct yaml_node *node = yaml_get(root, key);

    if (node == NULL)
        return 0;
    *out = node;
    return need_kind(node, YAML_TEXT, key, err);
}

/* exclude and include: a list of maps; one map stands for a list of one. */
static int
take_rules(struct sweep_file *file, const struct yaml_node **out,
           const struct yaml_node *root, const char *key, struct err *err)
{
    const struct yaml_node *node = yaml_get(root, key);

    if (node == NULL)
        return 0;
    if (node->kind == YAML_MAP) {
        struct yaml_node *list = arena_alloc(&file->mem, sizeof *list);
        *list = *node;
        list->kind = YAML_LIST;
        list->items = arena_alloc(&file->mem, sizeof(struct yaml_node *));
        list->items[0] = (struct yaml_node *)node;
        list->n = 1;
        node = list;
    }
    if (need_kind(node, YAML_LIST, key, err) != 0)
        return -1;
    for (size_t i = 0; i < node->n; i++)
        if (node->items[i]->kind != YAML_MAP || node->items[i]->n == 0)
            return yaml_error(err, node->items[i],
                              "an element of `%s` is a map like {temperature: 1}", key);
    *out = node;
    return 0;
}

static const char *const report_keys[REPORT_KEYS + 1] = {
    [REPORT_X] = "x",
    [REPORT_Y] = "y",
    [REPORT_GROUP_OVER] = "group_over",
    [REPORT_REFERENCE] = "reference",
};

/* The report's keys are laid over those of the preset one by one. */
static int
take_report(struct sweep_file *file, const struct yaml_node *root, struct err *err)
{
    const struct yaml_node *map = yaml_get(root, "report");

    if (map == NULL)
        return 0;
    if (need_kind(map, YAML_MAP, "report", err) != 0
        || check_keys(map, report_keys, " in `report`", err) != 0)
        return -1;
    for (int k = 0; k < REPORT_KEYS; k++) {
        const struct yaml_node *value = yaml_get(map, report_keys[k]);
        if (value != NULL)
            file->report[k] = value;
    }
    return 0;
}

/* A preset's policy holds as far as its user says nothing else. */
static void
take_policy(struct sweep_file *file, const struct yaml_node *root)
{
    for (int k = 0; k < POLICY_KEYS; k++) {
        const struct yaml_node *value = yaml_get(root, policy_keys[k]);
        if (value != NULL)
            file->policy[k] = value;
    }
}

static int parse_one(struct sweep_file *file, const char *text, size_t size,
                     const char *path, int depth, struct err *err);

/* A copy of the preset's text goes into ours as comments: it belongs to the record of
 * what was run, and a changed preset makes a changed sweep. */
static void
keep_base_text(struct sweep_file *file, const char *name, const char *text)
{
    buf_printf(&file->text, "\n# base: %s\n", name);
    for (const char *line = text; *line != '\0';) {
        const size_t n = strcspn(line, "\n");
        buf_printf(&file->text, "# %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

static int
parse_base(struct sweep_file *file, const struct yaml_node *root, const char *path,
           int depth, struct err *err)
{
    const struct yaml_node *base = NULL;
    struct buf text = {0};
    int rc = -1;

    if (take_text(&base, root, "base", err) != 0)
        return -1;
    if (base == NULL)
        return 0;
    if (depth >= MAX_BASES)
        return yaml_error(err, base, "more than %d presets on top of each other",
                          MAX_BASES);
    char *folder = xstrdup(path);
    char *full = base->text[0] == '/' ? xstrdup(base->text)
                                      : file_join(dirname(folder), base->text);
    if (file_read(&text, full, err) != 0)
        yaml_error_wrap(err, base);
    else
        rc = parse_one(file, buf_str(&text), text.len, full, depth + 1, err);
    if (rc == 0)
        keep_base_text(file, base->text, buf_str(&text));
    buf_release(&text);
    free(full);
    free(folder);
    return rc;
}

static int
parse_one(struct sweep_file *file, const char *text, size_t size, const char *path,
          int depth, struct err *err)
{
    struct yaml_node *root;

    if (yaml_read(&root, text, size, path, &file->mem, err) != 0)
        return -1;
    if (root->kind != YAML_MAP)
        return yaml_error(err, root, "a sweep file is a map of keys, not %s",
                          yaml_kind_name(root->kind));
    if (check_file_keys(root, err) != 0 || check_twice(root, "grid", "fixed", err) != 0
        || parse_base(file, root, path, depth, err) != 0)
        return -1;
    file->root = root;
    take_policy(file, root);
    if (take_text(&file->name, root, "name", err) != 0
        || take_text(&file->title, root, "title", err) != 0
        || put_section(file, root, "fixed", ENTRY_FIXED, err) != 0
        || put_section(file, root, "grid", ENTRY_GRID, err) != 0
        || put_evaluate(file, root, err) != 0
        || take_rules(file, &file->exclude, root, "exclude", err) != 0
        || take_rules(file, &file->include, root, "include", err) != 0)
        return -1;
    return take_report(file, root, err);
}

int
parse_file(struct sweep_file *out, const char *text, size_t size, const char *path,
           struct err *err)
{
    *out = (struct sweep_file){0};
    if (size <= YAML_MAX_BYTES)
        buf_add(&out->text, text, size);
    return parse_one(out, text, size, path, 0, err);
}

/* One "key=values" line. */
static int
parse_set(struct sweep_file *file, const char *line, struct err *err)
{
    char *where = xasprintf("--set %s", line), *key = xstrdup(line);
    char *equals = strchr(key, '=');
    int rc = 0;

    if (equals == NULL || equals == key || equals[1] == '\0') {
        rc = err_set(err, ERR_USAGE, "%s: write --set key=value or --set key=v1,v2",
                     where);
        goto out;
    }
    *equals = '\0';
    const struct yaml_node *k = yaml_text(where, key, &file->mem);
    const struct yaml_node *v = yaml_text(where, equals + 1, &file->mem);
    if (strcmp(key, "name") == 0)
        file->name = v;
    else if (strcmp(key, "title") == 0)
        file->title = v;
    else
        put_entry(file, (struct sweep_entry){ENTRY_SET, k, v, is_axis(file, key)});
out:
    free(where);
    free(key);
    return rc;
}

int
parse_sets(struct sweep_file *file, const char *sets, struct err *err)
{
    while (*sets != '\0') {
        const size_t n = strcspn(sets, "\n");
        char *line = xstrndup(sets, n);
        const int rc = n > 0 ? parse_set(file, line, err) : 0;
        free(line);
        if (rc != 0)
            return -1;
        sets += n + (sets[n] == '\n');
    }
    return 0;
}

static int
report_word(json_t *report, const struct sweep_file *file, enum report_key key,
            struct err *err)
{
    const struct yaml_node *node = file->report[key];

    if (node == NULL)
        return 0;
    if (need_kind(node, YAML_TEXT, report_keys[key], err) != 0)
        return -1;
    json_object_set_new(report, report_keys[key], json_string(node->text));
    return 0;
}

/* A list of words; one word stands for a list of one. */
static int
report_words(json_t *report, const struct sweep_file *file, enum report_key key,
             struct err *err)
{
    const struct yaml_node *node = file->report[key];
    json_t *words;

    if (node == NULL)
        return 0;
    if (node->kind == YAML_TEXT) {
        json_object_set_new(report, report_keys[key], json_pack("[s]", node->text));
        return 0;
    }
    if (need_kind(node, YAML_LIST, report_keys[key], err) != 0)
        return -1;
    json_object_set_new(report, report_keys[key], words = json_array());
    for (size_t i = 0; i < node->n; i++) {
        if (need_kind(node->items[i], YAML_TEXT, report_keys[key], err) != 0)
            return -1;
        json_array_append_new(words, json_string(node->items[i]->text));
    }
    return 0;
}

int
parse_report(json_t **out, const struct sweep_file *file, struct err *err)
{
    *out = json_pack("{s:s, s:[s,s,s], s:s, s:[]}", "x", "relus", "y", "CA", "NPA",
                     "AdvA", "group_over", "seed", "reference");
    if (report_word(*out, file, REPORT_X, err) == 0
        && report_words(*out, file, REPORT_Y, err) == 0
        && report_word(*out, file, REPORT_GROUP_OVER, err) == 0
        && report_words(*out, file, REPORT_REFERENCE, err) == 0)
        return 0;
    json_decref(*out);
    *out = NULL;
    return -1;
}

void
parse_release(struct sweep_file *file)
{
    free(file->entries);
    buf_release(&file->text);
    arena_release(&file->mem);
    *file = (struct sweep_file){0};
}
