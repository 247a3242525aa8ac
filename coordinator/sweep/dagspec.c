/*
 * dagspec.c - specs and names of jobs. Writes what job_spec_build and json_canonical
 * would (the tests compare them), from pieces that a stage has prepared: all parameters
 * that do not move are one text.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/sweep/dag.h"
#include "shared/base/mem.h"
#include "shared/spec/job.h"

/* A text, and the column whose value follows it. */
struct piece {
    char *text;
    size_t length;
    size_t slot;
};

struct dag_text {
    struct piece *pieces; /* the slot of the last one does not count */
    size_t n;
    char *tail; /* after the parameters */
};

/* Adds `"name":value,`; nothing where the value is absent. */
static void
put_param(struct buf *out, const struct space *s, size_t slot, uint32_t number)
{
    if (number == SPACE_ABSENT)
        return;
    buf_puts(out, s->params[slot].key);
    buf_puts(out, s->params[slot].values[number].text);
    buf_putc(out, ',');
}

static void
end_piece(struct dag_text *t, struct buf *text, size_t slot)
{
    const size_t length = text->len;

    buf_puts(text, "");
    t->pieces[t->n++] = (struct piece){xstrdup(buf_str(text)), length, slot};
    buf_clear(text);
}

static char *
text_of(const char *word)
{
    json_t *json = json_string(word);
    char *text = json_canonical(json);

    json_decref(json);
    return text;
}

struct dag_text *
dagspec_prepare(const struct dag_stage *st)
{
    const struct sweep_part *p = st->part;
    const struct dag_job first = {.of = st};
    struct dag_text *t = xcalloc(1, sizeof *t);
    struct buf text = {0};
    char *method = text_of(p->space.method->name), *stage = text_of(st->stage->name);

    t->pieces = xcalloc(st->n_slots + 1, sizeof *t->pieces);
    buf_printf(&text, "},\"method\":%s,\"params\":{", method);
    for (size_t i = 0; i < st->n_slots; i++) {
        const size_t slot = st->slots[i];
        if (p->column_of[slot] >= 0)
            end_piece(t, &text, slot);
        else
            put_param(&text, &p->space, slot, dag_number(&first, slot));
    }
    end_piece(t, &text, 0);
    t->tail = xasprintf("},%s\"revision\":%lld,\"stage\":%s,\"version\":%d}",
                        st->repeat ? "\"repeat\":1," : "",
                        (long long)st->stage->revision, stage, JOB_SPEC_VERSION);
    buf_release(&text);
    free(method);
    free(stage);
    return t;
}

void
dagspec_release(struct dag_text *text)
{
    for (size_t i = 0; i < text->n; i++)
        free(text->pieces[i].text);
    free(text->pieces);
    free(text->tail);
    free(text);
}

static const char *
stage_name(const struct dag *d, uint32_t job)
{
    return d->jobs[job].of->stage->name;
}

/* Adds "stage":"digest" of the parents, in order of the names: always the least one
 * that is greater than the last. */
static void
put_inputs(struct buf *out, const struct dag *d, size_t job)
{
    size_t n;
    const uint32_t *parents = dag_parents(d, job, &n);
    const char *last = "";

    for (size_t done = 0; done < n; done++) {
        uint32_t next = UINT32_MAX;
        for (size_t i = 0; i < n; i++)
            if (strcmp(stage_name(d, parents[i]), last) > 0
                && (next == UINT32_MAX
                    || strcmp(stage_name(d, parents[i]), stage_name(d, next)) < 0))
                next = parents[i];
        last = stage_name(d, next);
        buf_puts(out, done > 0 ? ",\"" : "\"");
        buf_puts(out, last);
        buf_puts(out, "\":\"");
        buf_add(out, d->digests[next].hex, SHA256_HEX);
        buf_putc(out, '"');
    }
}

/* Takes the comma after the last parameter away. */
static void
end_params(struct buf *out, const struct dag_text *t)
{
    if (out->data[out->len - 1] == ',')
        out->len--;
    buf_puts(out, t->tail);
}

void
dag_spec(struct buf *out, const struct dag *d, size_t job)
{
    const struct dag_job *j = &d->jobs[job];
    const struct dag_text *t = j->of->text;

    buf_puts(out, "{\"inputs\":{");
    put_inputs(out, d, job);
    for (size_t i = 0; i < t->n; i++) {
        const struct piece *piece = &t->pieces[i];
        buf_add(out, piece->text, piece->length);
        if (i + 1 < t->n)
            put_param(out, &j->of->part->space, piece->slot,
                      dag_number(j, piece->slot));
    }
    end_params(out, t);
}

/* ---- forms ------------------------------------------------------------------------ */

bool
dag_same_form(const struct dag *d, size_t a, size_t b)
{
    const struct dag_job *x = &d->jobs[a], *y = &d->jobs[b];
    const struct dag_text *t = x->of->text;

    if (x->of != y->of)
        return false;
    for (size_t i = 0; i + 1 < t->n; i++)
        if ((dag_number(x, t->pieces[i].slot) == SPACE_ABSENT)
            != (dag_number(y, t->pieces[i].slot) == SPACE_ABSENT))
            return false;
    return true;
}

/* For a format string, where a per cent sign is written twice. */
static void
put_literal(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '%')
            buf_putc(out, '%');
        buf_putc(out, *text);
    }
}

void
dag_template(struct buf *out, const struct dag *d, size_t job)
{
    const struct dag_job *j = &d->jobs[job];
    const struct dag_text *t = j->of->text;
    int place = 1;

    buf_printf(out, "{\"inputs\":{%%%d$s", place++);
    for (size_t i = 0; i < t->n; i++) {
        const size_t slot = t->pieces[i].slot;
        put_literal(out, t->pieces[i].text);
        if (i + 1 == t->n || dag_number(j, slot) == SPACE_ABSENT)
            continue;
        put_literal(out, j->of->part->space.params[slot].key);
        buf_printf(out, "%%%d$s,", place++);
    }
    end_params(out, t);
}

/* The i-th value that the job does not share with its form; NULL: it is absent. */
static const char *
own_value(const struct dag_job *j, size_t i)
{
    const size_t slot = j->of->text->pieces[i].slot;
    const uint32_t number = dag_number(j, slot);

    return number != SPACE_ABSENT ? j->of->part->space.params[slot].values[number].text
                                  : NULL;
}

void
dag_values(struct buf *out, const struct dag *d, size_t job)
{
    const struct dag_job *j = &d->jobs[job];
    const char *before = "";

    for (size_t i = 0; i + 1 < j->of->text->n; i++) {
        const char *value = own_value(j, i);
        if (value == NULL)
            continue;
        buf_puts(out, before);
        buf_puts(out, value);
        before = "\t";
    }
}

size_t
dag_value_names(const char **names, const struct dag *d, size_t job)
{
    const struct dag_job *j = &d->jobs[job];
    const struct space *space = &j->of->part->space;
    size_t n = 0;

    for (size_t i = 0; i + 1 < j->of->text->n; i++)
        if (own_value(j, i) != NULL)
            names[n++] = space->params[j->of->text->pieces[i].slot].param->name;
    return n;
}

/* ---- names ------------------------------------------------------------------------ */

void
dag_name_jobs_to(struct dag *d, size_t end)
{
    enum { AT_LEAST = 512 };
    struct sha256_stream *h;
    struct buf text = {0};

    if (end <= d->n_named)
        return;
    if (d->digests == NULL)
        d->digests = xcalloc(d->n_jobs + 1, sizeof *d->digests);
    h = sha256_stream_new();
    for (; d->n_named < d->n_jobs && d->n_named < end + AT_LEAST; d->n_named++) {
        buf_clear(&text);
        dag_spec(&text, d, d->n_named);
        sha256_stream_add(h, text.data, text.len);
        d->digests[d->n_named] = sha256_stream_next(h);
    }
    sha256_stream_end(h);
    buf_release(&text);
}

void
dag_name_jobs(struct dag *d)
{
    dag_name_jobs_to(d, d->n_jobs);
}

const char *
dag_digest(const struct dag *d, size_t job)
{
    assert(job < d->n_named);
    return d->digests[job].hex;
}

json_t *
dag_params(const struct dag *d, size_t job)
{
    const struct dag_job *j = &d->jobs[job];
    const struct space *space = &j->of->part->space;
    json_t *params = json_object();

    for (size_t i = 0; i < j->of->n_slots; i++) {
        const size_t slot = j->of->slots[i];
        json_t *v = space_json(space, slot, dag_number(j, slot));
        if (v != NULL)
            json_object_set(params, space->params[slot].param->name, v);
    }
    return params;
}
