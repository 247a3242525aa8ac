#ifndef WORKER_DATA_LOCATE_H
#define WORKER_DATA_LOCATE_H

#include "shared/base/err.h"

/*
 * Where data sets lie on people's disks. A folder that was named (`dir`, else the
 * environment's RELUSWEEP_DATA) is the only one looked into, so that nothing is read
 * from elsewhere by surprise. Otherwise, in this order: $XDG_DATA_HOME/relusweep/data,
 * ~/.local/share/relusweep/data, ./data, /usr/share/datasets.
 */

/* The first <place>/<layout> that holds one of `files`, plain or with ".gz"; NULL where
 * there is none. Both lists end with NULL; the layout "" is the place itself. Caller
 * frees. */
char *locate_folder(const char *dir, const char *const *layouts,
                    const char *const *files);

/* "<folder>/<name>", else "<folder>/<name>.gz", whichever exists, or NULL. Caller
 * frees. */
char *locate_file(const char *folder, const char *name);

/* The folder into which data are written: `dir`, RELUSWEEP_DATA, or the first of the
 * places, which may not be there yet. Caller frees. */
char *locate_own_folder(const char *dir);

/* For what can be made again: $RELUSWEEP_CACHE, else $XDG_CACHE_HOME/relusweep, else
 * ~/.cache/relusweep, else NULL. Caller frees. */
char *locate_cache_folder(void);

/* ERR_DATA for a data set that locate_folder did not find: the places that were looked
 * into, and `where`, what to put where. Returns -1. */
int locate_missing(const char *dir, const char *where, struct err *err);

#endif
