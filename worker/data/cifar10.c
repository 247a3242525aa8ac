/* cifar10.c - CIFAR-10: where its files lie and how it is normalised; cifar.c reads them. */
#include "worker/data/cifar.h"

#define WHERE                                                                    \
    "unpack the binary version of CIFAR-10 into the folder that RELUSWEEP_DATA " \
    "names, so that it holds cifar-10-batches-bin/test_batch.bin"

static const char *const layouts[] = {"cifar-10-batches-bin", "", NULL};
static const char *const train[] = {"data_batch_1.bin", "data_batch_2.bin",
                                    "data_batch_3.bin", "data_batch_4.bin",
                                    "data_batch_5.bin", NULL};
static const char *const test[] = {"test_batch.bin", NULL};

static const struct cifar_set set = {
    .layouts = layouts,
    .train = train,
    .test = test,
    .per_file_train = 10000,
    .per_file_test = 10000,
    .label_bytes = 1,
    .classes = 10,
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
const struct dataset_source dataset_source_cifar10 = {
    .name = "cifar10",
    .doc = "photographs, 10 classes, 32x32",
    .source = "Krizhevsky 2009, Learning multiple layers of features from tiny images",
    .classes = 10,
    .h = CIFAR_SIDE,
    .w = CIFAR_SIDE,
    .n_train = 50000,
    .n_test = 10000,
    .mean = {0.4914f, 0.4822f, 0.4465f},
    .std = {0.2023f, 0.1994f, 0.2010f},
    .where = WHERE,
    .corrupted = "CIFAR-10-C",
    .load = load,
    .check = check,
};
