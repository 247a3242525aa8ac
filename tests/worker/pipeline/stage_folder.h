#ifndef TESTS_WORKER_PIPELINE_STAGE_FOLDER_H
#define TESTS_WORKER_PIPELINE_STAGE_FOLDER_H

#include <stdint.h>

#include "shared/base/json.h"

/* A folder of a stage's process, and the process itself, as an agent would make them.
 * Failures of the set-up end the test. */

/* Makes a folder in the current one; caller frees the name. */
char *stage_folder_new(void);
void stage_folder_free(char *dir);

/* The numbers of a job that takes a moment: resnet10-w8 on 40 synthetic images. */
json_t *stage_folder_params(const char *stage);

/* Writes spec.json with stage_folder_params, changed by the members of `changes` (may
 * be NULL; a reference is taken over). inputs: names of parents, NULL-terminated. */
void stage_folder_spec(const char *dir, const char *stage, json_t *changes,
                       const char *const *inputs);

/* Puts a copy of `file` at DIR/`name`. */
void stage_folder_put(const char *dir, const char *name, const char *file);

/* Gives the folder DIR the model that `stage` made in the folder `from`, as its input. */
void stage_folder_give(const char *dir, const char *stage, const char *from);

/* Starts the stage's process: events go to DIR/events, its log to DIR/log. */
int stage_folder_start(const char *dir, int threads, const char *checkpoint_seconds);
int stage_folder_wait(int pid); /* exit code, or minus the signal */
int stage_folder_run(
    const char *dir); /* both, 1 thread, checkpoints after each epoch */

/* Events of one kind, in order; new reference. */
json_t *stage_folder_events(const char *dir, const char *kind);

/* Final metric of the result, NaN where there is none. */
double stage_folder_final(const char *dir, const char *metric);

/* 1 when both files have the same bytes. */
int stage_folder_same(const char *a, const char *b);

#endif
