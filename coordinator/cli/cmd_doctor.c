/* cmd_doctor.c - is everything here that a sweep needs? One line a finding, each bad one
 * with what to do about it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "coordinator/cli/cmd.h"
#include "coordinator/launch/private_pg.h"
#include "coordinator/launch/process.h"
#include "shared/base/buf.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/proc.h"

enum { MIN_FREE_MB = 1024 };

struct doctor {
    json_t *findings; /* [{"check","ok","text"}] */
    int bad;
};

static void
finding(struct doctor *d, bool ok, const char *check, const char *text)
{
    json_array_append_new(d->findings, json_pack("{s:s, s:b, s:s}", "check", check,
                                                 "ok", (int)ok, "text", text));
    d->bad += !ok;
}

static void
check_program(struct doctor *d, const char *name)
{
    char *path = proc_sibling(name);
    char *argv[] = {path, (char *)"--version", NULL};
    struct buf out = {0};
    struct err err;

    if (process_output(&out, argv, &err) != 0) {
        finding(d, false, name, err.text);
    } else {
        const char *text = buf_str(&out);
        char *line = xstrndup(text, strcspn(text, "\n"));
        const bool same = strstr(line, RELUSWEEP_VERSION) != NULL;
        char *say = same ? xstrdup(line)
                         : xasprintf("%s, but this is %s: install the same version",
                                     line, RELUSWEEP_VERSION);
        finding(d, same, name, say);
        free(say);
        free(line);
    }
    buf_release(&out);
    free(path);
}

static void
check_data(struct doctor *d)
{
    char *path = proc_sibling("relusweep-worker");
    char *argv[] = {path, (char *)"data", (char *)"check", NULL};
    struct buf out = {0};
    struct err err;
    const bool ok = process_output(&out, argv, &err) == 0;
    char *save = NULL;

    for (char *line = strtok_r((char *)buf_str(&out), "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save))
        finding(d, true, "data", line);
    if (!ok)
        finding(d, false, "data", err.text);
    buf_release(&out);
    free(path);
}

static void
check_environment(struct doctor *d)
{
    const char *core = getenv("OPENBLAS_CORETYPE");

    if (core != NULL && core[0] != '\0') {
        char *say = xasprintf("OPENBLAS_CORETYPE=%s is set here; workers ignore it and "
                              "take what their numerics profile says",
                              core);
        finding(d, true, "environment", say);
        free(say);
    }
    char *say = xasprintf("%d processor cores", proc_cores());
    finding(d, true, "machine", say);
    free(say);
}

static void
check_space(struct doctor *d, const char *state_dir)
{
    struct statvfs fs;
    const char *at = file_exists(state_dir) ? state_dir : "/";

    if (statvfs(at, &fs) != 0)
        return;
    const unsigned long long free_mb =
        (unsigned long long)fs.f_bavail * fs.f_frsize / (1024 * 1024);
    const bool ok = free_mb >= MIN_FREE_MB;
    char *say = xasprintf("%llu MB free for %s%s", free_mb, state_dir,
                          ok ? ""
                             : "; free some space, or choose another folder with "
                               "--state-dir");
    finding(d, ok, "disk", say);
    free(say);
}

static void
check_database(struct doctor *d, struct cmd_ctx *ctx)
{
    struct err err;
    struct db *db;
    json_t *facts = NULL;

    if (cmd_ctx_db(ctx, false, &db, &err) != 0 || db_doctor(db, &facts, &err) != 0) {
        char *bindir = NULL;
        struct err none;
        const bool fresh = strstr(err.text, "there is no database yet") != NULL
                           && private_pg_bindir(&bindir, &none) == 0;
        finding(d, fresh, "database",
                fresh ? "none yet; the first `relusweep run` makes a private one"
                      : err.text);
        free(bindir);
        return;
    }
    const char *key;
    json_t *value;
    json_object_foreach(facts, key, value)
    {
        char *text = json_is_string(value) ? xstrdup(json_string_value(value))
                                           : json_canonical(value);
        char *say = xasprintf("%s: %s", key, text);
        finding(d, true, "database", say);
        free(say);
        free(text);
    }
    if (strcmp(json_str(facts, "fsync", "on"), "on") != 0)
        finding(d, false, "database",
                "fsync is off: a power cut loses results; set fsync = on");
    json_decref(facts);
}

struct doctor_config {
    bool json;
};

static const struct param doctor_params[] = {
    PARAM_ROW_BOOL(struct doctor_config, json, "false", "print one JSON document"),
};

static int
doctor_run(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
           struct err *err)
{
    const struct doctor_config *c = config;
    struct doctor d = {.findings = json_array()};

    (void)words;
    (void)n_words;
    (void)err;
    check_program(&d, "relusweep-coordinator");
    check_program(&d, "relusweep-worker");
    check_environment(&d);
    check_space(&d, ctx->state_dir);
    check_data(&d);
    check_database(&d, ctx);
    for (size_t i = 0; !c->json && i < json_array_size(d.findings); i++) {
        const json_t *f = json_array_get(d.findings, i);
        printf("%-4s %-22s %s\n", json_is_true(json_object_get(f, "ok")) ? "ok" : "BAD",
               json_str(f, "check", ""), json_str(f, "text", ""));
    }
    if (c->json)
        cmd_print_json(d.findings);
    json_decref(d.findings);
    return d.bad > 0 ? EXIT_JOBS_FAILED : EXIT_OK;
}

const struct cmd cmd_doctor = {
    .name = "doctor",
    .usage = "",
    .doc = "check programs, data sets, database and disk",
    .group = "System",
    .params = doctor_params,
    .n_params = PARAM_COUNT(doctor_params),
    .config_size = sizeof(struct doctor_config),
    .run = doctor_run,
};
