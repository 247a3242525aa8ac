/* models.c - facts about trained networks, by setting. Reads no files. */
#include "coordinator/report/models.h"

#include <string.h>

#include "coordinator/report/group.h"
#include "coordinator/report/label.h"
#include "coordinator/report/number.h"
#include "coordinator/report/sheet.h"

const json_t *
models_group(const json_t *report, const json_t *model)
{
    return json_array_get(json_object_get(report, "groups"),
                          (size_t)json_int(model, "group", 0));
}

static size_t
facet_of(const json_t *report, const json_t *model)
{
    return (size_t)json_int(models_group(report, model), "facet", 0);
}

void
models_label(struct buf *out, const json_t *report, const json_t *model)
{
    const json_t *facet =
        json_array_get(json_object_get(report, "facets"), facet_of(report, model));
    const size_t before = out->len;

    label_params(out, json_object_get(models_group(report, model), "params"),
                 json_object_get(facet, "varying"));
    if (out->len == before)
        buf_puts(out, "the only setting");
}

json_t *
models_reduced(const json_t *report, size_t facet)
{
    json_t *found = json_array(), *model;
    size_t i;

    json_array_foreach(json_object_get(report, "models"), i, model)
    {
        if (json_int(model, "group", -1) >= 0 && facet_of(report, model) == facet
            && json_array_size(json_object_get(model, "layers")) > 0
            && !group_is_reference(models_group(report, model)))
            json_array_append_new(found, json_integer((json_int_t)i));
    }
    return found;
}

/* ---- groups ---------------------------------------------------------------------- */

/* The group that has this cell, or -1: the same trial is there under another cell, and
 * its model too. */
static json_int_t
group_of(const json_t *report, json_int_t cell)
{
    json_t *group, *member;
    size_t i, k;

    json_array_foreach(json_object_get(report, "groups"), i, group)
    {
        json_array_foreach(json_object_get(group, "members"), k, member)
        {
            if (json_integer_value(member) == cell)
                return (json_int_t)i;
        }
    }
    return -1;
}

static void
set_groups(json_t *report, const json_t *rows)
{
    json_t *models = json_deep_copy(json_object_get(rows, "models")), *model;
    json_t *overlaps = json_object_get(rows, "overlaps");
    size_t i;

    json_array_foreach(models, i, model)
    {
        const json_int_t group = group_of(report, json_int(model, "cell", -1));
        json_object_set_new(model, "group", json_integer(group));
    }
    if (models != NULL) {
        json_object_set(report, "models", models);
        json_object_set(report, "overlaps", overlaps);
    }
    json_decref(models);
}

/* ---- the table of layers --------------------------------------------------------- */

static const json_t *
model_at(const json_t *report, const json_t *indices, size_t i)
{
    const json_t *index = json_array_get(indices, i);

    return json_array_get(json_object_get(report, "models"),
                          (size_t)json_integer_value(index));
}

static void
add_layer(json_t *sheet, const json_t *report, const json_t *indices, size_t layer)
{
    json_t *row = sheet_row(sheet);
    struct buf b = {0};

    buf_printf(&b, "%zu", layer + 1);
    sheet_take(row, &b);
    for (size_t i = 0; i < json_array_size(indices); i++) {
        const json_t *layers = json_object_get(model_at(report, indices, i), "layers");
        const json_t *record = json_array_get(layers, layer);
        if (i == 0) {
            number_count(&b, json_int(record, "relus", 0));
            sheet_take(row, &b);
        }
        number_count(&b, json_int(record, "kept", 0));
        sheet_take(row, &b);
    }
}

static void
add_sheet(json_t *report, size_t facet)
{
    const json_t *record = json_array_get(json_object_get(report, "facets"), facet);
    json_t *indices = models_reduced(report, facet);
    struct buf b = {0};

    if (json_array_size(indices) == 0) {
        json_decref(indices);
        return;
    }
    sheet_name(&b, "layers");
    sheet_name(&b, json_str(record, "key", ""));
    json_t *sheet =
        sheet_new(buf_str(&b), "layers", json_str(record, "label", ""),
                  "ReLUs of every layer, in the order of execution, and how "
                  "many each setting keeps (one seed).");
    buf_clear(&b);
    sheet_column(sheet, "layer", false);
    sheet_column(sheet, "ReLUs", false);
    for (size_t i = 0; i < json_array_size(indices); i++) {
        buf_clear(&b);
        models_label(&b, report, model_at(report, indices, i));
        sheet_column(sheet, buf_str(&b), false);
    }
    const json_t *layers = json_object_get(model_at(report, indices, 0), "layers");
    for (size_t layer = 0; layer < json_array_size(layers); layer++)
        add_layer(sheet, report, indices, layer);
    sheet_add(report, sheet);
    buf_release(&b);
    json_decref(indices);
}

void
models_add(json_t *report, const json_t *rows)
{
    const size_t n = json_array_size(json_object_get(report, "facets"));

    set_groups(report, rows);
    for (size_t i = 0; i < n; i++)
        add_sheet(report, i);
}
