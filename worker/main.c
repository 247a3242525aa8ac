/*
 * main.c - `relusweep-worker VERB ...`: one row a verb. A verb parses its own
 * arguments, does its work elsewhere, says what went wrong on stderr and returns the
 * exit code.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/base/args.h"
#include "shared/base/proc.h"
#include "shared/base/word.h"
#include "shared/spec/data_options.h"
#include "worker/agent/agent.h"
#include "worker/agent/noop.h"
#include "worker/data/data_verb.h"
#include "worker/engine/backend.h"
#include "worker/methods/catalog.h"
#include "worker/pipeline/bench.h"
#include "worker/pipeline/model_export.h"
#include "worker/pipeline/model_import.h"
#include "worker/pipeline/run.h"
#include "worker/pipeline/trace.h"

struct verb {
    const char *name;
    const char *usage; /* after the name */
    const char *doc;
    int (*run)(const struct verb *v, int argc, char **argv);
    const struct param *params; /* for --help; may be NULL */
    const size_t *n_params;
};

static int
fail(const struct verb *v, const struct err *err)
{
    fprintf(stderr, "relusweep-worker %s: %s\n", v->name, err->text);
    return err_kind_exit(err->kind);
}

static int
misused(const struct verb *v)
{
    fprintf(stderr, "usage: relusweep-worker %s %s\n", v->name, v->usage);
    return err_kind_exit(ERR_USAGE);
}

/* ---- verbs ----------------------------------------------------------------------- */

static int
verb_agent(const struct verb *v, int argc, char **argv)
{
    json_t *catalog = catalog_describe();
    char *text = json_canonical(catalog);
    const struct backend *best;
    struct err err;

    int rc = backend_find(&best, "auto", &err);
    if (rc == 0)
        rc = agent_main(argc, argv, text, backend_name(best), &err);
    free(text);
    json_decref(catalog);
    return rc == 0 ? 0 : fail(v, &err);
}

static int
verb_stage(const struct verb *v, int argc, char **argv)
{
    return argc == 2 ? run_stage(argv[1]) : misused(v);
}

/* Always JSON; --json is taken for the sake of scripts that ask every program so. */
static int
verb_catalog(const struct verb *v, int argc, char **argv)
{
    if (argc > 2 || (argc == 2 && strcmp(argv[1], "--json") != 0))
        return misused(v);
    json_t *catalog = catalog_describe();
    json_dumpf(catalog, stdout, JSON_INDENT(1));
    putchar('\n');
    json_decref(catalog);
    return 0;
}

static int
verb_trace(const struct verb *v, int argc, char **argv)
{
    struct trace_config c = {0};
    struct args args = {0};
    struct err err;

    int rc =
        args_parse(&args, trace_params, trace_n_params, &c, argc, argv, NULL, &err);
    if (rc == 0 && args.n_words > 0)
        rc = err_set(&err, ERR_USAGE, "`%s`: everything is an option here",
                     args.words[0]);
    if (rc == 0)
        rc = trace_run(c.spec, c.in, c.out, c.steps, c.backend, (int)c.threads, &err);
    args_release(&args);
    return rc == 0 ? 0 : fail(v, &err);
}

static int
verb_bench(const struct verb *v, int argc, char **argv)
{
    struct bench_config c = {0};
    struct args args = {0};
    struct err err;

    int rc =
        args_parse(&args, bench_params, bench_n_params, &c, argc, argv, NULL, &err);
    if (rc == 0 && args.n_words > 0)
        rc = err_set(&err, ERR_USAGE, "`%s`: everything is an option here",
                     args.words[0]);
    if (rc == 0)
        rc = bench_run(&c, stdin, stdout, &err);
    args_release(&args);
    return rc == 0 ? 0 : fail(v, &err);
}

static int
verb_export(const struct verb *v, int argc, char **argv)
{
    struct model_export_config c = {0};
    struct args args = {0};
    struct err err;

    int rc = args_parse(&args, model_export_params, model_export_n_params, &c, argc,
                        argv, NULL, &err);
    if (rc == 0 && args.n_words > 0)
        rc = err_set(&err, ERR_USAGE, "`%s`: everything is an option here",
                     args.words[0]);
    if (rc == 0)
        rc = model_export(&c, &err);
    args_release(&args);
    return rc == 0 ? 0 : fail(v, &err);
}

/* On stdout what a sweep file says; the digest alone goes to scripts with cut. */
static int
verb_import(const struct verb *v, int argc, char **argv)
{
    struct model_import_config c = {0};
    struct args args = {0};
    char digest[65];
    struct err err;

    int rc = args_parse(&args, model_import_params, model_import_n_params, &c, argc,
                        argv, NULL, &err);
    if (rc == 0 && args.n_words != 1)
        rc = err_set(&err, ERR_USAGE, "name one file");
    if (rc == 0)
        rc = model_import(digest, args.words[0], &c, &err);
    if (rc == 0)
        printf("teacher: import:%s\n", digest);
    args_release(&args);
    return rc == 0 ? 0 : fail(v, &err);
}

static int
verb_noop(const struct verb *v, int argc, char **argv)
{
    json_t *catalog = catalog_describe();
    char *text = json_canonical(catalog);
    struct noop_config c = {0};
    struct args args = {0};
    struct err err;

    int rc = args_parse(&args, noop_params, noop_n_params, &c, argc, argv, NULL, &err);
    if (rc == 0)
        rc = noop_run(&c, text, &err);
    args_release(&args);
    free(text);
    json_decref(catalog);
    return rc == 0 ? 0 : fail(v, &err);
}

static int
verb_data(const struct verb *v, int argc, char **argv)
{
    struct err err;

    return data_verb(argc, argv, &err) == 0 ? 0 : fail(v, &err);
}

static int
verb_version(const struct verb *v, int argc, char **argv)
{
    (void)v;
    (void)argc;
    (void)argv;
    printf("relusweep-worker %s\n", RELUSWEEP_VERSION);
    return 0;
}

static const struct verb verbs[] = {
    {"agent", "[options]", "asks a coordinator for jobs and runs them", verb_agent,
     NULL, NULL},
    {"stage", "DIR", "runs the one stage that lies in DIR", verb_stage, NULL, NULL},
    {"catalog", "[--json]", "what this worker can do, as JSON", verb_catalog, NULL,
     NULL},
    {"trace", "--spec S.json --in IN.safetensors --out OUT.safetensors [options]",
     "optimiser steps on given data, everything shown", verb_trace, trace_params,
     &trace_n_params},
    {"bench", "[options]", "how fast this machine trains", verb_bench, bench_params,
     &bench_n_params},
    {"export", "--model FILE --format NAME --out FILE [options]",
     "a model for other programs, with a card", verb_export, model_export_params,
     &model_export_n_params},
    {"import", "FILE --model NAME --dataset NAME [options]",
     "a teacher that PyTorch trained, as safetensors", verb_import, model_import_params,
     &model_import_n_params},
    {"noop", "--connect ADDRESS [options]",
     "a worker whose jobs end at once: measures the queue", verb_noop, noop_params,
     &noop_n_params},
    {"data", DATA_VERB_USAGE, "looks at data sets, makes corrupted test images",
     verb_data, data_options, &data_options_count},
    {"version", "", "the version of this program", verb_version, NULL, NULL},
};
enum { N_VERBS = sizeof verbs / sizeof verbs[0] };

/* ---- finding the verb ------------------------------------------------------------ */

static void
print_overview(FILE *to)
{
    fprintf(to,
            "relusweep-worker %s: trains and evaluates, for a coordinator or alone\n\n"
            "usage: relusweep-worker VERB [arguments] [options]\n\n",
            RELUSWEEP_VERSION);
    for (int i = 0; i < N_VERBS; i++)
        fprintf(to, "  %-8s %s\n", verbs[i].name, verbs[i].doc);
    fprintf(to, "\n`relusweep-worker VERB --help` tells the options of a verb.\n");
}

/* For verbs whose options this file knows; the agent helps for itself. */
static int
print_help(const struct verb *v)
{
    struct buf text = {0};

    buf_printf(&text, "relusweep-worker %s: %s\n\nusage: relusweep-worker %s %s\n",
               v->name, v->doc, v->name, v->usage);
    if (v->params != NULL) {
        buf_puts(&text, "\noptions:\n");
        args_help(&text, v->params, *v->n_params);
    }
    fputs(buf_str(&text), stdout);
    buf_release(&text);
    return 0;
}

static const struct verb *
find_verb(const char *name)
{
    for (int i = 0; i < N_VERBS; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static const char *
nearest_verb(const char *wrong)
{
    const char *names[N_VERBS + 1] = {NULL};

    for (int i = 0; i < N_VERBS; i++)
        names[i] = verbs[i].name;
    return word_nearest(names, wrong);
}

int
main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    if (strcmp(name, "--version") == 0)
        name = "version";
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0) {
        print_overview(stdout);
        return 0;
    }
    const struct verb *v = find_verb(name);
    if (v == NULL) {
        print_overview(stderr);
        fprintf(stderr, "\nrelusweep-worker: no verb `%s`%s\n", name,
                word_hint(nearest_verb(name)).text);
        return err_kind_exit(ERR_USAGE);
    }
    if (argc > 2 && strcmp(argv[2], "--help") == 0 && v->run != verb_agent)
        return print_help(v);
    return v->run(v, argc - 1, argv + 1);
}
