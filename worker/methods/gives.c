/*
 * gives.c - the metrics and artifacts of every runner. A row that is needed and that a
 * stage forgets ends its attempts; one that it gives without a row is a bug of the stage.
 */
#include "worker/methods/gives.h"

#include <string.h>

#include "shared/spec/catalog.h"
#include "worker/methods/catalog.h"

#define TRAIN "teacher sensitivity mask finetune"
#define ALL   TRAIN " evaluate"

/* clang-format off */
const struct gives_row gives_rows[] = {
    {TRAIN, "model", NULL, METRIC_NONE, "", "the network, as safetensors"},
    {"evaluate", "answers", NULL, METRIC_NONE, "", "right or wrong, for every image"},
    {"evaluate", "CA", "%", METRIC_MAX, "evaluate=clean", "clean accuracy"},
    {"evaluate", "class/*/CA", "%", METRIC_MAX, NULL, "the same, images of one class"},
    {"evaluate", "NPA", "%", METRIC_MAX, "evaluate=corruptions",
     "mean over corruptions of the mean over severities"},
    {"evaluate", "mCE", "%", METRIC_MIN, "evaluate=corruptions",
     "100 - NPA; tiny-imagenet: errors over the baseline's"},
    {"evaluate", "mCE/plain", "%", METRIC_MIN, "evaluate=corruptions",
     "100 - NPA for every data set"},
    {"evaluate", "corruptions", "", METRIC_NONE, "evaluate=corruptions",
     "corruptions that NPA and mCE are means of"},
    {"evaluate", "corruptions_published", "", METRIC_NONE, "evaluate=corruptions",
     "1: of the published set; 0: made"},
    {"evaluate", "corruption/*/*", "%", METRIC_MAX, NULL,
     "accuracy by severity 1 to 5, and their mean"},
    {"evaluate", "AdvA", "%", METRIC_MAX, "evaluate=pgd-7 attack_paths=adv",
     "accuracy under pgd-7, attack and prediction on BN_a"},
    {"evaluate", "attack/*/*", "%", METRIC_MAX, NULL,
     "accuracy by attack and path: 0 BN_c, 1 BN_a"},
    {"evaluate", "class/*/AdvA", "%", METRIC_MAX, NULL, "as AdvA, images of one class"},
    {ALL, "relus", "ReLUs", METRIC_MIN, "", "that the network has left"},
    {"evaluate", "relus_total", "ReLUs", METRIC_NONE, "", "that it had"},
    {"evaluate", "relus/layer/*", "ReLUs", METRIC_NONE, NULL,
     "left in one layer, from 0, as executed"},
    {"evaluate", "relu_saving", "x", METRIC_MAX, NULL,
     "communication saving: relus_total over relus"},
    {"evaluate", "macs", "MACs", METRIC_MIN, "", "of convolutions and classifier, one image"},
    {"evaluate", "linear_inputs", "", METRIC_NONE, "", "numbers that enter linear layers"},
    {ALL, "selected_on_test", "", METRIC_NONE, "", "1: the epoch was chosen on test images"},
    {ALL, "val/CA", "%", METRIC_MAX, NULL, "of the chosen epoch on held-out images"},
    {ALL, "test/CA", "%", METRIC_MAX, NULL, "of the chosen epoch, where test images chose it"},
    {TRAIN, "best_epoch", "", METRIC_NONE, NULL, "whose weights were kept"},
    {NULL, NULL, NULL, METRIC_NONE, NULL, NULL},
};
/* clang-format on */

static bool
has_word(const char *words, const char *word)
{
    const size_t n = strlen(word);

    for (const char *at = words; *at != '\0'; at += strspn(at, " ")) {
        const size_t length = strcspn(at, " ");
        if (length == n && memcmp(at, word, n) == 0)
            return true;
        at += length;
    }
    return false;
}

const struct gives_row *
gives_metric(const char *runner, const char *name)
{
    for (const struct gives_row *r = gives_rows; r->name != NULL; r++)
        if (r->unit != NULL && has_word(r->runners, runner)
            && catalog_metric_matches(r->name, name))
            return r;
    return NULL;
}

static json_t *
row_json(const struct gives_row *r)
{
    json_t *row = json_pack("{s:s, s:s}", r->unit != NULL ? "metric" : "artifact",
                            r->name, "doc", r->doc);

    if (r->unit != NULL) {
        json_object_set_new(row, "unit", json_string(r->unit));
        json_object_set_new(row, "goal", json_string(metric_goal_name(r->goal)));
    }
    if (r->need != NULL)
        json_object_set_new(row, "when", catalog_sets(r->need));
    return row;
}

json_t *
gives_of_stage(const struct method_stage *s)
{
    json_t *rows = json_array();

    for (const struct gives_row *r = gives_rows; r->name != NULL; r++)
        if (has_word(r->runners, s->runner))
            json_array_append_new(rows, row_json(r));
    return rows;
}
