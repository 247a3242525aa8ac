#ifndef TESTS_WORKER_DATA_FOLDER_H
#define TESTS_WORKER_DATA_FOLDER_H

#include <stddef.h>

/* A temporary folder for the files that a test writes. Failures end the test. */
struct folder {
    char path[256];
};

void folder_init(struct folder *f);
void folder_release(struct folder *f); /* removes it with all that is in it */

/* The folder of a test program, made and removed by these as setup and teardown. */
extern struct folder folder;
int folder_setup(void **state);
int folder_teardown(void **state);

/* Writes <folder>/<name>, plain or (zipped) as gzip; makes the folders on the way.
 * Returns the path, valid until the next call. */
const char *folder_write(const struct folder *f, const char *name, const void *bytes,
                         size_t n, int zipped);

#endif
