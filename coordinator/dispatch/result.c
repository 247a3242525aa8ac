/*
 * result.c - what a successful result must not contain. A worker is trusted to measure,
 * not to be free of bugs: one NaN in a mean, or two values for one metric, would spoil a
 * report without a word. Must not know what a metric means.
 */
#include "coordinator/dispatch/result.h"

#include <math.h>
#include <string.h>

enum { MAX_ARTIFACT_NAME = 128 };

static bool
is_artifact_name(const char *s)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const size_t n = strlen(s);

    return n >= 1 && n <= MAX_ARTIFACT_NAME && strspn(s, letters) == n;
}

/* What is wrong with metric i: a sentence, with the error kind in *kind; or NULL. */
static const char *
final_fault(const struct msg_result *m, size_t i, const char **kind, struct arena *mem)
{
    const struct msg_point *p = &m->finals[i];

    if (!isfinite(p->value)) {
        *kind = "numeric";
        return arena_printf(mem, "the final metric `%s` is %f", p->name, p->value);
    }
    if (p->name[0] == '\0')
        return "a final metric has no name";
    for (size_t j = 0; j < i; j++)
        if (strcmp(p->name, m->finals[j].name) == 0)
            return arena_printf(mem, "the final metric `%s` is given twice", p->name);
    return NULL;
}

static const char *
artifact_fault(const struct msg_result *m, size_t i, struct arena *mem)
{
    const struct msg_artifact *a = &m->artifacts[i];

    if (!is_artifact_name(a->name))
        return arena_printf(mem,
                            "`%s` is no name for an artifact: 1 to 128 letters, "
                            "digits, dots, underscores and minus signs are",
                            a->name);
    for (size_t j = 0; j < i; j++)
        if (strcmp(a->name, m->artifacts[j].name) == 0)
            return arena_printf(mem, "the artifact `%s` is given twice", a->name);
    return NULL;
}

const struct msg *
result_as_failure(const struct msg_result *m, const char *outcome, const char *text,
                  struct arena *mem)
{
    struct msg *out = arena_alloc(mem, sizeof *out);

    *out = (struct msg){.type = MSG_RESULT, .u.result = *m};
    out->u.result.outcome = outcome;
    out->u.result.text = text;
    return out;
}

const struct msg *
result_fault(const struct msg_result *m, struct arena *mem)
{
    const char *kind = "data", *text = NULL;

    for (size_t i = 0; i < m->n_finals && text == NULL; i++)
        text = final_fault(m, i, &kind, mem);
    for (size_t i = 0; i < m->n_artifacts && text == NULL; i++)
        text = artifact_fault(m, i, mem);
    return text != NULL ? result_as_failure(m, kind, text, mem) : NULL;
}
