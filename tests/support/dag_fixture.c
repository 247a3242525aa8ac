/* dag_fixture.c - cells and jobs without a sweep file. */
#include "tests/support/dag_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

enum { SEED, BUDGET, SLOTS };

#define SEED_ROW   "{\"name\":\"seed\",\"type\":\"int\",\"doc\":\"d\"}"
#define BUDGET_ROW "{\"name\":\"budget\",\"type\":\"int\",\"doc\":\"d\"}"

static const char catalog_text[] =
    "{\"version\":1,\"program\":\"0\",\"methods\":[{\"name\":\"rlnet\",\"doc\":\"d\","
    "\"source\":\"s\",\"stages\":["
    "{\"name\":\"teacher\",\"revision\":1,\"doc\":\"d\",\"after\":[],"
    "\"params\":[" SEED_ROW "]},"
    "{\"name\":\"mask\",\"revision\":1,\"doc\":\"d\",\"after\":[\"teacher\"],"
    "\"params\":[" SEED_ROW "," BUDGET_ROW "]},"
    "{\"name\":\"finetune\",\"revision\":1,\"doc\":\"d\",\"after\":[\"mask\"],"
    "\"params\":[" SEED_ROW "," BUDGET_ROW "]}]}]}";

static void
fail_with(const struct err *err)
{
    fprintf(stderr, "dag_fixture: %s\n", err->text);
    abort();
}

static void
read_catalog(struct catalog *out)
{
    struct err err = {0};
    json_t *doc;

    if (json_parse(&doc, catalog_text, strlen(catalog_text), "fixture", &err) != 0
        || catalog_read(out, doc, &err) != 0)
        fail_with(&err);
    json_decref(doc);
}

struct dag_fixture *
dag_fixture_new(const char *name, const char *text)
{
    struct dag_fixture *f = xcalloc(1, sizeof *f);

    read_catalog(&f->catalog);
    f->sweep =
        (struct sweep){.name = xstrdup(name),
                       .title = xasprintf("Title of %s", name),
                       .path = xasprintf("%s.yaml", name),
                       .text = xstrdup(text),
                       .sets = xstrdup(""),
                       .axes = json_pack("[s, s]", "budget", "seed"),
                       .report = json_pack("{s:s, s:[s]}", "x", "relus", "y", "CA")};
    return f;
}

static uint32_t
entry(struct space *space, int slot, int value, int written)
{
    char text[16];
    uint32_t number = SPACE_ABSENT;
    struct err err = {0};

    snprintf(text, sizeof text, "%d", value);
    if (space_read(&number, space, slot, text, &err) != 0)
        fail_with(&err);
    return SWEEP_ENTRY(number, (uint32_t)written);
}

static void
drop_cells(struct dag_fixture *f)
{
    dag_free(f->dag);
    f->dag = NULL;
    for (size_t i = 0; i < f->sweep.n_parts; i++)
        sweep_release_part(&f->sweep.parts[i]);
    f->sweep.n_parts = f->sweep.n_cells = 0;
}

/* Cells and jobs anew. */
static void
build(struct dag_fixture *f)
{
    uint32_t *rows = xcalloc(f->n_cells * SLOTS, sizeof *rows);
    struct space space;
    struct err err = {0};

    drop_cells(f);
    if (space_init(&space, &f->catalog.methods[0], &err) != 0)
        fail_with(&err);
    for (size_t i = 0; i < f->n_cells; i++) {
        rows[i * SLOTS + SEED] = entry(&space, SEED, f->cells[2 * i], 0);
        rows[i * SLOTS + BUDGET] = entry(&space, BUDGET, f->cells[2 * i + 1], 1);
    }
    sweep_add_part(&f->sweep, &space, rows, f->n_cells);
    f->dag = dag_build(&f->sweep);
    dag_name_jobs(f->dag);
}

static void
put_cell(struct dag_fixture *f, int seed, int budget)
{
    f->cells = xrealloc(f->cells, 2 * (f->n_cells + 1) * sizeof *f->cells);
    f->cells[2 * f->n_cells] = seed;
    f->cells[2 * f->n_cells + 1] = budget;
    f->n_cells++;
}

void
dag_fixture_add(struct dag_fixture *f, int seed, int budget)
{
    put_cell(f, seed, budget);
    build(f);
}

void
dag_fixture_add_many(struct dag_fixture *f, int seed, int n)
{
    for (int budget = 0; budget < n; budget++)
        put_cell(f, seed, budget);
    build(f);
}

void
dag_fixture_free(struct dag_fixture *f)
{
    struct sweep *s = xmalloc(sizeof *s);

    dag_free(f->dag);
    *s = f->sweep;
    sweep_free(s);
    catalog_release(&f->catalog);
    free(f->cells);
    free(f);
}
