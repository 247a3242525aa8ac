/*
 * pram.c - post-ReLU activation mismatch between student and teacher (methods.md 4.4).
 *
 * Released form, over the M group outputs f (n,C,H,W), attention transfer:
 *   a = mean_c f^2 (H*W numbers a sample),  u = a / max(|a|, 1e-12)
 *   L = sum_m 1/(n*H*W) sum_i |u_S - u_T|^2
 * Paper's form, over all activation maps f, one long vector a sample, u = f / |f|:
 *   L = sum_m 1/n sum_i |u_S - u_T|
 *
 * Maps are read as they lie in memory, blocked (H*W pixels of `block` channels; lanes
 * beyond C are zero and add nothing): student and teacher have the same layout.
 */
#include <math.h>
#include <stdlib.h>

#include "shared/base/mem.h"
#include "worker/losses/loss.h"

#define TINY 1e-12 /* smallest norm that a vector is divided by */

static double
dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static double
clip_norm(double norm)
{
    return norm > TINY ? norm : TINY;
}

/* ---- released: attention transfer on group outputs ------------------------------- */

/* Four sums side by side, which a processor makes at once. */
static float
sum_of_squares(const float *f, int64_t n)
{
    float sums[4] = {0}, rest = 0;
    int64_t i = 0;

    for (; i + 4 <= n; i += 4)
        for (int j = 0; j < 4; j++)
            sums[j] += f[i + j] * f[i + j];
    for (; i < n; i++)
        rest += f[i] * f[i];
    return sums[0] + sums[1] + (sums[2] + sums[3]) + rest;
}

/* u[h,w] = a / |a| with a = mean_c f^2 of one image; returns the divisor. */
static double
attention(double *u, const float *f, const struct net_map *map)
{
    const int64_t pixels = map->h * map->w, per_block = pixels * map->block;

    for (int64_t p = 0; p < pixels; p++)
        u[p] = 0;
    for (const float *f_b = f; f_b < f + map->per_image; f_b += per_block) {
        for (int64_t p = 0; p < pixels; p++)
            u[p] += (double)sum_of_squares(f_b + p * map->block, map->block);
    }
    for (int64_t p = 0; p < pixels; p++)
        u[p] /= (double)map->c;
    const double norm = clip_norm(sqrt(dot(u, u, pixels)));
    for (int64_t p = 0; p < pixels; p++)
        u[p] /= norm;
    return norm;
}

/* One image of one group: returns |u_S - u_T|^2 / (H*W) and adds scale times its
 * gradient, which for f is f times gain (H,W). u_t (H,W); scratch: 2 * H*W. */
static double
attention_mismatch(float *gain, const float *student, const double *u_t,
                   const struct net_map *map, double scale, double *scratch)
{
    const int64_t pixels = map->h * map->w;
    double *u_s = scratch, *g = scratch + pixels;
    const double norm = attention(u_s, student, map);

    for (int64_t p = 0; p < pixels; p++)
        g[p] = u_s[p] - u_t[p];
    const double loss = dot(g, g, pixels) / (double)pixels;

    /* through u = a/|a|: da = (g - u (g.u)) / |a|, below TINY |a| is a constant; and
     * through a = mean_c f^2: df = da f 2/C */
    const double radial = norm > TINY ? dot(g, u_s, pixels) : 0;
    const double factor = 2 * scale / ((double)pixels * norm);
    for (int64_t p = 0; p < pixels; p++) {
        const double da = factor * (g[p] - u_s[p] * radial);
        gain[p] += (float)(2 * da / (double)map->c);
    }
    return loss;
}

static int64_t
released_notes(const struct graph *teacher, bool paper_form)
{
    struct graph_shape shape;
    int64_t pixels = 0;

    for (int m = 0; m < graph_n_groups(teacher) && !paper_form; m++) {
        shape = graph_group_shape(teacher, m);
        pixels += shape.h * shape.w;
    }
    return pixels;
}

/* The images of a view, each a task: of one map of the student, or of all groups of the
 * teacher. Losses are added up afterwards, in order. */
struct images {
    const struct loss_view *view;
    int index;          /* of the map */
    struct net_map map; /* in the paper's form the seed */
    double scale;
    double *losses; /* one an image */
    /* released form; where the first image's begin, and how many an image has */
    double *notes;
    const double *noted;
    int64_t each;
    float *gain;
    double *scratch; /* for each thread twice the pixels of the map */
};

static void
note_task(void *ctx, int64_t task, int thread)
{
    const struct images *all = ctx;
    struct net *teacher = all->view->teacher;
    double *notes = all->notes + task * all->each;

    for (int m = 0; m < graph_n_groups(net_graph(teacher)); m++) {
        const struct net_map map = net_group_map(teacher, m);

        attention(notes, net_group_image(teacher, m, task, thread), &map);
        notes += map.h * map.w;
    }
}

/* The teacher's attention u of every group, image by image. */
static void
released_note(double *notes, const struct loss_view *v)
{
    struct images all = {.view = v,
                         .notes = notes,
                         .each = released_notes(net_graph(v->teacher), false)};

    team_run(net_team(v->teacher), v->n, note_task, &all);
}

static void
attention_task(void *ctx, int64_t task, int thread)
{
    const struct images *all = ctx;
    const int64_t pixels = all->map.h * all->map.w;

    all->losses[task] = attention_mismatch(
        all->gain + task * pixels,
        net_group_image(all->view->student, all->index, task, thread),
        all->noted + task * all->each, &all->map, all->scale,
        all->scratch + thread * 2 * pixels);
}

/* Sum of the losses of all images of a map. */
static double
run_images(struct images *all, team_fn *fn)
{
    double sum = 0;

    team_run(net_team(all->view->student), all->view->n, fn, all);
    for (int64_t i = 0; i < all->view->n; i++)
        sum += all->losses[i];
    return sum;
}

static double
run_released(const struct loss_view *v, double scale)
{
    const int threads = team_threads(net_team(v->student));
    struct images all = {.view = v,
                         .scale = scale / (double)v->n,
                         .losses = xmalloc((size_t)v->n * sizeof(double)),
                         .noted = v->notes,
                         .each = released_notes(net_graph(v->student), false)};
    double sum = 0;

    all.scratch = xmalloc((size_t)(2 * threads * all.each) * sizeof(double));
    for (int m = 0; m < graph_n_groups(net_graph(v->student)); m++) {
        all.index = m;
        all.map = net_group_map(v->student, m);
        all.gain = net_group_gain(v->student, m);
        sum += run_images(&all, attention_task);
        all.noted += all.map.h * all.map.w;
    }
    free(all.losses);
    free(all.scratch);
    return sum / (double)v->n;
}

/* ---- paper: normalised maps of every activation ---------------------------------- */

static double
norm_of(const float *f, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += (double)f[i] * (double)f[i];
    return clip_norm(sqrt(sum));
}

/* One image of one map: returns |u_S - u_T| and adds scale times its gradient,
 * df_S = (d - u_S (d.u_S)) / |f_S| with d = (u_S - u_T) / |u_S - u_T|. */
static double
direction_mismatch(float *seed, const float *student, const float *teacher, int64_t n,
                   double scale)
{
    const double norm_s = norm_of(student, n), norm_t = norm_of(teacher, n);
    double square = 0, radial = 0;

    for (int64_t i = 0; i < n; i++) {
        const double u = (double)student[i] / norm_s;
        const double d = u - (double)teacher[i] / norm_t;
        square += d * d;
        radial += d * u;
    }
    const double loss = sqrt(square);
    if (loss == 0)
        return 0; /* the kink of the norm; its subgradient 0 */
    const double factor = scale / (loss * norm_s);
    for (int64_t i = 0; i < n; i++) {
        const double u = (double)student[i] / norm_s;
        const double d = u - (double)teacher[i] / norm_t;
        seed[i] += (float)(factor * (d - u * radial));
    }
    return loss;
}

static void
direction_task(void *ctx, int64_t task, int thread)
{
    const struct images *all = ctx;
    const struct loss_view *v = all->view;

    all->losses[task] =
        direction_mismatch(all->map.data + task * all->map.per_image,
                           net_act_image(v->student, all->index, task, thread),
                           net_act_image(v->teacher, all->index, task, thread),
                           all->map.per_image, all->scale);
}

static double
run_paper(const struct loss_view *v, double scale)
{
    struct images all = {.view = v,
                         .scale = scale / (double)v->n,
                         .losses = xmalloc((size_t)v->n * sizeof(double))};
    double sum = 0;

    for (int m = 0; m < graph_n_masks(net_graph(v->student)); m++) {
        all.index = m;
        all.map = net_act_seed(v->student, m);
        sum += run_images(&all, direction_task);
    }
    free(all.losses);
    return sum / (double)v->n;
}

static double
pram_run(const struct loss_view *v, double scale, float *dlogits)
{
    (void)dlogits;
    return v->paper_form ? run_paper(v, scale) : run_released(v, scale);
}

const struct loss loss_pram = {
    .name = "pram",
    .doc = "mismatch of the student's and the teacher's inner maps",
    .source = "RLNet, Eq. 6; released form after Zagoruyko and Komodakis, ICLR 2017",
    .on = LOSS_ON_MAPS,
    .needs_teacher = true,
    .weight_alone = 1000,
    .weight_released = 1000,
    .weight_paper = 1000,
    .notes = released_notes,
    .note = released_note,
    .run = pram_run,
};
