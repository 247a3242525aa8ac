/*
 * trace_spec.c - reads the JSON file of a trace with the rows that the catalogue has
 * for its stage. Lenient in where a member stands (top, "params", "parameters";
 * <stage>_lr or lr), strict in its value.
 */
#include "worker/pipeline/trace_spec.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "worker/data/dataset.h"
#include "worker/methods/method.h"
#include "worker/pipeline/step_options.h"

static const struct stage_row {
    const char *runner; /* of a stage that makes steps */
    enum step_stage stage;
} stage_rows[] = {
    {"teacher", STEP_TEACHER},
    {"sensitivity", STEP_SENSITIVITY},
    {"mask", STEP_MASK},
    {"finetune", STEP_FINETUNE},
};
enum { N_STAGES = sizeof stage_rows / sizeof stage_rows[0] };

/* What a trace is told beside the stage's parameters. */
static const char *const teacher_bn[] = {"shared", "dual", NULL};
static const struct param own_params[] = {
    PARAM_ROW_INT(struct trace_spec, classes, "0", 0, 100000, "outputs of the network"),
    PARAM_ROW_CHOICE(struct trace_spec, teacher_bn, "shared", teacher_bn,
                     "batch norm of the teacher's shortcuts"),
};

/* ---- finding members ------------------------------------------------------------- */

/* The member `key` of the document or of its "params" or "parameters". Borrowed. */
static json_t *
find_member(const json_t *doc, const char *key)
{
    const char *const places[] = {"params", "parameters"};
    json_t *value = json_object_get(doc, key);

    for (int i = 0; i < 2 && value == NULL; i++)
        value = json_object_get(json_object_get(doc, places[i]), key);
    return value;
}

static bool
has_row(const struct method_stage *stage, const char *name)
{
    return param_find(stage->params, stage->n_params, name) != NULL;
}

/* The member of a row: with its stage's name in front, else without; a spelling that is
 * another row's name is that row's. */
static json_t *
find_row(const json_t *doc, const struct method_stage *stage, const char *name)
{
    const size_t n = strlen(stage->name);
    const bool own = strncmp(name, stage->name, n) == 0 && name[n] == '_';
    char *other = own ? xstrdup(name + n + 1) : xasprintf("%s_%s", stage->name, name);
    const bool taken = has_row(stage, other);
    json_t *with = own     ? find_member(doc, name)
                   : taken ? NULL
                           : find_member(doc, other);
    json_t *without = !own    ? find_member(doc, name)
                      : taken ? NULL
                              : find_member(doc, other);

    free(other);
    return with != NULL ? with : without;
}

/* The method's stage that the document names; NULL and *err where it makes no steps.
 * A document without a method means the first of the catalogue. */
static const struct method_stage *
find_stage(enum step_stage *stage, const json_t *doc, struct err *err)
{
    const char *name = json_string_value(find_member(doc, "stage"));
    const char *method = json_string_value(find_member(doc, "method"));
    const struct method *m = method != NULL ? method_find(method) : methods[0];
    const struct method_stage *s =
        m != NULL && name != NULL ? method_find_stage(m, name) : NULL;

    for (int i = 0; i < N_STAGES && s != NULL; i++) {
        if (strcmp(stage_rows[i].runner, s->runner) != 0)
            continue;
        *stage = stage_rows[i].stage;
        return s;
    }
    err_set(err, ERR_USAGE,
            "`stage` is %s; stages that can be traced: teacher, sensitivity, mask, "
            "finetune",
            name == NULL ? "missing" : name);
    return NULL;
}

/* Data and masks come as tensors, so the rows that would choose them may be absent. */
static bool
may_be_absent(const struct param *p)
{
    return strcmp(p->name, "dataset") == 0 || strcmp(p->name, "relu_budget") == 0;
}

/* Fills s->config by the stage's rows; what was read stays in s->values. */
static int
apply_stage(struct trace_spec *s, const json_t *doc, const struct method_stage *stage,
            const char *path, struct err *err)
{
    struct param *rows = xcalloc(stage->n_params, sizeof *rows);
    size_t n = 0;

    for (size_t i = 0; i < stage->n_params; i++) {
        const struct param *p = &stage->params[i];
        json_t *value = find_row(doc, stage, p->name);
        const bool given = value != NULL && !json_is_null(value);
        if (given)
            json_object_set(s->values, p->name, value);
        if (given || !may_be_absent(p))
            rows[n++] = *p;
    }
    const int rc = param_apply(rows, n, s->values, &s->config, path, err);
    free(rows);
    return rc;
}

/* Fills the members that own_params names. */
static int
apply_own(struct trace_spec *s, const json_t *doc, const char *path, struct err *err)
{
    for (size_t i = 0; i < PARAM_COUNT(own_params); i++) {
        json_t *value = find_member(doc, own_params[i].name);
        if (value != NULL && !json_is_null(value))
            json_object_set(s->own_values, own_params[i].name, value);
    }
    return param_apply(own_params, PARAM_COUNT(own_params), s->own_values, s, path,
                       err);
}

/* ---- the rest -------------------------------------------------------------------- */

/* out[3] from an array member, when there is one. */
static int
read_three(float *out, const json_t *doc, const char *key, struct err *err)
{
    const json_t *list = find_member(doc, key);

    if (list == NULL)
        return 0;
    for (size_t i = 0; i < 3; i++) {
        const json_t *v = json_array_get(list, i);
        if (json_array_size(list) != 3 || !json_is_number(v))
            return err_set(err, ERR_USAGE, "`%s` is not an array of three numbers",
                           key);
        out[i] = (float)json_number_value(v);
    }
    return 0;
}

static int
fill_normalisation(struct trace_spec *s, const json_t *doc, struct err *err)
{
    const char *name = s->config.dataset;
    const struct dataset_source *d = name != NULL ? dataset_find(name) : NULL;

    for (int c = 0; c < 3; c++) {
        s->mean[c] = d != NULL ? d->mean[c] : 0;
        s->std[c] = d != NULL ? d->std[c] : 1;
    }
    if (s->classes == 0 && d != NULL)
        s->classes = d->classes;
    if (s->classes == 0)
        return err_set(err, ERR_USAGE, "`classes` (or a `dataset`) is missing");
    if (read_three(s->mean, doc, "mean", err) != 0
        || read_three(s->std, doc, "std", err) != 0)
        return -1;
    for (int c = 0; c < 3; c++)
        if (!(s->std[c] > 0))
            return err_set(err, ERR_USAGE, "`std` has a number that is not positive");
    return 0;
}

static double
first_lr(const struct stage_config *c, enum step_stage stage)
{
    switch (stage) {
    case STEP_TEACHER: return c->teacher_lr;
    case STEP_MASK: return c->mask_lr;
    case STEP_SENSITIVITY: return c->sensitivity_lr;
    case STEP_FINETUNE: break;
    }
    return c->finetune_lr;
}

static int
read_document(struct trace_spec *s, const json_t *doc, const char *path,
              struct err *err)
{
    enum step_stage stage;
    const struct method_stage *row = find_stage(&stage, doc, err);

    if (row == NULL)
        return err_wrap(err, "%s", path);
    if (apply_stage(s, doc, row, path, err) != 0 || apply_own(s, doc, path, err) != 0)
        return -1;
    if (fill_normalisation(s, doc, err) != 0)
        return err_wrap(err, "%s", path);
    s->lr = first_lr(&s->config, stage);
    s->step = step_options(&s->config, stage);
    return 0;
}

int
trace_spec_read(struct trace_spec *out, const char *path, struct err *err)
{
    json_t *doc;

    *out = (struct trace_spec){0};
    if (json_load(&doc, path, err) != 0)
        return -1;
    out->values = json_object();
    out->own_values = json_object();
    const int rc = read_document(out, doc, path, err);
    json_decref(doc);
    if (rc != 0)
        trace_spec_release(out);
    return rc;
}

void
trace_spec_release(struct trace_spec *s)
{
    json_decref(s->values);
    json_decref(s->own_values);
    *s = (struct trace_spec){0};
}
