/*
 * job.c - job specs: one stage with just the parameters that it depends on. Invariant:
 * the spec is a pure function of its arguments, so that every machine gives one job one
 * name.
 */
#include "shared/spec/job.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The canonical value of p: the cell's, else the default's; NULL where there is none. */
static json_t *
value_of(const struct param *p, const json_t *values)
{
    json_t *v = json_object_get(values, p->name);
    struct err err;

    if (v != NULL)
        return json_incref(v);
    if (p->dflt == NULL || param_read(&v, p, p->dflt, &err) != 0)
        return NULL;
    return v;
}

json_t *
job_spec_build(const struct catalog_method *m, const struct catalog_stage *stage,
               const json_t *values, const json_t *inputs)
{
    json_t *params = json_object();

    for (size_t i = 0; i < stage->n_params; i++) {
        json_t *v = value_of(&stage->params[i], values);
        if (v != NULL)
            json_object_set_new(params, stage->params[i].name, v);
    }
    return json_pack("{s:i, s:s, s:s, s:I, s:o, s:o}", "version", JOB_SPEC_VERSION,
                     "method", m->name, "stage", stage->name, "revision",
                     (json_int_t)stage->revision, "params", params, "inputs",
                     inputs != NULL ? json_deep_copy(inputs) : json_object());
}

struct sha256
job_spec_digest(const json_t *spec)
{
    char *text = json_canonical(spec);
    const struct sha256 digest = sha256_bytes(text, strlen(text));

    free(text);
    return digest;
}

static int
check_inputs(const json_t *spec, struct err *err)
{
    json_t *inputs = json_object_get(spec, "inputs"), *digest;
    const char *stage;

    if (!json_is_object(inputs))
        return err_set(err, ERR_DATA, "job spec: `inputs` must be an object");
    json_object_foreach(inputs, stage, digest)
    {
        const char *hex = json_string_value(digest);
        if (hex == NULL || !sha256_is_hex(hex))
            return err_set(err, ERR_DATA, "job spec: input `%.64s` is not a digest",
                           stage);
    }
    return 0;
}

int
job_spec_check(const json_t *spec, struct err *err)
{
    const char *method, *stage;
    int64_t version, revision;

    if (!json_is_object(spec))
        return err_set(err, ERR_DATA, "job spec: not an object");
    if (json_need_int(&version, spec, "version", "job spec", err) != 0)
        return -1;
    if (version != JOB_SPEC_VERSION)
        return err_set(err, ERR_REFUSED,
                       "job spec of version %" PRId64 ", this program reads version %d",
                       version, JOB_SPEC_VERSION);
    if (json_need_string(&method, spec, "method", "job spec", err) != 0
        || json_need_string(&stage, spec, "stage", "job spec", err) != 0
        || json_need_int(&revision, spec, "revision", "job spec", err) != 0)
        return -1;
    if (!json_is_object(json_object_get(spec, "params")))
        return err_set(err, ERR_DATA, "job spec: `params` must be an object");
    return check_inputs(spec, err);
}
