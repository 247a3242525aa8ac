/*
 * contract.c - success with everything that the stage declares. Must not know what a
 * metric means; the rows are those of shared/spec/catalog.h.
 */
#include "coordinator/dispatch/contract.h"

#include <string.h>

#include "coordinator/dispatch/result.h"
#include "shared/spec/catalog.h"

static json_t *
stages_of(const json_t *method)
{
    const json_t *stages = json_object_get(method, "stages");
    json_t *out = json_object();

    for (size_t i = 0; i < json_array_size(stages); i++) {
        const json_t *stage = json_array_get(stages, i);
        json_t *gives = json_object_get(stage, "gives");
        if (json_array_size(gives) > 0)
            json_object_set(out, json_str(stage, "name", ""), gives);
    }
    return out;
}

json_t *
contract_of_catalog(const json_t *catalog)
{
    const json_t *methods = json_object_get(catalog, "methods");
    json_t *out = json_object();

    for (size_t i = 0; i < json_array_size(methods); i++) {
        const json_t *method = json_array_get(methods, i);
        json_t *stages = stages_of(method);
        if (json_object_size(stages) > 0)
            json_object_set(out, json_str(method, "name", ""), stages);
        json_decref(stages);
    }
    if (json_object_size(out) > 0)
        return out;
    json_decref(out);
    return NULL;
}

static json_t *
gives_of(const json_t *contract, const json_t *spec)
{
    const json_t *stages = json_object_get(contract, json_str(spec, "method", ""));

    return json_object_get(stages, json_str(spec, "stage", ""));
}

bool
contract_binds(const json_t *contract, const char *spec)
{
    struct err err;
    json_t *doc;

    if (contract == NULL)
        return false;
    if (json_parse(&doc, spec, strlen(spec), "spec of a job", &err) != 0)
        return true; /* whoever looks at the result says what is wrong */
    const bool binds = gives_of(contract, doc) != NULL;
    json_decref(doc);
    return binds;
}

static bool
has_metric(const void *ctx, const char *name)
{
    const struct msg_result *m = ctx;

    for (size_t i = 0; i < m->n_finals; i++)
        if (catalog_metric_matches(name, m->finals[i].name))
            return true;
    return false;
}

static bool
has_artifact(const void *ctx, const char *name)
{
    const struct msg_result *m = ctx;

    for (size_t i = 0; i < m->n_artifacts; i++)
        if (strcmp(name, m->artifacts[i].name) == 0)
            return true;
    return false;
}

const struct msg *
contract_fault(const json_t *contract, const json_t *spec, const struct msg_result *m,
               struct arena *mem)
{
    const json_t *gives = gives_of(contract, spec);
    const json_t *params = json_object_get(spec, "params");
    const char *what = "artifact";
    const char *name = catalog_lacks(gives, params, what, has_artifact, m);

    if (name == NULL)
        name = catalog_lacks(gives, params, what = "metric", has_metric, m);
    if (name == NULL)
        return NULL;
    return result_as_failure(
        m, "contract",
        arena_printf(mem, "the result lacks the %s `%s`, which stage %s declares", what,
                     name, json_str(spec, "stage", "")),
        mem);
}
