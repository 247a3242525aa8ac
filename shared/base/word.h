/* word.h - what an error says about a word that is not known: the one that was perhaps
 * meant, and those that there are. Lists of words end with NULL. */
#ifndef RELUSWEEP_BASE_WORD_H
#define RELUSWEEP_BASE_WORD_H

#include "shared/base/buf.h"
#include "shared/base/err.h"

struct word_hint {
    char text[96];
};

/* The word nearest to `wrong` when it is near enough to be a slip of the finger, else
 * NULL. */
const char *word_nearest(const char *const *words, const char *wrong);

/* "; did you mean `near`?" for the end of an error, empty where near is NULL:
 * err_set(err, kind, "unknown term `%s`%s", wrong, word_hint(near).text). */
struct word_hint word_hint(const char *near);

/* Appends the words with commas between them. */
void word_list(struct buf *out, const char *const *words);

/* ERR_USAGE: "`what` `wrong` is not known", with hint and list. Returns -1. */
int word_unknown(const char *what, const char *wrong, const char *const *words,
                 struct err *err);

#endif
