/* released_budgets.c - the stored layer budgets of RLNet; see released_budgets.h. */
#include "worker/models/released_budgets.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { N_RESNET18 = 17, N_RESNET34 = 33, N_WRN = 19 };

static const double resnet18_25k[N_RESNET18] = {0.004, 0.01, 0.01,  0.01,  0.011, 0.027,
                                                0.038, 0.04, 0.042, 0.102, 0.124, 0.126,
                                                0.13,  0.28, 0.30,  0.30,  0.30};

/* made by hand */
static const double resnet18_50k[N_RESNET18] = {0.02, 0.025, 0.03, 0.025, 0.025, 0.05,
                                                0.05, 0.05,  0.05, 0.25,  0.25,  0.25,
                                                0.25, 0.5,   0.6,  0.6,   0.6};

/* made by hand; for CIFAR-10 and CIFAR-100 */
static const double resnet18_82k[N_RESNET18] = {0.01, 0.11, 0.14, 0.19, 0.21, 0.03,
                                                0.03, 0.03, 0.03, 0.1,  0.14, 0.19,
                                                0.34, 0.35, 0.76, 0.83, 0.85};

static const double resnet18_100k[N_RESNET18] = {
    0.00967, 0.0313, 0.036, 0.04236, 0.0466, 0.12, 0.165, 0.172, 0.188,
    0.45555, 0.5505, 0.56,  0.583,   1,      1,    1,     1};

static const double resnet18_120k[N_RESNET18] = {
    0.012, 0.040, 0.046, 0.055, 0.060, 0.155, 0.214, 0.223, 0.244,
    0.59,  0.714, 0.726, 0.756, 1,     1,     1,     1};

static const double resnet18_150k[N_RESNET18] = {0.02, 0.055, 0.062, 0.074, 0.081, 0.2,
                                                 0.28, 0.30,  0.32,  0.79,  0.96,  0.97,
                                                 1,    1,     1,     1,     1};

static const double resnet34_80k[N_RESNET34] = {
    0.003,   0.0074,  0.0076, 0.00896, 0.0103,  0.0112, 0.013, 0.044, 0.0153,
    0.04625, 0.0512,  0.054,  0.0595,  0.06154, 0.067,  0.184, 0.086, 0.18867,
    0.1997,  0.20385, 0.2141, 0.2161,  0.224,   0.224,  0.23,  0.23,  0.235,
    0.488,   0.3573,  0.49,   0.49,    0.49,    0.49};

static const double resnet34_200k[N_RESNET34] = {
    0.0042, 0.0199, 0.0204, 0.024, 0.0276, 0.03,   0.0345,  0.1174, 0.041,
    0.123,  0.1364, 0.144,  0.158, 0.1636, 0.1783, 0.48755, 0.229,  0.5,
    0.53,   0.54,   0.57,   0.574, 0.6,    0.6,    0.612,   0.61,   0.623,
    1,      0.95,   1,      1,     1,      1};

static const double wrn_240k[N_WRN] = {0.04,  0.02,  0.046, 0.056, 0.062, 0.069, 0.075,
                                       0.16,  0.20,  0.22,  0.24,  0.245, 0.254, 0.512,
                                       0.552, 0.567, 0.566, 0.57,  0.57};

static const double wrn_300k[N_WRN] = {
    0.0443, 0.025, 0.056, 0.070, 0.077, 0.0855, 0.0943, 0.205, 0.257, 0.281,
    0.294,  0.306, 0.317, 0.64,  0.691, 0.71,   0.70,   0.71,  0.71};

/* units at 64x64 */
static const double tiny[N_RESNET18] = {
    857.4,   2781.0,  3192.9,  3759.7,  4137.6,  5322.8,  7325.2,  7652.5, 8351.4,
    10108.2, 12214.8, 12415.0, 12934.9, 14114.3, 14853.0, 14979.5, 15000.0};

/* clang-format off */
#define SHARES(title, net, of, n_acts, list) \
    {.name = "released/" title, .model = net, .budget = of, .side = 32, .n = n_acts, \
     .share = list}
#define COUNTS(title, net, of, times) \
    {.name = "released/" title, .model = net, .budget = of, .side = 64, \
     .n = N_RESNET18, .count = tiny, .factor = times}

const struct released_budgets released_budgets[] = {
    SHARES("resnet18-25k",  "resnet18", "25000",  N_RESNET18, resnet18_25k),
    SHARES("resnet18-50k",  "resnet18", "50000",  N_RESNET18, resnet18_50k),
    SHARES("resnet18-82k",  "resnet18", "82000",  N_RESNET18, resnet18_82k),
    SHARES("resnet18-100k", "resnet18", "100000", N_RESNET18, resnet18_100k),
    SHARES("resnet18-120k", "resnet18", "120000", N_RESNET18, resnet18_120k),
    SHARES("resnet18-150k", "resnet18", "150000", N_RESNET18, resnet18_150k),
    SHARES("resnet34-80k",  "resnet34", "80000",  N_RESNET34, resnet34_80k),
    SHARES("resnet34-200k", "resnet34", "200000", N_RESNET34, resnet34_200k),
    SHARES("wrn-22-8-240k", "wrn-22-8", "240000", N_WRN, wrn_240k),
    SHARES("wrn-22-8-300k", "wrn-22-8", "300000", N_WRN, wrn_300k),
    COUNTS("resnet18-64-150k", "resnet18", "150000", 1),
    COUNTS("resnet18-64-300k", "resnet18", "300000", 2),
    {.name = NULL},
};
/* clang-format on */

static bool
fits(const struct released_budgets *list, const char *model, const char *budget,
     int64_t side)
{
    return strcmp(list->model, model) == 0 && strcmp(list->budget, budget) == 0
           && list->side == side;
}

const struct released_budgets *
released_budgets_find(const char *name, const char *model, const char *budget,
                      int64_t side)
{
    const bool any = strcmp(name, "released") == 0;

    for (const struct released_budgets *list = released_budgets; list->name != NULL;
         list++)
        if (any ? fits(list, model, budget, side) : strcmp(list->name, name) == 0)
            return list;
    return NULL;
}

int
released_budgets_counts(int64_t *count, const struct released_budgets *list,
                        const int64_t *size, int n, struct err *err)
{
    if (n != list->n)
        return err_set(err, ERR_USAGE,
                       "budgets `%s` are for the %d activations of %s; this network "
                       "has %d",
                       list->name, list->n, list->model, n);
    for (int l = 0; l < n; l++) {
        const double units = list->share != NULL ? list->share[l] * (double)size[l]
                                                 : list->factor * list->count[l];
        count[l] = (int64_t)units;
        if (count[l] < 1 || count[l] > size[l])
            return err_set(err, ERR_USAGE,
                           "budgets `%s`: layer %d has %lld units, the list keeps %lld",
                           list->name, l, (long long)size[l], (long long)count[l]);
    }
    return 0;
}
