/*
 * eval_part.c - from the parameters of an evaluation to the list of its parts
 * (methods.md 2.4, 3): clean images go through BN_c, corrupted ones through BN_r where
 * there is one, attacked ones through the path that the attack is asked for. Runs
 * nothing.
 */
#include "worker/pipeline/eval_part.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "shared/base/param.h"

/* ---- which images ---------------------------------------------------------------- */

static int
choose(struct eval_images *images, int64_t wanted, const struct stage_config *c,
       const struct dataset *test, struct err *err)
{
    if (wanted > test->n)
        return err_set(err, ERR_USAGE,
                       "%" PRId64 " images are asked for, the test part has %" PRId64,
                       wanted, test->n);
    if (wanted > 0 && wanted < test->n) {
        struct dataset_split subset;
        if (dataset_split(&subset, test, (uint64_t)c->seed, wanted, 0, err) != 0)
            return -1;
        free(subset.val);
        images->order = subset.train;
        images->n = subset.n_train;
        return 0;
    }
    images->n = test->n;
    images->order = xmalloc((size_t)test->n * sizeof *images->order);
    for (int64_t i = 0; i < test->n; i++)
        images->order[i] = i;
    return 0;
}

/* ---- which parts ----------------------------------------------------------------- */

static struct eval_part *
add(struct eval_parts *p, enum eval_kind kind, int path, int64_t passes)
{
    const struct eval_images *images = &p->images[kind];

    p->items = xgrow(p->items, &p->capacity, p->n + 1, sizeof *p->items);
    struct eval_part *part = &p->items[p->n++];
    *part = (struct eval_part){.kind = kind,
                               .path = path,
                               .passes = passes,
                               .n = images->n,
                               .order = images->order,
                               .right = xcalloc((size_t)images->n, 1)};
    return part;
}

static void
add_corruption(struct eval_parts *p, const struct corruption *corruption, int path)
{
    for (int severity = 1; severity <= CORRUPTION_SEVERITIES; severity++) {
        struct eval_part *part = add(p, EVAL_CORRUPTED, path, 1);
        part->corruption = corruption;
        part->severity = severity;
        snprintf(part->name, sizeof part->name, "corruption/%s/%d", corruption->name,
                 severity);
    }
}

/* True when `name` is an item of the set, or the set is all. */
static bool
in_set(const char *set, const char *name)
{
    char item[64];

    while (param_next_item(&set, item, sizeof item, NULL))
        if (strcmp(item, name) == 0 || strcmp(item, "all") == 0)
            return true;
    return false;
}

static void
add_corruptions(struct eval_parts *p, const struct stage_config *c, int bn_paths)
{
    const int path = bn_paths == 3 ? 1 : 0;

    for (const struct corruption *const *k = corruptions; *k != NULL; k++)
        if (in_set(c->corruption_kinds, (*k)->name))
            add_corruption(p, *k, path);
}

static struct attack_config
config_of(const struct attack *a, const struct stage_config *c)
{
    struct attack_config config = a->config;

    config.eps = c->eval_eps;
    if (c->eval_step > 0)
        config.step = c->eval_step;
    if (c->eval_steps > 0)
        config.steps = (int)c->eval_steps;
    return config;
}

static void
add_attack(struct eval_parts *p, const struct attack *a, const struct stage_config *c,
           int bn_paths)
{
    const struct attack_config config = config_of(a, c);
    const int64_t restarts = a->random_start ? c->restarts : 1;

    for (int side = ATTACK_SIDE_CLEAN; attack_side_names[side] != NULL; side++) {
        if (!in_set(c->attack_paths, attack_side_names[side]))
            continue;
        struct eval_part *part =
            add(p, EVAL_ATTACKED, side == ATTACK_SIDE_ADV ? bn_paths - 1 : 0,
                restarts * (2 * config.steps + 1));
        part->attack = a;
        part->attack_config = config;
        snprintf(part->name, sizeof part->name, "attack/%s/%d", a->name, side);
    }
}

static void
add_item(struct eval_parts *p, const char *name, const struct stage_config *c,
         int bn_paths)
{
    if (strcmp(name, "clean") == 0)
        strcpy(add(p, EVAL_CLEAN, 0, 1)->name, "clean");
    else if (strcmp(name, "corruptions") == 0)
        add_corruptions(p, c, bn_paths);
    else
        add_attack(p, attack_find(name), c, bn_paths);
}

int
eval_parts_init(struct eval_parts *p, const struct stage_config *c,
                const struct dataset *test, int bn_paths, struct err *err)
{
    const int64_t wanted[EVAL_KINDS] = {[EVAL_CLEAN] = c->eval_images,
                                        [EVAL_CORRUPTED] = c->corruption_images,
                                        [EVAL_ATTACKED] = c->attack_images};
    const char *cursor = c->evaluate;
    char name[64];

    *p = (struct eval_parts){0};
    for (int k = 0; k < EVAL_KINDS; k++)
        if (choose(&p->images[k], wanted[k], c, test, err) != 0)
            return -1;
    while (param_next_item(&cursor, name, sizeof name, NULL))
        add_item(p, name, c, bn_paths);
    return 0;
}

void
eval_parts_release(struct eval_parts *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->items[i].right);
    for (int k = 0; k < EVAL_KINDS; k++)
        free(p->images[k].order);
    free(p->items);
    *p = (struct eval_parts){0};
}

/* ---- what is known --------------------------------------------------------------- */

const struct eval_part *
eval_parts_find(const struct eval_parts *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->items[i].name, name) == 0)
            return &p->items[i];
    return NULL;
}

double
eval_part_percent(const struct eval_part *part)
{
    int64_t right = 0;

    for (int64_t i = 0; i < part->done; i++)
        right += part->right[i];
    return part->done > 0 ? 100.0 * (double)right / (double)part->done : 0;
}

int64_t
eval_parts_passes(const struct eval_parts *p)
{
    int64_t passes = 0;

    for (size_t i = 0; i < p->n; i++)
        passes += p->items[i].passes * p->items[i].n;
    return passes;
}

int64_t
eval_parts_passes_done(const struct eval_parts *p)
{
    int64_t passes = 0;

    for (size_t i = 0; i < p->n; i++)
        passes += p->items[i].passes * p->items[i].done;
    return passes;
}
