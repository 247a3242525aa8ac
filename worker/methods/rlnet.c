/*
 * rlnet.c - the stages of RLNet (Sarkar, Kundu, Beerel, CVPRW 2024, arXiv 2402.05521)
 * and what each depends on. Invariant: a stage has a row for every parameter that can
 * change its numbers and for no other, so that cells that need the same teacher or mask
 * share it. Defaults are the released settings for CIFAR at full scale; milestones are
 * shares of the epochs, so that short runs keep the schedule's shape.
 */
#include "worker/attacks/attack.h"
#include "worker/losses/loss.h"
#include "worker/methods/choices.h"
#include "worker/methods/config.h"
#include "worker/methods/method.h"
#include "worker/methods/rlnet_presets.h"
#include "worker/models/model.h"

#define CFG struct stage_config

static const char *const bn[] = {"single", "dual", "triple", NULL};
static const char *const select_on[] = {"validation", "last", "test", NULL};
static const char *const teacher_bn[] = {"shared", "dual", NULL};
static const char *const mask_init[] = {"pattern", "exact", NULL};
static const char *const mask_topk[] = {"exact", "released", NULL};

/* Rows that several stages have are written once, so that they are equal everywhere. */

#define ROWS_SUBJECT                                                             \
    PARAM_ROW_CHOICE(CFG, dataset, NULL, choices_datasets, "images and labels"), \
        PARAM_ROW_CHOICE(CFG, model, NULL, model_names, "network"),              \
        PARAM_ROW_INT(CFG, seed, "0", 0, 2147483647, "of everything that is random")

#define ROWS_SGD                                                                      \
    PARAM_ROW_INT(CFG, train_images, "0", 0, 1e9,                                     \
                  "training images, a stratified subset; 0: all that are left"),      \
        PARAM_ROW_INT(CFG, val_images, "5000", 0, 1e9,                                \
                      "images of the training part that are held out for selection"), \
        PARAM_ROW_INT(CFG, batch, "128", 2, 65536,                                    \
                      "images a step, shared out over the batch norms"),              \
        PARAM_ROW_REAL(CFG, momentum, "0.9", 0, 1, "of SGD"),                         \
        PARAM_ROW_REAL(CFG, weight_decay, "0.0005", 0, 1,                             \
                       "of SGD, on every parameter")

#define ROWS_TRAINING                                                                 \
    ROWS_SGD,                                                                         \
        PARAM_ROW_CHOICE(CFG, bn, "dual", bn,                                         \
                         "batch norms: one for all images; one for clean and "        \
                         "augmented, one for adversarial ones; or one for each"),     \
        PARAM_ROW_CHOICE(CFG, select_on, "validation", select_on,                     \
                         "which epoch's weights are kept: best on the held-out "      \
                         "images, last, or best on the test images (as the papers)"), \
        PARAM_ROW_REAL(CFG, eps, "8/255", 0, 1, "radius of the attack in a step"),    \
        PARAM_ROW_REAL(CFG, attack_step, "2/255", 0, 1, "size of one of its steps"),  \
        PARAM_ROW_INT(CFG, attack_steps, "0", 0, 1000,                                \
                      "number of its steps; 0: its own, which is 7 for auto")

#define ROWS_DISTILLATION                                                           \
    PARAM_ROW_BUDGET(CFG, relu_budget, NULL,                                        \
                     "ReLUs that are kept; all: no reduction"),                     \
        PARAM_ROW_REAL(CFG, temperature, "4", 0.01, 1000,                           \
                       "of the softmax in the KL loss and attack"),                 \
        PARAM_ROW_CHOICE(CFG, attack, "auto", choices_attack,                       \
                         "attack in a step of the student; auto: PGD on the KL "    \
                         "divergence. The teacher's is PGD on the cross-entropy"),  \
        PARAM_ROW_CHOICE(CFG, loss_weights, "released", loss_weighting,             \
                         "weights of terms written without one: 0.5 ce + 0.5 kl + " \
                         "1000 pram (released), or 1, 1 and 1000 (paper)")

#define ROW_BUDGETS                                                              \
    PARAM_ROW_CHOICE(CFG, budgets, "eta", choices_budgets,                       \
                     "how the budget is shared out over the layers: by the "     \
                     "published sensitivities, by those that stage sensitivity " \
                     "measures, or by the list released for this network and "   \
                     "budget")

static const struct param teacher_params[] = {
    ROWS_SUBJECT,
    ROWS_TRAINING,
    PARAM_ROW_STRING(CFG, teacher, "train",
                     "train one, or import:<digest> as `relusweep import` says"),
    PARAM_ROW_CHOICE(CFG, teacher_bn, "shared", teacher_bn,
                     "batch norm of its shortcuts: one for both paths (released) or "
                     "one for each"),
    PARAM_ROW_SUM(CFG, teacher_loss, "ce", loss_teacher_names, "loss of the teacher"),
    PARAM_ROW_SET(CFG, teacher_views, "clean,aug,adv", loss_view_names,
                  "images that its loss is taken of"),
    PARAM_ROW_REAL(CFG, teacher_temperature, "4", 0.01, 1000,
                   "of the softmax in its `trades` loss and attack"),
    PARAM_ROW_INT(CFG, teacher_epochs, "240", 1, 100000, "epochs of the teacher"),
    PARAM_ROW_REAL(CFG, teacher_lr, "0.05", 0, 1e9, "its first learning rate"),
    PARAM_ROW_PERCENTS(CFG, teacher_milestones, "62.5,75,87.5",
                       "per cent of its epochs after which the rate falls tenfold"),
};

static const struct param sensitivity_params[] = {
    ROWS_SUBJECT,
    ROWS_SGD,
    ROW_BUDGETS,
    PARAM_ROW_INT(CFG, sensitivity_epochs, "240", 1, 100000,
                  "epochs of the sparse training"),
    PARAM_ROW_REAL(CFG, sensitivity_lr, "0.05", 0, 1e9, "its first learning rate"),
    PARAM_ROW_PERCENTS(CFG, sensitivity_milestones, "62.5,75,87.5",
                       "per cent of its epochs after which the rate falls tenfold"),
    PARAM_ROW_REAL(CFG, sensitivity_density, "0.1", 0.001, 1,
                   "share of the convolutions' weights that is not zero"),
    PARAM_ROW_REAL(CFG, sensitivity_prune, "0.5", 0, 1,
                   "share of them that first moves; falls to 0 until the end"),
    PARAM_ROW_INT(CFG, sensitivity_interval, "100", 1, 1e9, "steps between moves"),
};

static const struct param mask_params[] = {
    ROWS_SUBJECT,
    ROWS_TRAINING,
    ROWS_DISTILLATION,
    PARAM_ROW_INT(CFG, mask_epochs, "150", 1, 100000, "epochs of the mask search"),
    PARAM_ROW_REAL(CFG, mask_lr, "0.05", 0, 1e9, "its first learning rate"),
    PARAM_ROW_PERCENTS(CFG, mask_milestones, "none",
                       "per cent of its epochs after which the rate falls tenfold"),
    PARAM_ROW_SUM(CFG, mask_loss, "ce+kl", loss_student_names,
                  "loss of the mask search"),
    PARAM_ROW_SET(CFG, mask_views, "clean,aug,adv", loss_view_names,
                  "images that ce and kl are taken of"),
    ROW_BUDGETS,
    PARAM_ROW_CHOICE(CFG, mask_init, "pattern", mask_init,
                     "first masks: one random map repeated over the channels "
                     "(released), or exactly the budget at random places (paper)"),
    PARAM_ROW_CHOICE(CFG, mask_topk, "exact", mask_topk,
                     "exactly the budget of each layer, or above its last score "
                     "(released: one less)"),
};

static const struct param finetune_params[] = {
    ROWS_SUBJECT,
    ROWS_TRAINING,
    ROWS_DISTILLATION,
    PARAM_ROW_INT(CFG, finetune_epochs, "240", 1, 100000, "epochs of fine-tuning"),
    PARAM_ROW_REAL(CFG, finetune_lr, "0.01", 0, 1e9, "its first learning rate"),
    PARAM_ROW_PERCENTS(CFG, finetune_milestones, "62.5,75,87.5",
                       "per cent of its epochs after which the rate falls tenfold"),
    PARAM_ROW_SUM(CFG, loss, "ce+kl+pram", loss_student_names, "loss of fine-tuning"),
    PARAM_ROW_SET(CFG, ce_views, "clean,aug,adv", loss_view_names,
                  "images that ce is taken of"),
    PARAM_ROW_SET(CFG, kl_views, "clean,aug,adv", loss_view_names,
                  "images that kl is taken of"),
    PARAM_ROW_CHOICE(CFG, pram_form, "released", loss_weighting,
                     "attention transfer on group outputs, or the paper's equation 6"),
    PARAM_ROW_SET(CFG, pram_views, "clean,aug", loss_view_names,
                  "views that pram compares"),
};

static const struct param evaluate_params[] = {
    ROWS_SUBJECT,
    PARAM_ROW_SET(CFG, evaluate, "clean,corruptions,pgd-7", choices_evaluate,
                  "what is measured on the test images"),
    PARAM_ROW_INT(CFG, eval_images, "0", 0, 1e9, "test images for clean; 0: all"),
    PARAM_ROW_INT(CFG, corruption_images, "0", 0, 1e9,
                  "test images for each corruption and severity; 0: all"),
    PARAM_ROW_INT(CFG, attack_images, "0", 0, 1e9,
                  "test images for each attack; 0: all"),
    PARAM_ROW_SET(CFG, corruption_kinds, "all", choices_corruptions,
                  "corruptions that `corruptions` measures"),
    PARAM_ROW_SET(CFG, attack_paths, "adv", attack_side_names,
                  "batch norms that attacks and predictions run on"),
    PARAM_ROW_REAL(CFG, eval_eps, "8/255", 0, 1, "radius of the attacks measured"),
    PARAM_ROW_REAL(CFG, eval_step, "0", 0, 1,
                   "size of one of their steps; 0: each attack's own"),
    PARAM_ROW_INT(CFG, eval_steps, "0", 0, 10000,
                  "number of their steps; 0: each attack's own"),
    PARAM_ROW_INT(CFG, restarts, "1", 1, 1000,
                  "random starts of each; an image must withstand all"),
};

static const char *const after_nothing[] = {NULL};
static const char *const after_both[] = {"teacher", "sensitivity", NULL};
static const char *const after_mask[] = {"teacher", "mask", NULL};
static const char *const after_finetune[] = {"finetune", NULL};

static const struct method_stage stages[] = {
    {
        .name = "teacher",
        .doc = "all-ReLU network, robust to corruptions and attacks (equation 3)",
        .runner = "teacher",
        .revision = 1,
        .after = after_nothing,
        .params = teacher_params,
        .n_params = PARAM_COUNT(teacher_params),
    },
    {
        .name = "sensitivity",
        .doc = "sparse training that shows how far each layer can be pruned",
        .runner = "sensitivity",
        .revision = 1,
        .after = after_nothing,
        .only_param = "budgets",
        .only_value = "measured",
        .skip_param = "relu_budget",
        .skip_value = "all",
        .params = sensitivity_params,
        .n_params = PARAM_COUNT(sensitivity_params),
    },
    {
        .name = "mask",
        .doc = "search for the ReLUs to keep (equations 4, 5, 8)",
        .runner = "mask",
        .revision = 1,
        .after = after_both,
        .skip_param = "relu_budget",
        .skip_value = "all",
        .params = mask_params,
        .n_params = PARAM_COUNT(mask_params),
    },
    {
        .name = "finetune",
        .doc = "three-way robust distillation with fixed masks (equations 6, 7, 9)",
        .runner = "finetune",
        .revision = 1,
        .after = after_mask,
        .skip_param = "relu_budget",
        .skip_value = "all",
        .params = finetune_params,
        .n_params = PARAM_COUNT(finetune_params),
    },
    {
        .name = "evaluate",
        .doc = "clean, corrupted and adversarial accuracy on the test images",
        .runner = "evaluate",
        .revision = 1,
        .after = after_finetune,
        .params = evaluate_params,
        .n_params = PARAM_COUNT(evaluate_params),
    },
};

const struct method method_rlnet = {
    .name = "rlnet",
    .doc = "learns which ReLUs to keep by distillation from a robust teacher",
    .source = "Sarkar, Kundu, Beerel, CVPRW 2024, arXiv 2402.05521",
    .preset_param = "ablation",
    .presets = rlnet_presets,
    .stages = stages,
    .n_stages = sizeof stages / sizeof stages[0],
};
