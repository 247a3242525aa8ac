/* fixture.c - rows documents and folders for the tests of the report. */
#include "tests/coordinator/report/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "coordinator/report/report.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"

json_t *
fixture_rows(void)
{
    json_t *rows;
    struct err err = {0};

    if (json_load(&rows, REPORT_FIXTURES "/rows.json", &err) != 0)
        fail_msg("%s", err.text);
    return rows;
}

json_t *
fixture_empty(void)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:[s], s:s, s:[]}, s:[s,s,s], s:[]}",
                     "name", "t", "title", "A test", "file", "name: t\n", "sets", "",
                     "report", "x", "relus", "y", "CA", "group_over", "seed",
                     "reference", "axes", "relu_budget", "temperature", "seed",
                     "cells");
}

json_t *
fixture_add(json_t *rows, int64_t budget, double temperature, int64_t seed, double ca)
{
    char text[24];
    const double total = 100000, kept = budget > 0 ? (double)budget : total;

    snprintf(text, sizeof text, budget > 0 ? "%lld" : "all", (long long)budget);
    json_t *cell = json_pack(
        "{s:{s:s, s:I}, s:{}, s:s, s:[], s:{s:{s:f,s:s,s:s}, s:{s:f,s:s,s:s}, "
        "s:{s:f,s:s,s:s}}}",
        "params", "relu_budget", text, "seed", (json_int_t)seed, "written", "state",
        "succeeded", "jobs", "metrics", "CA", "value", ca, "unit", "%", "goal", "max",
        "relus", "value", kept, "unit", "ReLUs", "goal", "min", "relus_total", "value",
        total, "unit", "ReLUs", "goal", "none");
    assert_non_null(cell);
    if (budget > 0)
        json_object_set_new(json_object_get(cell, "params"), "temperature",
                            json_real(temperature));
    json_array_append_new(json_object_get(rows, "cells"), cell);
    return cell;
}

json_t *
fixture_report(json_t *rows)
{
    struct err err = {0};
    json_t *report;

    if (report_build(&report, rows, &err) != 0)
        fail_msg("%s", err.text);
    json_decref(rows);
    return report;
}

uint32_t
fixture_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

char *
fixture_folder(void)
{
    const char *base = getenv("TMPDIR");
    char *path = xasprintf("%s/relusweep-report-XXXXXX", base != NULL ? base : "/tmp");

    if (mkdtemp(path) == NULL)
        fail_msg("cannot make %s", path);
    return path;
}

struct buf
fixture_read(const char *dir, const char *name)
{
    char *path = file_join(dir, name);
    struct buf bytes = {0};
    struct err err = {0};

    if (file_read(&bytes, path, &err) != 0)
        fail_msg("%s", err.text);
    free(path);
    return bytes;
}
