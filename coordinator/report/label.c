/* label.c - words for metrics, parameters and settings; numbers are number.h's. */
#include "coordinator/report/label.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "coordinator/report/number.h"

const char label_budget[] = "relu_budget";
const char label_budget_all[] = "all";
const char label_evaluate[] = "evaluate";

static const struct {
    const char *name, *words;
} metric_words[] = {
    {"CA", "Clean accuracy"},
    {"NPA", "Accuracy under natural perturbations"},
    {"AdvA", "Adversarial accuracy"},
    {"mCE", "Mean corruption error"},
    {"relus", "ReLUs"},
    {"macs", "Multiply-accumulates"},
    {"pi_online_s", "online time of private inference"},
    {"pi_online_bytes", "online traffic of private inference"},
    {"pi_offline_s", "offline time of private inference"},
    {"pi_offline_bytes", "offline traffic of private inference"},
};

const char *
label_metric(const char *name)
{
    for (size_t i = 0; i < sizeof metric_words / sizeof metric_words[0]; i++)
        if (strcmp(metric_words[i].name, name) == 0)
            return metric_words[i].words;
    return name;
}

static void
put_params(struct buf *out, const json_t *params, const json_t *axes, bool with_budget)
{
    bool first = true;
    size_t i;
    json_t *axis;

    json_array_foreach(axes, i, axis)
    {
        const char *name = json_string_value(axis);
        const json_t *value = json_object_get(params, name);
        if (value == NULL || (!with_budget && strcmp(name, label_budget) == 0))
            continue;
        buf_printf(out, "%s%s ", first ? "" : ", ", name);
        number_param(out, value);
        first = false;
    }
}

void
label_params(struct buf *out, const json_t *params, const json_t *axes)
{
    put_params(out, params, axes, true);
}

void
label_series(struct buf *out, const json_t *params, const json_t *axes)
{
    put_params(out, params, axes, false);
}

void
label_file(struct buf *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        buf_putc(out, isalnum((unsigned char)*c) || strchr("._-", *c) ? *c : '-');
}
