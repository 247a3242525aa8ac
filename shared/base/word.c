/* word.c - the nearest word by edit distance, and the sentences that name it. */
#include "shared/base/word.h"

#include <stdio.h>
#include <string.h>

/* Levenshtein distance, or a large number for words too long to compare. */
static size_t
edit_distance(const char *a, const char *b)
{
    enum { MAX = 63 };
    size_t row[MAX + 1];
    const size_t la = strlen(a), lb = strlen(b);

    if (la > MAX || lb > MAX)
        return 1000;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            const size_t substitute = diagonal + (a[i - 1] != b[j - 1]);
            const size_t other = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
            diagonal = row[j];
            row[j] = substitute < other ? substitute : other;
        }
    }
    return row[lb];
}

const char *
word_nearest(const char *const *words, const char *wrong)
{
    const size_t limit = strlen(wrong) / 3 + 1;
    size_t nearest = limit + 1;
    const char *best = NULL;

    for (; *words != NULL; words++) {
        const size_t d = edit_distance(*words, wrong);
        if (d < nearest) {
            best = *words;
            nearest = d;
        }
    }
    return best;
}

struct word_hint
word_hint(const char *near)
{
    struct word_hint hint = {""};

    if (near != NULL)
        snprintf(hint.text, sizeof hint.text, "; did you mean `%.64s`?", near);
    return hint;
}

void
word_list(struct buf *out, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : "", words[i]);
}

int
word_unknown(const char *what, const char *wrong, const char *const *words,
             struct err *err)
{
    struct buf list = {0};

    word_list(&list, words);
    err_set(err, ERR_USAGE, "%s `%s` is not known%s; there are: %s", what, wrong,
            word_hint(word_nearest(words, wrong)).text, buf_str(&list));
    buf_release(&list);
    return -1;
}
