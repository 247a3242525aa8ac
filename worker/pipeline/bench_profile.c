/* bench_profile.c - a profile in words: its rows gathered by three different names. */
#include "worker/pipeline/bench_profile.h"

#include <stdlib.h>
#include <string.h>

#include "shared/base/mem.h"

enum { NAME = 64, LAYERS_SHOWN = 40 };

static const char *const passes[PROFILE_PASSES] = {
    [PROFILE_OTHER] = "",
    [PROFILE_PREPARE] = "packing",
    [PROFILE_FORWARD] = "forward",
    [PROFILE_BACKWARD] = "input gradients",
    [PROFILE_PARAMS] = "parameter gradients",
};

/* One line of a table. */
struct line {
    char name[NAME];
    double seconds, flops, bytes;
    double bound; /* seconds, at the roofs */
};

struct table {
    struct line *lines;
    size_t n, capacity;
};

/* Of which net, and what it did; NULL: outside of nets. */
static const char *
net_of(const struct bench_profile *p, const struct profile_row *row,
       struct profile_work *work)
{
    *work = (struct profile_work){0};
    if (row->tag.node == NULL)
        return NULL;
    if (profile_work(work, p->student, row))
        return "student";
    return p->teacher != NULL && profile_work(work, p->teacher, row) ? "teacher" : NULL;
}

/* ---- names ------------------------------------------------------------------------- */

typedef void name_fn(char name[NAME], const struct profile_row *row, const char *net,
                     const struct profile_work *work);

static void
name_pass(char name[NAME], const struct profile_row *row, const char *net,
          const struct profile_work *work)
{
    (void)work;
    snprintf(name, NAME, "%s %s, norm %d: %s", net,
             row->tag.mode == NET_TRAIN ? "train" : "eval", row->tag.path,
             passes[row->tag.pass]);
}

static void
name_op(char name[NAME], const struct profile_row *row, const char *net,
        const struct profile_work *work)
{
    (void)net;
    snprintf(name, NAME, "%s %s: %s", work->op,
             row->tag.mode == NET_TRAIN ? "train" : "eval", passes[row->tag.pass]);
}

static void
name_layer(char name[NAME], const struct profile_row *row, const char *net,
           const struct profile_work *work)
{
    (void)net;
    snprintf(name, NAME, "%s: %s", work->layer[0] != '\0' ? work->layer : work->op,
             passes[row->tag.pass]);
}

/* ---- tables ------------------------------------------------------------------------ */

static struct line *
line_of(struct table *t, const char *name)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->lines[i].name, name) == 0)
            return &t->lines[i];
    t->lines = xgrow(t->lines, &t->capacity, t->n + 1, sizeof *t->lines);
    struct line *l = &t->lines[t->n++];
    *l = (struct line){0};
    snprintf(l->name, NAME, "%s", name);
    return l;
}

static double
bound_of(const struct profile_work *work, const struct cpu_peak *peak)
{
    const double arithmetic = work->flops / peak->flops;
    const double memory = peak->bytes > 0 ? work->bytes / peak->bytes : 0;

    return arithmetic > memory ? arithmetic : memory;
}

static int
by_time(const void *a, const void *b)
{
    const struct line *x = a, *y = b;

    return (x->seconds < y->seconds) - (x->seconds > y->seconds);
}

static struct table
gather(const struct bench_profile *p, name_fn *name_row)
{
    struct table t = {0};

    for (size_t i = 0; i < p->n; i++) {
        const struct profile_row *row = &p->rows[i];
        struct profile_work work;
        const char *net = net_of(p, row, &work);
        char name[NAME];

        if (net != NULL)
            name_row(name, row, net, &work);
        else
            snprintf(name, NAME, "%s", row->tag.what != NULL ? row->tag.what : "?");
        struct line *l = line_of(&t, name);
        l->seconds += 1e-9 * (double)row->ns;
        l->flops += work.flops;
        l->bytes += work.bytes;
        l->bound += bound_of(&work, &p->peak);
    }
    if (t.n > 0)
        qsort(t.lines, t.n, sizeof *t.lines, by_time);
    return t;
}

static void
print_rate(double amount, double seconds, FILE *out)
{
    if (amount > 0)
        fprintf(out, " %9.1f", 1e-9 * amount / seconds);
    else
        fprintf(out, " %9s", "");
}

static void
print_line(const struct line *l, double total, double steps, FILE *out)
{
    fprintf(out, "%-44s %9.2f %6.1f%%", l->name, 1e3 * l->seconds / steps,
            100 * l->seconds / total);
    print_rate(l->flops, l->seconds, out);
    print_rate(l->bytes, l->seconds, out);
    if (l->bound > 0)
        fprintf(out, " %6.0f%%", 100 * l->bound / l->seconds);
    fputc('\n', out);
}

static void
print_table(const struct bench_profile *p, const char *title, name_fn *name_row,
            size_t shown, FILE *out)
{
    const double total = p->seconds * p->threads;
    struct table t = gather(p, name_row);

    fprintf(out, "\n%-44s %9s %7s %9s %9s %7s\n", title, "ms a step", "share",
            "GFLOP/s", "GB/s", "of peak");
    for (size_t i = 0; i < t.n && i < shown; i++)
        print_line(&t.lines[i], total, (double)p->steps, out);
    if (t.n > shown)
        fprintf(out, "and %zu more\n", t.n - shown);
    free(t.lines);
}

static void
print_memory(const char *name, const struct net *n, FILE *out)
{
    const struct net_memory m = net_memory(n);
    const int64_t bytes[] = {m.weights,   m.gradients, m.own,     m.maps,
                             m.transient, m.seeds,     m.threads, net_bytes(n)};

    fprintf(out, "%-10s", name);
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++)
        fprintf(out, " %9.1f", (double)bytes[i] / (1 << 20));
    fputc('\n', out);
}

/* What net.h plans, in MiB. */
static void
print_memories(const struct bench_profile *p, FILE *out)
{
    fprintf(out, "\n%-10s %9s %9s %9s %9s %9s %9s %9s %9s\n", "MiB", "weights",
            "gradients", "packed", "maps", "transient", "seeds", "threads", "all");
    print_memory("student", p->student, out);
    if (p->teacher != NULL)
        print_memory("teacher", p->teacher, out);
}

void
bench_profile_print(const struct bench_profile *p, FILE *out)
{
    fprintf(
        out,
        "\nprofile: %d thread%s, peak of each %.0f GFLOP/s and %.1f GB/s; ms are of "
        "all threads together\n",
        p->threads, p->threads == 1 ? "" : "s", 1e-9 * p->peak.flops,
        1e-9 * p->peak.bytes);
    print_table(p, "by pass", name_pass, SIZE_MAX, out);
    print_table(p, "by op", name_op, SIZE_MAX, out);
    print_table(p, "by layer", name_layer, LAYERS_SHOWN, out);
    if (p->student != NULL)
        print_memories(p, out);
}

json_t *
bench_profile_json(const struct bench_profile *p)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < p->n; i++) {
        const struct profile_row *row = &p->rows[i];
        struct profile_work work;
        const char *net = net_of(p, row, &work);

        json_array_append_new(
            rows,
            json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:f, s:f, s:f, s:f}", "net",
                      net != NULL ? net : "", "op",
                      net != NULL ? work.op : row->tag.what, "layer",
                      net != NULL ? work.layer : "", "pass", passes[row->tag.pass],
                      "mode", row->tag.mode == NET_TRAIN ? "train" : "eval", "path",
                      row->tag.path, "ms", 1e-6 * (double)row->ns / (double)p->steps,
                      "gflop", 1e-9 * work.flops / (double)p->steps, "gbyte",
                      1e-9 * work.bytes / (double)p->steps, "bound_ms",
                      1e3 * bound_of(&work, &p->peak) / (double)p->steps));
    }
    return rows;
}
