/* tiny_imagenet.c - Tiny-ImageNet: its sizes; tiny.c reads it. */
#include "worker/data/tiny.h"

enum { CLASSES = 200, SIDE = 64, TRAIN_EACH = 500, N_VAL = 10000 };

#define WHERE                                                                  \
    "unpack tiny-imagenet-200.zip into the folder that RELUSWEEP_DATA names, " \
    "so that it holds tiny-imagenet-200/wnids.txt"

static const char *const layouts[] = {"tiny-imagenet-200", "tiny-imagenet", "", NULL};

static const struct tiny_set set = {
    .name = "tiny-imagenet",
    .layouts = layouts,
    .classes = CLASSES,
    .side = SIDE,
    .train_each = TRAIN_EACH,
    .n_val = N_VAL,
    .where = WHERE,
};

static int
load(const struct dataset_source *self, struct dataset *out, const char *dir,
     enum dataset_part part, struct err *err)
{
    (void)self;
    return tiny_load(out, &set, dir, part, err);
}

static int
check(const struct dataset_source *self, struct buf *report, const char *dir,
      struct err *err)
{
    (void)self;
    return tiny_check(report, &set, dir, err);
}

/* Not normalised, as in the released RLNet code. */
const struct dataset_source dataset_source_tiny_imagenet = {
    .name = "tiny-imagenet",
    .doc = "photographs, 200 classes, 64x64; the validation part is the test part",
    .source = "Le and Yang 2015, Tiny ImageNet visual recognition challenge",
    .classes = CLASSES,
    .h = SIDE,
    .w = SIDE,
    .n_train = CLASSES * TRAIN_EACH,
    .n_test = N_VAL,
    .mean = {0, 0, 0},
    .std = {1, 1, 1},
    .where = WHERE,
    .corrupted = "Tiny-ImageNet-C",
    .load = load,
    .check = check,
};
