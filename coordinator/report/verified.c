/*
 * verified.c - re-runs in sentences. A pair that differs is named with its machines, for
 * processors with other instruction sets may round in another way.
 */
#include "coordinator/report/verified.h"

#include <stdbool.h>
#include <string.h>

#include "coordinator/report/number.h"
#include "shared/base/buf.h"

enum { PAIRS_MAX = 5 };

static void
add_note(json_t *notes, struct buf *text)
{
    json_array_append_new(notes, json_string(buf_str(text)));
    buf_release(text);
}

static bool
is_done(const json_t *pair)
{
    return json_is_true(json_object_get(pair, "done"));
}

static bool
is_equal(const json_t *pair)
{
    return json_int(pair, "metrics", 0) == json_int(pair, "equal", -1);
}

/* Are the two texts of this member different? */
static bool
elsewhere(const json_t *pair, const char *key)
{
    const json_t *two = json_object_get(pair, key);

    return !json_equal(json_array_get(two, 0), json_array_get(two, 1));
}

static const char *
text_at(const json_t *pair, const char *key, size_t i)
{
    const char *text = json_string_value(json_array_get(json_object_get(pair, key), i));

    return text != NULL ? text : "?";
}

/* Between instruction sets bits may differ: what counts there is a tolerance. */
static bool
is_near(const json_t *pair)
{
    return json_is_true(json_object_get(pair, "foreign"))
           && json_int(pair, "metrics", 0) == json_int(pair, "near", -1);
}

static void
note_difference(json_t *notes, const json_t *pair)
{
    const json_t *worst = json_object_get(pair, "worst");
    const json_t *values = json_object_get(worst, "values");
    struct buf b = {0};

    buf_printf(&b,
               "Job %lld (%s) and its re-run %lld differ in %lld of %lld final metrics",
               (long long)json_int(pair, "job", 0), json_str(pair, "stage", ""),
               (long long)json_int(pair, "repeat", 0),
               (long long)(json_int(pair, "metrics", 0) - json_int(pair, "equal", 0)),
               (long long)json_int(pair, "metrics", 0));
    if (json_is_number(json_array_get(values, 0))
        && json_is_number(json_array_get(values, 1))) {
        buf_printf(&b, ", most in %s: ", json_str(worst, "name", ""));
        number_exact(&b, json_number_value(json_array_get(values, 0)));
        buf_puts(&b, " and ");
        number_exact(&b, json_number_value(json_array_get(values, 1)));
    }
    buf_printf(&b, " (on %s and %s).", text_at(pair, "hosts", 0),
               text_at(pair, "hosts", 1));
    add_note(notes, &b);
}

void
verified_notes(json_t *notes, const json_t *verified)
{
    double tolerance = 0;
    size_t i, done = 0, equal = 0, near = 0, others = 0, machines = 0, shown = 0;
    const json_t *pair;
    struct buf b = {0};

    if (json_array_size(verified) == 0)
        return;
    json_array_foreach(verified, i, pair)
    {
        if (!is_done(pair))
            continue;
        done++;
        equal += is_equal(pair);
        tolerance = json_num(pair, "tolerance", 0);
        near += !is_equal(pair) && is_near(pair);
        others += elsewhere(pair, "workers");
        machines += elsewhere(pair, "hosts");
    }
    buf_printf(&b,
               "Done twice to compare (verify): %zu jobs, %zu of them finished both "
               "times, %zu with the same bits in every final metric; %zu on another "
               "worker, %zu on another machine.",
               json_array_size(verified), done, equal, others, machines);
    if (near > 0)
        buf_printf(
            &b,
            " Done with another instruction set or other kernels, which may round "
            "in another way, and equal within %g %%: %zu.",
            tolerance * 100, near);
    if (others < done)
        buf_printf(&b,
                   " Done again by the worker of the first run, because no other that "
                   "could do it came in time: %zu.",
                   done - others);
    add_note(notes, &b);
    json_array_foreach(verified, i, pair)
    {
        if (is_done(pair) && !is_equal(pair) && !is_near(pair) && shown++ < PAIRS_MAX)
            note_difference(notes, pair);
    }
}
