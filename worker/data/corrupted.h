#ifndef WORKER_DATA_CORRUPTED_H
#define WORKER_DATA_CORRUPTED_H

#include <stdint.h>

#include "worker/data/corrupt/corrupt.h"
#include "worker/data/dataset.h"
#include "worker/engine/team.h"

/*
 * The corrupted test images of a data set, wherever they come from (methods.md 2.3).
 * Image i of every corruption and severity has the label of test image i:
 *   - the published set where its folder lies among the data: CIFAR-10-C and
 *     CIFAR-100-C (.npy), Tiny-ImageNet-C (folders of JPEGs);
 *   - else a folder that `data corrupt` filled;
 *   - else made when asked for, bit for bit what `data corrupt` writes.
 */
struct corrupted;

enum corrupted_origin {
    CORRUPTED_MADE,      /* by relusweep, now or by `data corrupt`: the same bits */
    CORRUPTED_PUBLISHED, /* read from the published set */
};

/* The set that belongs to `test`, the test part of data set `name`; test is borrowed
 * until corrupted_close. dir: RELUSWEEP_DATA or NULL. Looks at every file's size and at
 * the labels: what is there but damaged, incomplete or of other images is ERR_DATA and
 * never silently replaced. */
MUST_CHECK int corrupted_open(struct corrupted **out, const char *name, const char *dir,
                              const struct dataset *test, struct err *err);
void corrupted_close(struct corrupted *c); /* NULL is fine */

enum corrupted_origin corrupted_origin(const struct corrupted *c);

/* The folder that is read, or NULL where images are made; borrowed. */
const char *corrupted_folder(const struct corrupted *c);

/* Chooses what corrupted_fill gives. severity 1..CORRUPTION_SEVERITIES. Reads one
 * severity's part of an .npy file, or lists one folder. */
MUST_CHECK int corrupted_select(struct corrupted *c, const struct corruption *kind,
                                int severity, struct err *err);

/* x (n,c,h,w) float [0,1], each value a byte / 255: the corrupted test images
 * sample[0..n), shared out over the team. */
MUST_CHECK int corrupted_fill(float *x, const struct corrupted *c,
                              const int64_t *sample, int64_t n, struct team *team,
                              struct err *err);

/* For `data check`: appends a line a file of the set that belongs to this source, where
 * there is one; -1 with the first fault. */
MUST_CHECK int corrupted_check(struct buf *report, const struct dataset_source *source,
                               const char *dir, struct err *err);

#endif
