/*
 * needs.c - does a worker have what a job needs? Pure. A worker that did not say how much
 * memory it has is taken for one with little.
 */
#include "coordinator/dispatch/needs.h"

#include <string.h>

/* Is the word of n characters an item of a list with commas? */
static bool
has_word(const char *list, const char *word, size_t n)
{
    while (*list != '\0') {
        const size_t length = strcspn(list, ",");
        if (length == n && strncmp(list, word, n) == 0)
            return true;
        list += length + (list[length] == ',');
    }
    return false;
}

static bool
has_all_words(const char *list, const char *words)
{
    while (*words != '\0') {
        const size_t n = strcspn(words, ",");
        if (n > 0 && !has_word(list, words, n))
            return false;
        words += n + (words[n] == ',');
    }
    return true;
}

const char *
needs_missing(const struct rules_class *c, const struct needs_worker *w)
{
    if (c->memory_bytes > w->memory_bytes)
        return "memory";
    if (c->threads > w->threads)
        return "threads";
    if (c->backend[0] != '\0' && strcmp(c->backend, w->backend) != 0)
        return "backend";
    return has_all_words(w->labels, c->labels) ? NULL : "labels";
}
