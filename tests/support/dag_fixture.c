/* dag_fixture.c - cells and jobs without a parser. */
#include "tests/support/dag_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"
#include "shared/spec/job.h"

struct dag_fixture *
dag_fixture_new(const char *name, const char *text)
{
    struct dag_fixture *f = xcalloc(1, sizeof *f);

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

/* The job of this stage, made if the dag does not have it. parent: index or -1. */
static size_t
add_job(struct dag_fixture *f, const char *stage, json_t *params, const char *input,
        long parent)
{
    json_t *inputs = json_object();
    struct dag *d = &f->dag;

    if (parent >= 0)
        json_object_set_new(inputs, input, json_string(d->jobs[parent].digest.hex));
    json_t *spec =
        json_pack("{s:i, s:s, s:s, s:i, s:o, s:o}", "version", 1, "method", "rlnet",
                  "stage", stage, "revision", 1, "params", params, "inputs", inputs);
    const struct sha256 digest = job_spec_digest(spec);
    for (size_t i = 0; i < d->n_jobs; i++)
        if (strcmp(d->jobs[i].digest.hex, digest.hex) == 0) {
            json_decref(spec);
            return i;
        }
    d->jobs = xrealloc(d->jobs, (d->n_jobs + 1) * sizeof *d->jobs);
    struct dag_job *job = &d->jobs[d->n_jobs];
    *job = (struct dag_job){
        .digest = digest, .spec = spec, .method = "rlnet", .stage = stage};
    if (parent >= 0) {
        job->parents = xcalloc(1, sizeof *job->parents);
        job->parents[0] = (size_t)parent;
        job->n_parents = 1;
    }
    return d->n_jobs++;
}

void
dag_fixture_add(struct dag_fixture *f, int seed, int budget)
{
    struct sweep *s = &f->sweep;
    struct dag *d = &f->dag;
    const size_t n = s->n_cells;
    const size_t teacher =
        add_job(f, "teacher", json_pack("{s:i}", "seed", seed), NULL, -1);
    const size_t mask =
        add_job(f, "mask", json_pack("{s:i, s:i}", "seed", seed, "budget", budget),
                "teacher", (long)teacher);
    const size_t finetune =
        add_job(f, "finetune", json_pack("{s:i, s:i}", "seed", seed, "budget", budget),
                "mask", (long)mask);

    s->cells = xrealloc(s->cells, (n + 1) * sizeof *s->cells);
    s->cells[n] = (struct sweep_cell){
        .values = json_pack("{s:i, s:i}", "seed", seed, "budget", budget),
        .written = json_pack("{s:i}", "budget", budget)};
    d->cell_jobs = xrealloc(d->cell_jobs, (n + 1) * sizeof *d->cell_jobs);
    d->n_cell_jobs = xrealloc(d->n_cell_jobs, (n + 1) * sizeof *d->n_cell_jobs);
    d->cell_jobs[n] = xcalloc(3, sizeof **d->cell_jobs);
    d->cell_jobs[n][0] = teacher;
    d->cell_jobs[n][1] = mask;
    d->cell_jobs[n][2] = finetune;
    d->n_cell_jobs[n] = 3;
    s->n_cells = d->n_cells = n + 1;
}

void
dag_fixture_free(struct dag_fixture *f)
{
    for (size_t i = 0; i < f->sweep.n_cells; i++) {
        json_decref(f->sweep.cells[i].values);
        json_decref(f->sweep.cells[i].written);
        free(f->dag.cell_jobs[i]);
    }
    for (size_t i = 0; i < f->dag.n_jobs; i++) {
        json_decref(f->dag.jobs[i].spec);
        free(f->dag.jobs[i].parents);
    }
    free(f->dag.jobs);
    free(f->dag.cell_jobs);
    free(f->dag.n_cell_jobs);
    free(f->sweep.cells);
    free(f->sweep.name);
    free(f->sweep.title);
    free(f->sweep.path);
    free(f->sweep.text);
    free(f->sweep.sets);
    json_decref(f->sweep.axes);
    json_decref(f->sweep.report);
    free(f);
}
