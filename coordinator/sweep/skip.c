/* skip.c - `skip_when` and `only_when` of the catalogue as tests of numbers. */
#include "coordinator/sweep/skip.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

static struct skip_test
read_test(const struct space *s, const struct catalog_stage *stage, const char *param,
          const char *value)
{
    struct skip_test t = {.slot = -1};

    if (param == NULL)
        return t;
    const struct param *p = param_find(stage->params, stage->n_params, param);
    t.slot = space_slot(s, param);
    t.number = t.slot >= 0 ? space_find(s, t.slot, value) : SPACE_ABSENT;
    t.when_absent = p != NULL && p->dflt != NULL && strcmp(p->dflt, value) == 0;
    return t;
}

struct skip *
skip_read(const struct space *s)
{
    const struct catalog_method *m = s->method;
    struct skip *skips = xcalloc(m->n_stages + 1, sizeof *skips);

    for (size_t i = 0; i < m->n_stages; i++) {
        const struct catalog_stage *stage = &m->stages[i];
        skips[i].when = read_test(s, stage, stage->skip_param, stage->skip_value);
        skips[i].only = read_test(s, stage, stage->only_param, stage->only_value);
    }
    return skips;
}

static bool
test_holds(const struct skip_test *t, uint32_t entry)
{
    const uint32_t number = SWEEP_NUMBER(entry);

    return number == SPACE_ABSENT ? t->when_absent : number == t->number;
}

bool
skip_holds(const struct skip *s, const uint32_t *row)
{
    return (s->when.slot >= 0 && test_holds(&s->when, row[s->when.slot]))
           || (s->only.slot >= 0 && !test_holds(&s->only, row[s->only.slot]));
}

bool
skip_cell(const struct skip *s, const struct sweep_part *p, size_t cell)
{
    return (s->when.slot >= 0
            && test_holds(&s->when, sweep_at(p, cell, (size_t)s->when.slot)))
           || (s->only.slot >= 0
               && !test_holds(&s->only, sweep_at(p, cell, (size_t)s->only.slot)));
}
