#ifndef WORKER_AGENT_SPOOL_H
#define WORKER_AGENT_SPOOL_H

#include <stdbool.h>

#include "shared/base/err.h"
#include "shared/base/json.h"
#include "shared/base/mem.h"
#include "shared/wire/msg.h"

/*
 * Results that the coordinator has not acknowledged, one file each, so that they outlive
 * the agent. An entry is the RESULT message as JSON:
 *
 *   {"job": 7, "attempt": 1, "outcome": "ok", "text": "", "exit_code": 0, "signal": 0,
 *    "seconds": 12.5, "peak_rss_bytes": 1048576,
 *    "finals": [{"name","step","value","unit","goal"}],
 *    "artifacts": [{"name","sha","size","file": "/.../model.safetensors"}],
 *    "batches": [{"seq": 3, "points": [{"name","step","value","unit","goal"}]}]}
 *
 * `batches` are the METRICS that were not acknowledged when the process ended.
 */

/* Writes the entry to dir/<job>-<attempt>.json, whole or not at all. */
MUST_CHECK int spool_write(const char *dir, const json_t *entry, struct err *err);
void spool_remove(const char *dir, struct msg_run run);

/* All entries of the folder as an array, new reference; what cannot be read is logged
 * and left where it is. */
json_t *spool_load(const char *dir);

struct msg_run spool_run(const json_t *entry);

/* The entry as a message without session. Strings are borrowed from the entry, arrays
 * live in `mem`. */
void spool_message(const json_t *entry, struct msg_result *out, struct arena *mem);

/* Adds a batch to the entry. */
void spool_add_batch(json_t *entry, const struct msg_metrics *batch);

/* Batch i of the entry, without session; strings are borrowed, points live in `mem`.
 * False at the end. */
bool spool_batch(const json_t *entry, size_t i, struct msg_metrics *out,
                 struct arena *mem);

/* Metric rows of JSON as points; strings are borrowed. At most `max` are taken; rows
 * without a name are left out. A row without a value is NaN, never 0: JSON has no NaN. */
size_t spool_points(const json_t *rows, struct msg_point *out, size_t max);

#endif
