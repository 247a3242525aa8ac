/*
 * trace_spec.c - reads the JSON file of a trace. Lenient in where a member stands (top,
 * "params", "parameters"; <stage>_lr or lr), strict in its value.
 */
#include "worker/pipeline/trace_spec.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "shared/base/param.h"
#include "worker/data/dataset.h"
#include "worker/losses/loss.h"
#include "worker/models/model.h"

/* What a stage is and what it does by default (methods.md 4). */
static const struct stage_row {
    const char *name;
    enum step_stage stage;
    const char *lr, *loss;
} stage_rows[] = {
    {"teacher", STEP_TEACHER, "0.05", "ce"},
    {"mask", STEP_MASK, "0.05", "ce+kl"},
    {"finetune", STEP_FINETUNE, "0.01", "ce+kl+pram"},
};
enum { N_STAGES = sizeof stage_rows / sizeof stage_rows[0] };

static const char *const stage_names[] = {"teacher", "mask", "finetune", NULL};
static const char *const teacher_bn[] = {"shared", "dual", NULL};

#define SPEC struct trace_spec
static const struct param spec_params[] = {
    PARAM_ROW_CHOICE(SPEC, stage, NULL, stage_names, "whose step is made"),
    PARAM_ROW_CHOICE(SPEC, model, NULL, model_names, "network"),
    PARAM_ROW_STRING(SPEC, dataset, "", "gives normalisation and classes"),
    PARAM_ROW_INT(SPEC, classes, "0", 0, 100000, "outputs of the network"),
    PARAM_ROW_CHOICE(SPEC, teacher_bn, "shared", teacher_bn, "shortcuts' batch norm"),
    PARAM_ROW_SUM(SPEC, loss, NULL, loss_names, "weighted sum of terms"),
    PARAM_ROW_CHOICE(SPEC, loss_weights, "released", loss_weighting,
                     "weights of terms without one"),
    PARAM_ROW_CHOICE(SPEC, pram_form, "released", loss_weighting, "which formula"),
    PARAM_ROW_SET(SPEC, pram_views, "clean,aug", loss_view_names, "views of pram"),
    PARAM_ROW_REAL(SPEC, temperature, "4", 1e-3, 1e6, "of losses and of the KL attack"),
    PARAM_ROW_STRING(SPEC, attack, "auto", "name of an attack, or auto"),
    PARAM_ROW_REAL(SPEC, eps, "8/255", 0, 1, "radius of the attack, pixels in [0,1]"),
    PARAM_ROW_REAL(SPEC, attack_step, "2/255", 0, 1, "size of its steps"),
    PARAM_ROW_INT(SPEC, attack_steps, "7", 0, 100000, "number of its steps"),
    PARAM_ROW_REAL(SPEC, lr, NULL, 0, 1e6, "learning rate"),
    PARAM_ROW_REAL(SPEC, momentum, "0.9", 0, 1, "of SGD"),
    PARAM_ROW_REAL(SPEC, weight_decay, "0.0005", 0, 1, "of SGD"),
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

/* As find_member, with <stage>_<key> before <key>. */
static json_t *
find_stage_member(const json_t *doc, const char *stage, const char *key)
{
    char *full = xasprintf("%s_%s", stage, key);
    json_t *value = find_member(doc, full);

    free(full);
    return value != NULL ? value : find_member(doc, key);
}

/* The row of the document's stage; NULL and *err where there is none. */
static const struct stage_row *
find_stage(const json_t *doc, struct err *err)
{
    const char *name = json_string_value(find_member(doc, "stage"));

    for (int i = 0; i < N_STAGES && name != NULL; i++)
        if (strcmp(stage_rows[i].name, name) == 0)
            return &stage_rows[i];
    err_set(err, ERR_USAGE,
            "`stage` is %s; stages that can be traced: teacher, mask, finetune",
            name == NULL ? "missing" : name);
    return NULL;
}

/* The members that the table knows, as one flat object; new reference. */
static json_t *
gather(const json_t *doc, const struct stage_row *row)
{
    json_t *flat = json_pack("{s:s, s:s}", "lr", row->lr, "loss", row->loss);

    for (size_t i = 0; i < PARAM_COUNT(spec_params); i++) {
        const char *key = spec_params[i].name;
        json_t *value = find_stage_member(doc, row->name, key);
        if (value != NULL && !json_is_null(value))
            json_object_set(flat, key, value);
    }
    return flat;
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
    const struct dataset_source *d = dataset_find(s->dataset);

    if (d == NULL && s->dataset[0] != '\0')
        return err_set(err, ERR_USAGE, "unknown dataset `%s`", s->dataset);
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

static void
fill_step(struct trace_spec *s, enum step_stage stage)
{
    s->step = (struct step_config){.stage = stage,
                                   .loss = s->loss,
                                   .loss_weights = s->loss_weights,
                                   .pram_form = s->pram_form,
                                   .pram_views = s->pram_views,
                                   .temperature = s->temperature,
                                   .attack = s->attack,
                                   .eps = s->eps,
                                   .attack_step = s->attack_step,
                                   .attack_steps = s->attack_steps,
                                   .momentum = s->momentum,
                                   .weight_decay = s->weight_decay};
}

static int
read_document(struct trace_spec *s, const json_t *doc, const char *path,
              struct err *err)
{
    const struct stage_row *row = find_stage(doc, err);

    if (row == NULL)
        return err_wrap(err, "%s", path);
    s->values = gather(doc, row);
    if (param_apply(spec_params, PARAM_COUNT(spec_params), s->values, s, path, err)
        != 0)
        return -1;
    if (fill_normalisation(s, doc, err) != 0)
        return err_wrap(err, "%s", path);
    fill_step(s, row->stage);
    return 0;
}

int
trace_spec_read(struct trace_spec *out, const char *path, struct err *err)
{
    json_t *doc;

    *out = (struct trace_spec){0};
    if (json_load(&doc, path, err) != 0)
        return -1;
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
    *s = (struct trace_spec){0};
}
