/* merge.c - several sweeps as one report. Knows the shape of rows, not their numbers. */
#include "coordinator/report/merge.h"

#include <stdbool.h>
#include <string.h>

#include "coordinator/report/facet.h"
#include "shared/base/buf.h"
#include "shared/base/json.h"

static void
add_words(json_t *words, const json_t *more)
{
    json_t *item;
    size_t i;

    json_array_foreach(more, i, item)
    {
        if (json_is_string(item) && !json_has_text(words, json_string_value(item)))
            json_array_append(words, item);
    }
}

/* The texts under `key`, with `between` them. New string. */
static json_t *
joined(const json_t *list, const char *key, const char *between)
{
    struct buf b = {0};
    json_t *rows;
    size_t i;

    json_array_foreach(list, i, rows)
    {
        const char *text = json_str(rows, key, "");
        buf_puts(&b, b.len > 0 && text[0] != '\0' ? between : "");
        buf_puts(&b, text);
    }
    json_t *text = json_string(buf_str(&b));
    buf_release(&b);
    return text;
}

/* Parameters that some file chooses, that vary now and are no axis yet. */
static void
add_chosen_axes(json_t *axes, const json_t *cells, const json_t *list)
{
    json_t *rows, *value;
    const char *name;
    size_t i;

    json_array_foreach(list, i, rows)
    {
        const json_t *first = json_array_get(json_object_get(rows, "cells"), 0);
        json_object_foreach(json_object_get(first, "written"), name, value)
        {
            if (!json_has_text(axes, name) && facet_differs(cells, name))
                json_array_append_new(axes, json_string(name));
        }
    }
}

static json_t *
merged_request(const json_t *list)
{
    json_t *request =
        json_deep_copy(json_object_get(json_array_get(list, 0), "report"));
    static const char *const keys[] = {"y", "reference"};
    json_t *rows;
    size_t i;

    if (request == NULL)
        request = json_object();
    json_array_foreach(list, i, rows)
    {
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            add_words(json_object_get(request, keys[k]),
                      json_object_get(json_object_get(rows, "report"), keys[k]));
    }
    return request;
}

/* A copy of `item` whose members of these names are moved by `by`. */
static json_t *
moved(json_t *item, const char *const *names, size_t by)
{
    json_t *copy = json_copy(item);

    for (; *names != NULL; names++)
        json_object_set_new(copy, *names,
                            json_integer(json_int(copy, *names, 0) + (json_int_t)by));
    return copy;
}

/* Facts about models, by the new numbers of cells and of models. */
static void
add_models(json_t *models, json_t *overlaps, const json_t *rows, size_t cells_before)
{
    static const char *const cell[] = {"cell", NULL}, *const pair[] = {"a", "b", NULL};
    const size_t models_before = json_array_size(models);
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(rows, "models"), i, item)
    {
        json_array_append_new(models, moved(item, cell, cells_before));
    }
    json_array_foreach(json_object_get(rows, "overlaps"), i, item)
    {
        json_array_append_new(overlaps, moved(item, pair, models_before));
    }
}

/* Sweeps may share jobs, and so re-runs. */
static void
add_verified(json_t *verified, const json_t *more)
{
    json_t *pair, *known;
    size_t i, k;

    json_array_foreach(more, i, pair)
    {
        bool found = false;
        json_array_foreach(verified, k, known)
        {
            found = found || json_equal(known, pair);
        }
        if (!found)
            json_array_append(verified, pair);
    }
}

json_t *
report_merge(const json_t *list)
{
    json_t *cells = json_array(), *axes = json_array(), *sweeps = json_array(), *rows;
    json_t *models = json_array(), *overlaps = json_array(), *verified = json_array();
    size_t i;

    json_array_foreach(list, i, rows)
    {
        add_models(models, overlaps, rows, json_array_size(cells));
        json_array_extend(cells, json_object_get(rows, "cells"));
        add_verified(verified, json_object_get(rows, "verified"));
        add_words(axes, json_object_get(rows, "axes"));
        json_array_append_new(sweeps, json_pack("{s:s, s:s, s:s, s:s}", "name",
                                                json_str(rows, "name", ""), "title",
                                                json_str(rows, "title", ""), "file",
                                                json_str(rows, "file", ""), "sets",
                                                json_str(rows, "sets", "")));
    }
    add_chosen_axes(axes, cells, list);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
                     joined(list, "name", "+"), "title", joined(list, "title", "; "),
                     "file", joined(list, "file", "\n"), "sets",
                     joined(list, "sets", "\n"), "sweeps", sweeps, "report",
                     merged_request(list), "axes", axes, "cells", cells, "models",
                     models, "overlaps", overlaps, "verified", verified);
}
