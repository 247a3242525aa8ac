/* loss_set.c - a weighted sum of loss terms over views; see loss_set.h. */
#include "worker/losses/loss_set.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "shared/base/param.h"
#include "shared/base/word.h"

enum { MAX_TERMS = 16 };

struct term {
    const struct loss *loss;
    double weight; /* NaN while not known */
    bool applies[LOSS_N_VIEWS];
    int n_views;
    double value; /* mean over views, so far */
    double *notes;
    size_t notes_capacity;
};

struct loss_set {
    struct term terms[MAX_TERMS];
    int n_terms;
    double temperature;
    bool paper_form;
};

static int
add_term(struct loss_set *s, const char *name, double weight, struct err *err)
{
    const struct loss *loss = loss_find(name);

    if (loss == NULL)
        return word_unknown("loss term", name, loss_names, err);
    if (s->n_terms == MAX_TERMS)
        return err_set(err, ERR_USAGE, "loss: more than %d terms", MAX_TERMS);
    s->terms[s->n_terms++] = (struct term){.loss = loss, .weight = weight};
    return 0;
}

static int
parse_terms(struct loss_set *s, const struct loss_config *config, struct err *err)
{
    const char *cursor = config->sum;
    char name[64];
    double weight;

    while (param_next_item(&cursor, name, sizeof name, &weight)) {
        if (add_term(s, name, weight, err) != 0)
            return -1;
        if (s->terms[s->n_terms - 1].loss->needs_teacher && !config->teacher)
            return err_set(err, ERR_USAGE,
                           "loss term `%s` needs a teacher, and this stage has none",
                           name);
    }
    if (s->n_terms == 0)
        return err_set(err, ERR_USAGE, "loss `%s` has no terms", config->sum);
    return 0;
}

/* Gives terms that were written without a weight the one of their row. */
static void
fill_weights(struct loss_set *s, const char *weighting)
{
    const bool paper = strcmp(weighting, "paper") == 0;
    int on_logits = 0;

    for (int i = 0; i < s->n_terms; i++)
        on_logits += s->terms[i].loss->on == LOSS_ON_LOGITS;
    for (int i = 0; i < s->n_terms; i++) {
        const struct loss *l = s->terms[i].loss;
        if (!isnan(s->terms[i].weight))
            continue;
        if (on_logits < 2)
            s->terms[i].weight = l->weight_alone;
        else
            s->terms[i].weight = paper ? l->weight_paper : l->weight_released;
    }
}

static int
parse_views(bool applies[LOSS_N_VIEWS], const char *list, const char *term,
            struct err *err)
{
    const char *cursor = list;
    char name[32];

    while (param_next_item(&cursor, name, sizeof name, NULL)) {
        int v = 0;
        while (v < LOSS_N_VIEWS && strcmp(loss_view_names[v], name) != 0)
            v++;
        if (v == LOSS_N_VIEWS)
            return err_set(err, ERR_USAGE,
                           "views of `%s`: unknown view `%s`; views: clean, aug, adv",
                           term, name);
        applies[v] = true;
    }
    return 0;
}

/* The views that the settings give to a term. */
static const char *
views_of(const struct loss *l, const struct loss_config *config)
{
    const char *list = NULL;

    switch (l->on) {
    case LOSS_ON_LOGITS:
        list = l->needs_teacher ? config->target_views : config->label_views;
        break;
    case LOSS_ON_MAPS: list = config->map_views; break;
    case LOSS_ON_PAIR: return "adv";
    }
    return list != NULL ? list : "clean,aug,adv";
}

static int
fill_views(struct loss_set *s, const struct loss_config *config, struct err *err)
{
    for (int i = 0; i < s->n_terms; i++) {
        struct term *t = &s->terms[i];
        if (parse_views(t->applies, views_of(t->loss, config), t->loss->name, err) != 0)
            return -1;
        for (int v = 0; v < LOSS_N_VIEWS; v++)
            t->n_views += t->applies[v];
        if (t->n_views == 0)
            return err_set(err, ERR_USAGE,
                           "the views of `%s` are empty, but the loss has it",
                           t->loss->name);
    }
    return 0;
}

int
loss_set_new(struct loss_set **out, const struct loss_config *config, struct err *err)
{
    struct loss_set *s = xcalloc(1, sizeof *s);

    *out = NULL;
    s->temperature = config->temperature;
    s->paper_form = config->paper_form;
    if (parse_terms(s, config, err) != 0 || fill_views(s, config, err) != 0) {
        loss_set_free(s);
        return -1;
    }
    fill_weights(s, config->weighting);
    *out = s;
    return 0;
}

void
loss_set_free(struct loss_set *s)
{
    if (s == NULL)
        return;
    for (int i = 0; i < s->n_terms; i++)
        free(s->terms[i].notes);
    free(s);
}

bool
loss_set_needs_teacher(const struct loss_set *s, enum loss_view_id view)
{
    for (int i = 0; i < s->n_terms; i++) {
        const struct term *t = &s->terms[i];
        if (t->loss->on == LOSS_ON_MAPS && t->loss->needs_teacher && t->applies[view])
            return true;
    }
    return false;
}

bool
loss_set_needs_targets(const struct loss_set *s)
{
    for (int i = 0; i < s->n_terms; i++)
        if (s->terms[i].loss->on == LOSS_ON_LOGITS && s->terms[i].loss->needs_teacher)
            return true;
    return false;
}

bool
loss_set_takes(const struct loss_set *s, enum loss_view_id view)
{
    for (int i = 0; i < s->n_terms; i++)
        if (s->terms[i].applies[view])
            return true;
    return false;
}

bool
loss_set_pairs(const struct loss_set *s)
{
    for (int i = 0; i < s->n_terms; i++)
        if (s->terms[i].loss->on == LOSS_ON_PAIR)
            return true;
    return false;
}

bool
loss_set_has(const struct loss_set *s, const char *name)
{
    for (int i = 0; i < s->n_terms; i++)
        if (strcmp(s->terms[i].loss->name, name) == 0)
            return true;
    return false;
}

void
loss_set_start(struct loss_set *s)
{
    for (int i = 0; i < s->n_terms; i++)
        s->terms[i].value = 0;
}

void
loss_set_note(struct loss_set *s, enum loss_view_id id, struct net *teacher, int64_t n)
{
    const struct loss_view view = {.n = n, .teacher = teacher};

    for (int i = 0; i < s->n_terms; i++) {
        struct term *t = &s->terms[i];
        const int64_t each = t->applies[id] && t->loss->notes != NULL
                                 ? t->loss->notes(net_graph(teacher), s->paper_form)
                                 : 0;
        if (each == 0)
            continue;
        t->notes =
            xgrow(t->notes, &t->notes_capacity, (size_t)(n * each), sizeof *t->notes);
        t->loss->note(t->notes, &view);
    }
}

int
loss_set_view(struct loss_set *s, enum loss_view_id id, struct loss_view view,
              float *dlogits, struct err *err)
{
    view.temperature = s->temperature;
    view.paper_form = s->paper_form;
    memset(dlogits, 0, (size_t)(view.n * view.classes) * sizeof *dlogits);
    for (int i = 0; i < s->n_terms; i++) {
        struct term *t = &s->terms[i];
        if (!t->applies[id])
            continue;
        view.notes = t->notes;
        const double value = t->loss->run(&view, t->weight / t->n_views, dlogits);
        if (!isfinite(value))
            return err_set(err, ERR_NUMERIC, "loss term `%s` of the %s view is %g",
                           t->loss->name, loss_view_names[id], value);
        t->value += value / t->n_views;
    }
    return 0;
}

double
loss_set_value(const struct loss_set *s, const char *name)
{
    double sum = 0;

    for (int i = 0; i < s->n_terms; i++)
        if (strcmp(s->terms[i].loss->name, name) == 0)
            sum += s->terms[i].value;
    return sum;
}

double
loss_set_total(const struct loss_set *s)
{
    double sum = 0;

    for (int i = 0; i < s->n_terms; i++)
        sum += s->terms[i].weight * s->terms[i].value;
    return sum;
}
