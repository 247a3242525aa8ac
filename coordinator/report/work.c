/* work.c - what the numbers cost in hours of computing. */
#include "coordinator/report/work.h"

#include "coordinator/report/number.h"
#include "coordinator/report/sheet.h"

static const char note[] =
    "Hours of finished attempts. Without sharing: had every cell run all of its stages "
    "by itself, at the same speed.";

struct sum {
    int64_t jobs, succeeded, failed;
    double seconds, unshared;
};

static void
add_row(json_t *sheet, const char *name, const struct sum *s)
{
    const int64_t counts[] = {s->jobs, s->succeeded, s->failed};
    const double seconds[] = {s->seconds, s->unshared, s->unshared - s->seconds};
    json_t *row = sheet_row(sheet);
    struct buf b = {0};

    sheet_text(row, name);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        number_count(&b, counts[i]);
        sheet_take(row, &b);
    }
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        number_seconds(&b, seconds[i]);
        sheet_take(row, &b);
    }
}

void
work_add(json_t *report)
{
    static const char *const headings[] = {"jobs", "succeeded",       "failed",
                                           "time", "without sharing", "saved"};
    json_t *sheet = sheet_new("work", "work", "Jobs and hours", note), *stage;
    struct sum all = {0};
    size_t i;

    sheet_column(sheet, "stage", true);
    for (i = 0; i < sizeof headings / sizeof headings[0]; i++)
        sheet_column(sheet, headings[i], false);
    json_array_foreach(json_object_get(report, "stages"), i, stage)
    {
        const struct sum s = {
            json_int(stage, "jobs", 0), json_int(stage, "succeeded", 0),
            json_int(stage, "failed", 0), json_num(stage, "seconds", 0),
            json_num(stage, "unshared_seconds", 0)};
        add_row(sheet, json_str(stage, "stage", ""), &s);
        all.jobs += s.jobs;
        all.succeeded += s.succeeded;
        all.failed += s.failed;
        all.seconds += s.seconds;
        all.unshared += s.unshared;
    }
    if (i > 1)
        add_row(sheet, "all", &all);
    sheet_add(report, sheet);
}
