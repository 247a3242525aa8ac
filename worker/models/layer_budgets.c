/*
 * layer_budgets.c - how many ReLUs a network keeps, and where (methods.md 4.2, step 3).
 * Shares are proportional to the sensitivity eta, not to eta times the layer's size; a
 * layer whose share reaches its size is full and gives the rest back to the others.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "shared/base/param.h"
#include "worker/models/model.h"

/* Fractional shares: r_l = (r - sum of full sizes) * eta_l / sum of eta not full. */
static void
proportional_shares(double *share, const double *eta, const int64_t *size, int n,
                    int64_t budget)
{
    bool changed = true;

    for (int l = 0; l < n; l++)
        share[l] = 0;
    while (changed) {
        double left = (double)budget, weight = 0;
        changed = false;
        for (int l = 0; l < n; l++) {
            const bool full = share[l] >= (double)size[l];
            left -= full ? (double)size[l] : 0;
            weight += full ? 0 : eta[l];
        }
        for (int l = 0; l < n; l++) {
            if (share[l] >= (double)size[l])
                continue;
            share[l] = left * eta[l] / weight;
            if (share[l] >= (double)size[l]) {
                share[l] = (double)size[l];
                changed = true;
            }
        }
    }
}

/* The layer that is furthest below its share and has room, or furthest above it and has
 * a unit to give (sign -1); the first of equals. */
static int
furthest(const int64_t *count, const double *share, const int64_t *size, int n,
         int sign)
{
    int best = -1;
    double most = 0;

    for (int l = 0; l < n; l++) {
        const bool movable = sign > 0 ? count[l] < size[l] : count[l] > 1;
        const double distance = sign * (share[l] - (double)count[l]);
        if (movable && (best < 0 || distance > most)) {
            best = l;
            most = distance;
        }
    }
    return best;
}

/* Whole numbers >= 1 nearest to the shares whose sum is the budget. */
static void
round_shares(int64_t *count, const double *share, const int64_t *size, int n,
             int64_t budget)
{
    int64_t left = budget;

    for (int l = 0; l < n; l++) {
        count[l] = (int64_t)share[l];
        count[l] = count[l] < 1 ? 1 : count[l];
        left -= count[l];
    }
    for (; left > 0; left--)
        count[furthest(count, share, size, n, 1)]++;
    for (; left < 0; left++)
        count[furthest(count, share, size, n, -1)]--;
}

int
model_layer_budgets(int64_t *count, const double *eta, const int64_t *size, int n,
                    int64_t budget, struct err *err)
{
    int64_t total = 0;

    for (int l = 0; l < n; l++) {
        assert(eta[l] > 0 && size[l] >= 1);
        total += size[l];
    }
    if (budget < n || budget > total)
        return err_set(err, ERR_USAGE,
                       "a budget of %" PRId64 " ReLUs is outside %d (one for each "
                       "layer) .. %" PRId64 " (all of this network)",
                       budget, n, total);
    double *share = xcalloc((size_t)n, sizeof *share);
    proportional_shares(share, eta, size, n, budget);
    round_shares(count, share, size, n, budget);
    free(share);
    return 0;
}

/* "10%" of `total`, to the nearest unit; -1 when the text is no share. */
static int64_t
parse_share(const char *text, int64_t total)
{
    char *end;
    const double percent = strtod(text, &end);

    if (end == text || strcmp(end, "%") != 0 || !(percent > 0 && percent <= 100))
        return -1;
    return (int64_t)(percent / 100 * (double)total + 0.5);
}

int
model_resolve_budget(int64_t *out, const char *budget, const struct graph *g,
                     struct err *err)
{
    const int64_t total = graph_relus(g), least = graph_n_masks(g);
    int64_t count = total;

    if (strcmp(budget, "all") != 0) {
        count = strchr(budget, '%') != NULL ? parse_share(budget, total)
                                            : param_parse_count(budget);
        if (count < 0)
            return err_set(err, ERR_USAGE,
                           "relu_budget `%s` is not a count (50k), a share (10%%) or "
                           "`all`",
                           budget);
    }
    if (count < least || count > total)
        return err_set(err, ERR_USAGE,
                       "relu_budget `%s` is %" PRId64 " ReLUs; this network takes "
                       "%" PRId64 " (one for each layer) to %" PRId64 " (all)",
                       budget, count, least, total);
    *out = count;
    return 0;
}
