#ifndef TESTS_COORDINATOR_REPORT_FIXTURE_H
#define TESTS_COORDINATOR_REPORT_FIXTURE_H

#include <stdint.h>

#include "shared/base/buf.h"
#include "shared/base/json.h"

/* Rows documents for the tests of the report. All json_t * are new references. */

/* rows.json: 7 settings x 2 seeds, one of which failed while fine-tuning. */
json_t *fixture_rows(void);

/* Rows without cells, with axes relu_budget, temperature, seed and y CA. */
json_t *fixture_empty(void);

/* A succeeded cell with metrics relus, relus_total (100,000) and CA, added to `rows`.
 * budget 0: all. Borrowed. */
json_t *fixture_add(json_t *rows, int64_t budget, double temperature, int64_t seed,
                    double ca);

/* A realistic grid at full scale: CIFAR-10 and -100, ResNet18 and WRN-22-8, six budgets
 * and all ReLUs, four losses of which two also at temperature 1, three seeds; jobs that
 * cells share; some failed, some still run. */
json_t *fixture_grid(void);

/* The report document of `rows`, which it takes. */
json_t *fixture_report(json_t *rows);

/* A small generator of its own, so that tests do not depend on the C library's. */
uint32_t fixture_random(uint32_t *state);

/* A new empty folder; the caller removes it and frees the name. */
char *fixture_folder(void);

/* Fails unless `got` is what golden/name has; writes it there instead where
 * RELUSWEEP_GOLDEN=write is in the environment. */
void fixture_golden(const char *name, struct buf *got);

/* Contents of dir/name. */
struct buf fixture_read(const char *dir, const char *name);

#endif
