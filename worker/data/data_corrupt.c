/*
 * data_corrupt.c - corrupted test images as files. The team shares out the images of
 * one severity; which thread makes an image changes nothing in it. A file appears under
 * its name when it is whole, about.json comes last, so that an interrupted run leaves a
 * folder that nobody takes for a finished one.
 */
#include "worker/data/data_corrupt.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/param.h"
#include "shared/base/word.h"
#include "worker/data/contact_sheet.h"
#include "worker/data/corrupt/corrupt.h"
#include "worker/data/corrupted_about.h"
#include "worker/data/dataset.h"
#include "worker/data/locate.h"
#include "worker/data/npy_writer.h"
#include "worker/engine/team.h"

enum { MAX_KINDS = 63 };

struct job {
    const struct data_corrupt_config *config;
    FILE *talk;
    struct dataset test;
    const struct corruption *kinds[MAX_KINDS + 1];
    int n_kinds;
    int severities[CORRUPTION_SEVERITIES], n_severities;
    char *folder;
    struct team *team;
    uint8_t *nhwc; /* (n,h,w,3) of one severity */
};

/* ---- what is asked for ----------------------------------------------------------- */

/* The next word of a list with commas; caller frees; NULL at the end. */
static char *
next_word(const char **list)
{
    *list += strspn(*list, ", ");
    const size_t n = strcspn(*list, ", ");
    char *word = n > 0 ? xstrndup(*list, n) : NULL;

    *list += n;
    return word;
}

static int
unknown_corruption(const char *name, struct err *err)
{
    const char *names[MAX_KINDS + 1] = {NULL};

    for (int i = 0; i < MAX_KINDS && corruptions[i] != NULL; i++)
        names[i] = corruptions[i]->name;
    return word_unknown("corruption", name, names, err);
}

static int
choose_kinds(struct job *job, struct err *err)
{
    const char *list = job->config->corruption;
    bool wanted[MAX_KINDS] = {false};
    const bool all = strcmp(list, "all") == 0;

    for (char *word; !all && (word = next_word(&list)) != NULL;) {
        int i = 0;
        while (corruptions[i] != NULL && strcmp(corruptions[i]->name, word) != 0)
            i++;
        const int rc = corruptions[i] == NULL ? unknown_corruption(word, err) : 0;
        free(word);
        if (rc != 0)
            return -1;
        wanted[i] = true;
    }
    for (int i = 0; i < MAX_KINDS && corruptions[i] != NULL; i++)
        if (all || wanted[i])
            job->kinds[job->n_kinds++] = corruptions[i];
    return job->n_kinds > 0 ? 0 : err_set(err, ERR_USAGE, "no corruption is named");
}

static int
choose_severities(struct job *job, struct err *err)
{
    const char *list = job->config->severity;
    bool wanted[CORRUPTION_SEVERITIES + 1] = {false};
    const bool all = strcmp(list, "all") == 0;

    for (char *word; !all && (word = next_word(&list)) != NULL;) {
        const int64_t s = param_parse_count(word);
        const int rc = s >= 1 && s <= CORRUPTION_SEVERITIES
                           ? 0
                           : err_set(err, ERR_USAGE, "severity `%s` is not 1 to %d",
                                     word, CORRUPTION_SEVERITIES);
        free(word);
        if (rc != 0)
            return -1;
        wanted[s] = true;
    }
    for (int s = 1; s <= CORRUPTION_SEVERITIES; s++)
        if (all || wanted[s])
            job->severities[job->n_severities++] = s;
    return job->n_severities > 0 ? 0 : err_set(err, ERR_USAGE, "no severity is named");
}

static int
load_images(struct job *job, struct err *err)
{
    const struct data_corrupt_config *c = job->config;
    struct dataset *t = &job->test;

    if (dataset_load(t, c->dataset, c->data_dir, DATASET_TEST, err) != 0)
        return -1;
    if (c->images > 0 && c->images < t->n)
        t->n = c->images;
    job->nhwc = mem_large_alloc((size_t)(t->n * t->c * t->h * t->w));
    return job->nhwc != NULL
               ? 0
               : err_set(err, ERR_OOM, "no memory for %" PRId64 " images", t->n);
}

static int
make_folder(struct job *job, struct err *err)
{
    const struct data_corrupt_config *c = job->config;

    if (c->out[0] != '\0') {
        job->folder = xstrdup(c->out);
    } else {
        char *data = locate_own_folder(c->data_dir);
        job->folder = xasprintf("%s/%s-c", data, c->dataset);
        free(data);
    }
    return file_make_dirs(job->folder, err);
}

/* ---- making it ------------------------------------------------------------------- */

/* One severity of one corruption, shared out over the team. */
struct part {
    const struct job *job;
    const struct corruption *kind;
    int severity;
};

static void
make_image(void *ctx, int64_t sample, int thread)
{
    const struct part *p = ctx;
    const struct dataset *t = &p->job->test;
    const int64_t plane = t->h * t->w, pixels = CORRUPTION_CHANNELS * plane;
    uint8_t *out = p->job->nhwc + sample * pixels;
    float *image = xmalloc((size_t)pixels * sizeof *image);

    (void)thread;
    corruption_apply(image, t->images + sample * pixels, t->h, t->w, p->kind,
                     p->severity, CORRUPTED_SEED, sample);
    for (int64_t i = 0; i < pixels; i++)
        corruption_to_bytes(
            out + i, image + i % CORRUPTION_CHANNELS * plane + i / CORRUPTION_CHANNELS,
            1);
    free(image);
}

static char *
path_of(const struct job *job, const char *name)
{
    return xasprintf("%s/%s.npy", job->folder, name);
}

static int
write_kind(const struct job *job, const struct corruption *kind, struct err *err)
{
    const struct dataset *t = &job->test;
    const int64_t dims[] = {job->n_severities * t->n, t->h, t->w, t->c};
    const double begin = clock_mono_s();
    char *path = path_of(job, kind->name);
    struct npy_writer w;

    int rc = npy_writer_open(&w, path, 4, dims, err);
    for (int i = 0; rc == 0 && i < job->n_severities; i++) {
        struct part part = {job, kind, job->severities[i]};
        team_run(job->team, t->n, make_image, &part);
        rc = npy_writer_add(&w, job->nhwc, t->n * t->c * t->h * t->w, err);
    }
    if (rc == 0)
        rc = npy_writer_commit(&w, err);
    if (rc == 0)
        fprintf(job->talk, "%s  %.1f s\n", path, clock_mono_s() - begin);
    npy_writer_release(&w);
    free(path);
    return rc;
}

static int
write_labels(const struct job *job, struct err *err)
{
    const struct dataset *t = &job->test;
    const int64_t n = job->n_severities * t->n;
    char *path = path_of(job, "labels");
    uint8_t *labels = xmalloc((size_t)n);
    struct npy_writer w = {0};
    int rc = 0;

    if (t->classes > UINT8_MAX + 1)
        rc = err_set(err, ERR_REFUSED,
                     "%" PRId64 " classes: labels.npy holds bytes, so at most 256",
                     t->classes);
    for (int64_t i = 0; rc == 0 && i < n; i++)
        labels[i] = (uint8_t)t->labels[i % t->n];
    if (rc == 0)
        rc = npy_writer_open(&w, path, 1, &n, err);
    if (rc == 0)
        rc = npy_writer_add(&w, labels, n, err);
    if (rc == 0)
        rc = npy_writer_commit(&w, err);
    npy_writer_release(&w);
    free(labels);
    free(path);
    return rc;
}

/* No about.json, old or new, while the files are not those that it tells of. */
static int
forget_about(const struct job *job, struct err *err)
{
    char *path = file_join(job->folder, "about.json");
    const int rc = file_remove_tree(path, err);

    free(path);
    return rc;
}

static int
write_all(const struct job *job, struct err *err)
{
    char *sheet = file_join(job->folder, "contact-sheet.png");

    int rc = forget_about(job, err);
    if (rc == 0)
        rc = contact_sheet_write(sheet, &job->test, job->kinds, CORRUPTED_SEED, err);
    if (rc == 0)
        fprintf(job->talk, "%s\n", sheet);
    free(sheet);
    for (int i = 0; rc == 0 && i < job->n_kinds; i++)
        rc = write_kind(job, job->kinds[i], err);
    if (rc == 0)
        rc = write_labels(job, err);
    return rc == 0 ? corrupted_about_write(job->folder, job->config->dataset,
                                           &job->test, CORRUPTED_SEED, err)
                   : -1;
}

int
data_corrupt(const struct data_corrupt_config *config, FILE *talk, struct err *err)
{
    struct job job = {.config = config, .talk = talk};

    int rc = choose_kinds(&job, err);
    if (rc == 0)
        rc = choose_severities(&job, err);
    if (rc == 0)
        rc = load_images(&job, err);
    if (rc == 0)
        rc = make_folder(&job, err);
    if (rc == 0) {
        job.team = team_new(config->threads);
        rc = job.team != NULL ? write_all(&job, err)
                              : err_set(err, ERR_SYS, "threads cannot be made");
    }
    team_free(job.team);
    mem_large_free(job.nhwc);
    dataset_release(&job.test);
    free(job.folder);
    return rc;
}
