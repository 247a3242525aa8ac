#ifndef SHARED_KEYS_ALLOW_H
#define SHARED_KEYS_ALLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/keys/keyfile.h"

/*
 * Who may connect: a folder with one public key for each worker, NAME.pub. It is looked at
 * again when it changes, so a key that is added or removed counts within a second. May be
 * asked by several threads.
 */
struct allow;

enum { ALLOW_NAME = 64 };

/* The folder need not be there yet: then nobody is allowed. */
struct allow *allow_open(const char *dir);
void allow_close(struct allow *a);

/* The name under which this key is allowed; false where it is not. */
bool allow_find(struct allow *a, const char *key, char name[ALLOW_NAME]);

/* ---- for people's commands ------------------------------------------------------- */

/* Writes DIR/NAME.pub. A name that is there with another key is ERR_REFUSED. */
MUST_CHECK int allow_add(const char *dir, const char *name, const char *key,
                         struct err *err);

/* Removes it; ERR_USAGE naming what there is when it is not there. */
MUST_CHECK int allow_remove(const char *dir, const char *name, struct err *err);

/* Calls back for each, in order of names. */
typedef void allow_list_fn(void *ctx, const char *name, const char *key);
MUST_CHECK int allow_list(const char *dir, allow_list_fn *fn, void *ctx,
                          struct err *err);

#endif
