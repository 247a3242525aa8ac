/*
 * export_metrics.c - walks over the jobs of a selection, and the two plain formats. One
 * job is in memory at a time.
 */
#include "coordinator/cli/export_metrics.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/db/jobmetrics.h"
#include "coordinator/report/escape.h"
#include "coordinator/report/number.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"

enum { PAGE = 500 };

/* ---- jobs ------------------------------------------------------------------------ */

static int
visit(const struct export_request *r, int64_t id, export_job_fn each, void *arg,
      struct err *err)
{
    json_t *job;

    if (db_job_metrics(r->db, id, &job, err) != 0)
        return -1;
    const int rc = each(arg, job, err);
    json_decref(job);
    return rc == 0 ? 0 : err_wrap(err, "job %" PRId64, id);
}

int
export_each_job(const struct export_request *r, export_job_fn each, void *arg,
                int64_t *n, struct err *err)
{
    int64_t after = 0;
    size_t got = PAGE;
    int rc = 0;

    *n = 0;
    while (rc == 0 && got == PAGE) {
        json_t *page, *row;
        size_t i;
        if (db_jobs(r->db, &r->selection, after, PAGE, &page, err) != 0)
            return -1;
        const json_t *rows = json_object_get(page, "jobs");
        got = json_array_size(rows);
        json_array_foreach(rows, i, row)
        {
            after = json_int(row, "id", after);
            if (rc == 0)
                rc = visit(r, after, each, arg, err);
            *n += rc == 0;
        }
        json_decref(page);
    }
    return rc;
}

void
export_file_name(struct buf *out, const char *text)
{
    if (text[0] == '.')
        buf_putc(out, '-');
    for (const char *c = text + (text[0] == '.'); *c != '\0'; c++)
        buf_putc(out, isalnum((unsigned char)*c) || strchr("._-", *c) ? *c : '-');
}

/* ---- output ---------------------------------------------------------------------- */

static FILE *
open_file(const char *path, struct err *err)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL)
        err_sys(err, "open %s", path);
    return file;
}

/* Writes the buffer and empties it. */
static int
flush(FILE *file, struct buf *text, struct err *err)
{
    const bool good = fwrite(buf_str(text), 1, text->len, file) == text->len;

    buf_clear(text);
    return good ? 0 : err_sys(err, "write");
}

static int
close_file(FILE *file, const char *path, int rc, struct err *err)
{
    if (file != NULL && fclose(file) != 0 && rc == 0)
        rc = err_sys(err, "write %s", path);
    return rc;
}

int
export_write(const char *path, struct buf *bytes, struct err *err)
{
    FILE *file = open_file(path, err);

    return file != NULL ? close_file(file, path, flush(file, bytes, err), err) : -1;
}

/* ---- CSV ------------------------------------------------------------------------- */

struct tables {
    FILE *finals, *curves;
    struct buf text;
};

static void
put_job(struct buf *out, const json_t *job)
{
    buf_printf(out, "%" PRId64 ",", json_int(job, "id", 0));
    escape_csv(out, json_str(job, "digest", ""));
    buf_putc(out, ',');
    escape_csv(out, json_str(job, "stage", ""));
    buf_putc(out, ',');
}

static int
put_finals(struct tables *t, const json_t *job, struct err *err)
{
    char *params = json_canonical(json_object_get(job, "params"));
    json_t *final;
    size_t i;

    json_array_foreach(json_object_get(job, "finals"), i, final)
    {
        put_job(&t->text, job);
        escape_csv(&t->text, json_str(final, "name", ""));
        buf_putc(&t->text, ',');
        number_exact(&t->text, json_num(final, "value", NAN));
        buf_putc(&t->text, ',');
        escape_csv(&t->text, json_str(final, "unit", ""));
        buf_printf(&t->text, ",%s,", json_str(final, "goal", ""));
        escape_csv(&t->text, params);
        buf_puts(&t->text, "\r\n");
    }
    free(params);
    return flush(t->finals, &t->text, err);
}

static int
put_curves(struct tables *t, const json_t *job, struct err *err)
{
    json_t *curve, *point;
    size_t i, k;

    json_array_foreach(json_object_get(job, "curves"), i, curve)
    {
        json_array_foreach(json_object_get(curve, "points"), k, point)
        {
            const json_t *value = json_array_get(point, 1);
            put_job(&t->text, job);
            escape_csv(&t->text, json_str(curve, "name", ""));
            buf_printf(&t->text, ",%lld,",
                       (long long)json_integer_value(json_array_get(point, 0)));
            number_exact(&t->text, json_is_number(value) ? json_number_value(value)
                                                         : (double)NAN);
            buf_puts(&t->text, "\r\n");
        }
    }
    return flush(t->curves, &t->text, err);
}

static int
put_tables(void *arg, const json_t *job, struct err *err)
{
    return put_finals(arg, job, err) == 0 ? put_curves(arg, job, err) : -1;
}

int
export_csv(const struct export_request *r, struct err *err)
{
    char *finals = file_join(r->out, "finals.csv");
    char *curves = file_join(r->out, "curves.csv");
    struct tables t = {0};
    int64_t n = 0;
    int rc = -1;

    if (file_make_dirs(r->out, err) == 0 && (t.finals = open_file(finals, err)) != NULL
        && (t.curves = open_file(curves, err)) != NULL) {
        fputs("job,digest,stage,metric,value,unit,goal,params\r\n", t.finals);
        fputs("job,digest,stage,metric,step,value\r\n", t.curves);
        rc = export_each_job(r, put_tables, &t, &n, err);
    }
    rc = close_file(t.finals, finals, rc, err);
    rc = close_file(t.curves, curves, rc, err);
    if (rc == 0)
        printf("%" PRId64 " jobs: %s, %s\n", n, finals, curves);
    buf_release(&t.text);
    free(curves);
    free(finals);
    return rc;
}

/* ---- JSON lines ------------------------------------------------------------------ */

static int
put_line(void *arg, const json_t *job, struct err *err)
{
    char *line = json_canonical(job);
    const bool good = fputs(line, arg) >= 0 && fputc('\n', arg) >= 0;

    free(line);
    return good ? 0 : err_sys(err, "write");
}

int
export_jsonl(const struct export_request *r, struct err *err)
{
    FILE *file = open_file(r->out, err);
    int64_t n = 0;

    if (file == NULL)
        return -1;
    const int rc =
        close_file(file, r->out, export_each_job(r, put_line, file, &n, err), err);
    if (rc == 0)
        printf("%" PRId64 " jobs: %s\n", n, r->out);
    return rc;
}
