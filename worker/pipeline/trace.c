/*
 * trace.c - exact steps on given data; see trace.h. Invariant: it adds no arithmetic of
 * its own: what it shows is what step.c computed, gradients less what SGD adds them to.
 * It must not know the trainer.
 */
#include "worker/pipeline/trace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/json.h"
#include "shared/base/mem.h"
#include "worker/engine/backend.h"
#include "worker/engine/team.h"
#include "worker/pipeline/network.h"
#include "worker/pipeline/safetensors.h"
#include "worker/pipeline/step.h"
#include "worker/pipeline/trace_spec.h"
#include "worker/pipeline/views.h"

const struct param trace_params[] = {
    PARAM_ROW_STRING(struct trace_config, spec, NULL, "stage spec, JSON"),
    PARAM_ROW_STRING(struct trace_config, in, NULL, "networks and data, safetensors"),
    PARAM_ROW_STRING(struct trace_config, out, NULL, "what to write, safetensors"),
    PARAM_ROW_INT(struct trace_config, steps, "1", 1, 1000000, "optimiser steps"),
    PARAM_ROW_INT(struct trace_config, threads, "1", 1, 1024, "threads"),
    PARAM_ROW_STRING(struct trace_config, backend, "auto", "dnnl, blas or auto"),
};
const size_t trace_n_params = PARAM_COUNT(trace_params);

/* All that a trace holds. */
struct trace {
    struct trace_spec spec;
    struct st_file *in;
    struct team *team;
    struct net *student, *teacher;
    struct step *step;
    struct step_batch batch;
    struct step_result result;
    float **starts;   /* of each parameter of the student that is trained, else NULL:
                         optim_sgd_start, before the last step */
    struct arena mem; /* names and numbers that the writer borrows */
};

/* ---- what goes in ---------------------------------------------------------------- */

static int
need_images(const float **out, const struct trace *t, const char *name, struct err *err)
{
    const struct graph_shape s = t->spec.image;

    return st_need_f32(out, t->in, name, t->batch.n * s.c * s.h * s.w, err);
}

/* Batch size and image shape come from `x`. */
static int
read_shape(struct trace *t, struct err *err)
{
    const struct st_tensor *x = st_find(t->in, "x");

    if (x == NULL || x->n_dims != 4 || x->dims[1] != 3 || x->dims[0] < 1)
        return err_set(err, ERR_DATA, "tensor `x` of shape (B,3,H,W) is %s",
                       x == NULL ? "missing" : "of another shape");
    t->batch.n = x->dims[0];
    t->spec.image = (struct graph_shape){x->dims[1], x->dims[2], x->dims[3]};
    return 0;
}

static int
read_labels(struct trace *t, struct err *err)
{
    const struct st_tensor *y = st_find(t->in, "y");

    if (y == NULL || y->dtype != ST_I64 || y->count != t->batch.n)
        return err_set(err, ERR_DATA, "tensor `y` of %" PRId64 " i64 labels is %s",
                       t->batch.n, y == NULL ? "missing" : "of another shape or type");
    t->batch.y = y->data;
    for (int64_t i = 0; i < t->batch.n; i++)
        if (t->batch.y[i] < 0 || t->batch.y[i] >= t->spec.classes)
            return err_set(err, ERR_DATA,
                           "y[%" PRId64 "] = %" PRId64 " is no class of %" PRId64, i,
                           t->batch.y[i], t->spec.classes);
    return 0;
}

static int
read_batch(struct trace *t, struct err *err)
{
    struct step_batch *b = &t->batch;

    if (need_images(&b->x, t, "x", err) != 0
        || need_images(&b->x_aug, t, "x_aug", err) != 0
        || need_images(&b->start, t, "attack_start", err) != 0)
        return -1;
    return read_labels(t, err);
}

static int
make_net(struct net **out, const struct trace *t, const struct backend *backend,
         enum model_role role, struct err *err)
{
    struct dataset d = {.c = t->spec.image.c,
                        .h = t->spec.image.h,
                        .w = t->spec.image.w,
                        .classes = t->spec.classes};
    const struct network_config config = {
        .model = t->spec.config.model,
        .data = &d,
        .role = role,
        .bn_paths = network_bn_paths(t->spec.config.bn),
        .shared_shortcut_bn = strcmp(t->spec.teacher_bn, "shared") == 0,
        .backend = backend,
        .team = t->team,
        .max_batch = views_room(t->batch.n, network_bn_paths(t->spec.config.bn)),
        .gradients = out == &t->student,
    };

    memcpy(d.mean, t->spec.mean, sizeof d.mean);
    memcpy(d.std, t->spec.std, sizeof d.std);
    return network_new(out, &config, err);
}

static int
load_param(const struct trace *t, struct net_param *p, const char *name,
           struct err *err)
{
    const struct st_tensor *tensor = st_find(t->in, name);
    const float *values;

    if (p->role == NET_BATCHES) {
        const bool given =
            tensor != NULL && tensor->dtype == ST_I64 && tensor->count == 1;
        if (tensor != NULL && !given)
            return err_set(err, ERR_DATA, "tensor `%s` is not one i64 number", name);
        p->value[0] = given ? (float)*(const int64_t *)tensor->data : 0;
        return 0;
    }
    if (st_need_f32(&values, t->in, name, p->size, err) != 0)
        return -1;
    memcpy(p->value, values, (size_t)p->size * sizeof(float));
    return 0;
}

/* A name in the file that the network does not have is a network of another spelling.
 * */
static int
check_names(const struct trace *t, struct net *n, const char *prefix, struct err *err)
{
    const size_t skip = strlen(prefix);

    for (size_t i = 0; i < st_count(t->in); i++) {
        const char *name = st_at(t->in, i)->name;
        if (strncmp(name, prefix, skip) == 0 && net_find_param(n, name + skip) == NULL)
            return err_set(err, ERR_DATA, "tensor `%s`: %s has no such parameter", name,
                           t->spec.config.model);
    }
    return 0;
}

static int
load_net(struct trace *t, struct net *n, const char *prefix, struct err *err)
{
    size_t count;
    struct net_param *params = net_params(n, &count);

    if (check_names(t, n, prefix, err) != 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const char *name = arena_printf(&t->mem, "%s%s", prefix, params[i].name);
        if (load_param(t, &params[i], name, err) != 0)
            return -1;
    }
    net_params_changed(n);
    return 0;
}

static int
load_masks(struct trace *t, struct err *err)
{
    const struct graph *g = net_graph(t->student);

    for (int i = 0; i < graph_n_masks(g); i++) {
        const struct graph_shape s = graph_mask_shape(g, i);
        const char *name = arena_printf(&t->mem, "mask/%d", i);
        const struct st_tensor *mask = st_find(t->in, name);
        if (mask == NULL)
            continue;
        if ((mask->dtype != ST_U8 && mask->dtype != ST_BOOL)
            || mask->count != s.c * s.h * s.w)
            return err_set(err, ERR_DATA,
                           "tensor `%s` is not u8 of shape (%" PRId64 ",%" PRId64
                           ",%" PRId64 ")",
                           name, s.c, s.h, s.w);
        const uint8_t *bytes = mask->data;
        for (int64_t j = 0; j < mask->count; j++)
            if (bytes[j] > 1)
                return err_set(err, ERR_DATA, "tensor `%s` holds %d; 0 or 1 are masks",
                               name, bytes[j]);
        net_set_mask(t->student, i, bytes);
    }
    return 0;
}

static int
load_nets(struct trace *t, const struct backend *backend, struct err *err)
{
    const bool student =
        t->spec.step.stage == STEP_MASK || t->spec.step.stage == STEP_FINETUNE;
    const enum model_role role = student ? MODEL_STUDENT : MODEL_TEACHER;

    if (make_net(&t->student, t, backend, role, err) != 0
        || load_net(t, t->student, "student/", err) != 0 || load_masks(t, err) != 0)
        return -1;
    if (!student)
        return 0;
    if (make_net(&t->teacher, t, backend, MODEL_TEACHER, err) != 0)
        return -1;
    return load_net(t, t->teacher, "teacher/", err);
}

/* ---- what comes out -------------------------------------------------------------- */

static void
put_loss(struct st_writer *w, struct trace *t, const char *name, double value)
{
    float *kept = arena_alloc(&t->mem, sizeof *kept);

    *kept = (float)value;
    st_writer_add(w, arena_printf(&t->mem, "loss/%s", name), ST_F32, NULL, 0, kept);
}

/* Of a view that is left out there are none. */
static void
put_logits(struct st_writer *w, const struct trace *t, const char *name,
           const float *logits, int64_t n)
{
    if (n > 0)
        st_writer_add(w, name, ST_F32, (int64_t[]){n, t->spec.classes}, 2, logits);
}

static void
put_result(struct st_writer *w, struct trace *t)
{
    const struct step_result *r = &t->result;
    const struct graph_shape s = t->spec.image;

    put_logits(w, t, "logits/clean", r->logits_clean, r->n_clean);
    put_logits(w, t, "logits/aug", r->logits_aug, r->n_aug);
    put_logits(w, t, "logits/adv", r->logits_adv, r->n_adv);
    if (r->n_adv > 0)
        st_writer_add(w, "x_adv", ST_F32, (int64_t[]){r->n_adv, s.c, s.h, s.w}, 4,
                      r->x_adv);
    put_loss(w, t, "total", r->total);
    for (int i = 0; losses[i] != NULL; i++)
        put_loss(w, t, losses[i]->name, r->terms[i]);
}

/* Turns what the last step began with into the gradients that it added. */
static const float *
gradient(const struct net_param *p, float *start)
{
    for (int64_t i = 0; i < p->size; i++)
        start[i] = p->grad[i] - start[i];
    return start;
}

static void
put_params(struct st_writer *w, struct trace *t)
{
    size_t count;
    const struct net_param *params = net_params(t->student, &count);

    for (size_t i = 0; i < count; i++) {
        const struct net_param *p = &params[i];
        const char *name = arena_printf(&t->mem, "student/%s", p->name);
        if (p->role == NET_BATCHES) {
            int64_t *batches = arena_alloc(&t->mem, sizeof *batches);
            *batches = (int64_t)p->value[0];
            st_writer_add(w, name, ST_I64, NULL, 0, batches);
            continue;
        }
        st_writer_add(w, name, ST_F32, p->dims, p->n_dims, p->value);
        if (p->grad != NULL)
            st_writer_add(w, arena_printf(&t->mem, "grad/%s", p->name), ST_F32, p->dims,
                          p->n_dims, gradient(p, t->starts[i]));
    }
}

static void
put_scores(struct st_writer *w, struct trace *t)
{
    const struct graph *g = net_graph(t->student);

    for (int i = 0; t->spec.step.stage == STEP_MASK && i < graph_n_masks(g); i++) {
        const struct graph_shape s = graph_mask_shape(g, i);
        float *d = arena_alloc(&t->mem, (size_t)(s.c * s.h * s.w) * sizeof *d);
        step_scores(t->step, i, d);
        st_writer_add(w, arena_printf(&t->mem, "score/%d", i), ST_F32,
                      (int64_t[]){s.c, s.h, s.w}, 3, d);
    }
}

static int
save(struct trace *t, const char *path, struct err *err)
{
    struct st_writer *w = st_writer_new();

    put_result(w, t);
    put_params(w, t);
    put_scores(w, t);
    const int rc = st_writer_save(w, path, err);
    st_writer_free(w);
    return rc;
}

/* ---- steps ----------------------------------------------------------------------- */

static void
keep_starts(struct trace *t)
{
    const struct optim_sgd sgd = {.momentum = t->spec.step.momentum,
                                  .weight_decay = t->spec.step.weight_decay};
    size_t count;
    const struct net_param *params = net_params(t->student, &count);

    t->starts = arena_alloc(&t->mem, count * sizeof *t->starts);
    for (size_t i = 0; i < count; i++) {
        const struct net_param *p = &params[i];
        t->starts[i] = NULL;
        if (p->grad == NULL)
            continue;
        t->starts[i] = arena_alloc(&t->mem, (size_t)p->size * sizeof(float));
        for (int64_t k = 0; k < p->size; k++)
            t->starts[i][k] = optim_sgd_start(p, k, &sgd);
    }
}

static int
run_steps(struct trace *t, int64_t steps, struct err *err)
{
    for (int64_t i = 1; i <= steps; i++) {
        if (i == steps)
            keep_starts(t);
        if (step_run(t->step, &t->batch, t->spec.lr, &t->result, err) != 0)
            return err_wrap(err, "step %" PRId64, i);
    }
    return 0;
}

/* ---- the whole ------------------------------------------------------------------- */

static int
prepare(struct trace *t, const char *spec_path, const char *in_path,
        const char *backend, int threads, struct err *err)
{
    const struct backend *b;

    if (trace_spec_read(&t->spec, spec_path, err) != 0
        || backend_find(&b, backend, err) != 0 || st_read(&t->in, in_path, err) != 0)
        return -1;
    t->team = team_new(threads);
    if (t->team == NULL)
        return err_set(err, ERR_SYS, "cannot start %d threads", threads);
    if (read_shape(t, err) != 0 || read_batch(t, err) != 0 || load_nets(t, b, err) != 0)
        return err_wrap(err, "%s", in_path);
    return step_new(&t->step, &t->spec.step, t->student, t->teacher, t->batch.n, err);
}

static void
release(struct trace *t)
{
    step_free(t->step);
    net_free(t->student);
    net_free(t->teacher);
    team_free(t->team);
    st_free(t->in);
    trace_spec_release(&t->spec);
    arena_release(&t->mem);
}

int
trace_run(const char *spec_path, const char *in_path, const char *out_path,
          int64_t steps, const char *backend, int threads, struct err *err)
{
    struct trace t = {0};
    int rc = prepare(&t, spec_path, in_path, backend, threads, err);

    if (rc == 0)
        rc = run_steps(&t, steps, err);
    if (rc == 0)
        rc = save(&t, out_path, err);
    release(&t);
    return rc;
}
