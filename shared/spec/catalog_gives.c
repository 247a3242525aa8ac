/*
 * catalog_gives.c - what results of a stage have, from the rows that it declares, and
 * what one lacks. Knows no metric by name.
 */
#include "shared/base/word.h"
#include "shared/spec/catalog.h"

#include <string.h>

bool
catalog_metric_matches(const char *pattern, const char *name)
{
    for (; *pattern != '\0'; pattern++) {
        if (*pattern != '*' && *pattern != *name)
            return false;
        const size_t word = *pattern == '*' ? strcspn(name, "/") : 1;
        if (word == 0)
            return false;
        name += word;
    }
    return *name == '\0';
}

const char *
catalog_lacks(const json_t *gives, const json_t *params, const char *kind,
              catalog_has_fn *has, const void *ctx)
{
    for (size_t i = 0; i < json_array_size(gives); i++) {
        const json_t *row = json_array_get(gives, i), *when;
        const char *name = json_str(row, kind, NULL);
        if (name == NULL || (when = json_object_get(row, "when")) == NULL
            || !catalog_has_all(params, when, NULL))
            continue;
        if (!has(ctx, name))
            return name;
    }
    return NULL;
}

bool
catalog_declares_metrics(const struct catalog_method *m)
{
    for (size_t s = 0; s < m->n_stages; s++)
        if (json_array_size(m->stages[s].gives) > 0)
            return true;
    return false;
}

bool
catalog_gives_metric(const struct catalog_method *m, const char *name)
{
    for (size_t s = 0; s < m->n_stages; s++)
        for (size_t i = 0; i < json_array_size(m->stages[s].gives); i++) {
            const json_t *row = json_array_get(m->stages[s].gives, i);
            const char *pattern = json_str(row, "metric", NULL);
            if (pattern != NULL && catalog_metric_matches(pattern, name))
                return true;
        }
    return false;
}

const char *
catalog_nearest_metric(const struct catalog_method *m, const char *wrong)
{
    const char *names[256] = {NULL};
    size_t n = 0;

    for (size_t s = 0; s < m->n_stages; s++)
        for (size_t i = 0; i < json_array_size(m->stages[s].gives) && n < 255; i++) {
            const json_t *row = json_array_get(m->stages[s].gives, i);
            const char *name = json_str(row, "metric", NULL);
            if (name != NULL && strchr(name, '*') == NULL)
                names[n++] = name;
        }
    return word_nearest(names, wrong);
}
