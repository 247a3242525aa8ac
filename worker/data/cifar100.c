/* cifar100.c - CIFAR-100: where its files lie and how it is normalised; cifar.c reads them. */
#include "worker/data/cifar.h"

#define WHERE                                                                     \
    "unpack the binary version of CIFAR-100 into the folder that RELUSWEEP_DATA " \
    "names, so that it holds cifar-100-binary/test.bin"

static const char *const layouts[] = {"cifar-100-binary", "", NULL};
static const char *const train[] = {"train.bin", NULL};
static const char *const test[] = {"test.bin", NULL};

static const struct cifar_set set = {
    .layouts = layouts,
    .train = train,
    .test = test,
    .per_file_train = 50000,
    .per_file_test = 10000,
    .label_bytes = 2,
    .classes = 100,
    .where = WHERE,
};

static int
load(const struct dataset_source *self, struct dataset *out, const char *dir,
     enum dataset_part part, struct err *err)
{
    (void)self;
    return cifar_load(out, &set, dir, part, err);
}

static int
check(const struct dataset_source *self, struct buf *report, const char *dir,
      struct err *err)
{
    (void)self;
    return cifar_check(report, &set, dir, err);
}

/* Normalisation as in the released RLNet code. */
const struct dataset_source dataset_source_cifar100 = {
    .name = "cifar100",
    .doc = "photographs, 100 classes, 32x32",
    .source = "Krizhevsky 2009, Learning multiple layers of features from tiny images",
    .classes = 100,
    .h = CIFAR_SIDE,
    .w = CIFAR_SIDE,
    .n_train = 50000,
    .n_test = 10000,
    .mean = {0.5071f, 0.4867f, 0.4408f},
    .std = {0.2675f, 0.2565f, 0.2761f},
    .where = WHERE,
    .corrupted = "CIFAR-100-C",
    .load = load,
    .check = check,
};
