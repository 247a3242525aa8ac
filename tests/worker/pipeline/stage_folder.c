/* stage_folder.c - a stage's process without an agent. */
#include "tests/worker/pipeline/stage_folder.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/base/param.h"
#include "shared/base/sha256.h"
#include "worker/methods/method.h"
#include "worker/pipeline/run.h"

static void
must(int rc, const struct err *err)
{
    if (rc == 0)
        return;
    fprintf(stderr, "stage folder: %s\n", err->text);
    exit(1);
}

char *
stage_folder_new(void)
{
    char *dir = xstrdup("stage_folder_XXXXXX");
    struct err err;

    if (mkdtemp(dir) == NULL)
        must(err_sys(&err, "mkdtemp"), &err);
    char *inputs = file_join(dir, "inputs");
    must(file_make_dirs(inputs, &err), &err);
    free(inputs);
    return dir;
}

void
stage_folder_free(char *dir)
{
    struct err err;

    must(file_remove_tree(dir, &err), &err);
    free(dir);
}

static const char small[] = "{\"dataset\": \"synthetic\", \"model\": \"resnet10-w8\","
                            "\"train_images\": 40, \"val_images\": 20, \"batch\": 16,"
                            "\"attack_steps\": 2, \"relu_budget\": \"2000\","
                            "\"teacher_epochs\": 2, \"mask_epochs\": 2,"
                            "\"finetune_epochs\": 2, \"eval_images\": 60,"
                            "\"corruption_images\": 20, \"attack_images\": 20}";

json_t *
stage_folder_params(const char *stage)
{
    const struct method_stage *s = method_find_stage(method_find("rlnet"), stage);
    json_t *all, *params = json_object();
    struct err err;

    must(json_parse(&all, small, sizeof small - 1, "small", &err), &err);
    for (size_t i = 0; i < s->n_params; i++) {
        json_t *v = json_object_get(all, s->params[i].name);
        if (v != NULL)
            json_object_set(params, s->params[i].name, v);
    }
    json_decref(all);
    return params;
}

void
stage_folder_spec(const char *dir, const char *stage, json_t *changes,
                  const char *const *inputs)
{
    json_t *params = stage_folder_params(stage), *parents = json_object();
    char *path = file_join(dir, "spec.json");
    struct err err;

    json_object_update(params, changes);
    for (; *inputs != NULL; inputs++)
        json_object_set_new(parents, *inputs,
                            json_string(sha256_bytes(*inputs, strlen(*inputs)).hex));
    json_t *spec =
        json_pack("{s:i, s:s, s:s, s:i, s:o, s:o}", "version", 1, "method", "rlnet",
                  "stage", stage, "revision", 1, "params", params, "inputs", parents);
    must(json_save(spec, path, &err), &err);
    json_decref(spec);
    json_decref(changes);
    free(path);
}

void
stage_folder_put(const char *dir, const char *name, const char *file)
{
    char *path = file_join(dir, name);
    struct buf bytes = {0};
    struct err err;

    must(file_read(&bytes, file, &err), &err);
    must(file_write(path, bytes.data, bytes.len, &err), &err);
    buf_release(&bytes);
    free(path);
}

void
stage_folder_give(const char *dir, const char *stage, const char *from)
{
    char *name = xasprintf("inputs/%s.model", stage);
    char *file = file_join(from, "model.safetensors");

    stage_folder_put(dir, name, file);
    free(name);
    free(file);
}

static void
redirect(const char *dir, const char *name, int to)
{
    char *path = file_join(dir, name);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd != to && dup2(fd, to) < 0)
        _exit(99);
    free(path);
}

int
stage_folder_start(const char *dir, int threads, const char *checkpoint_seconds)
{
    char text[16];
    const int pid = fork();

    if (pid != 0)
        return pid;
    snprintf(text, sizeof text, "%d", threads);
    setenv("RELUSWEEP_THREADS", text, 1);
    setenv("RELUSWEEP_CHECKPOINT_SECONDS", checkpoint_seconds, 1);
    redirect(dir, "log", STDERR_FILENO);
    redirect(dir, "events", 3);
    _exit(run_stage(dir));
}

int
stage_folder_wait(int pid)
{
    int status;

    if (waitpid(pid, &status, 0) != pid)
        return 99;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int
stage_folder_run(const char *dir)
{
    return stage_folder_wait(stage_folder_start(dir, 1, "1000"));
}

json_t *
stage_folder_events(const char *dir, const char *kind)
{
    char *path = file_join(dir, "events");
    struct buf text = {0};
    json_t *all = json_array(), *event;
    struct err err;
    char *rest, *line;

    if (file_exists(path)) /* not yet where the process was killed at once */
        must(file_read(&text, path, &err), &err);
    rest = text.data;
    while (rest != NULL && (line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
        must(json_parse(&event, line, strlen(line), "event", &err), &err);
        json_t *inside = json_object_get(event, kind);
        if (inside != NULL)
            json_array_append(all, inside);
        json_decref(event);
    }
    buf_release(&text);
    free(path);
    return all;
}

double
stage_folder_final(const char *dir, const char *metric)
{
    json_t *results = stage_folder_events(dir, "result"), *row;
    const json_t *finals = json_object_get(json_array_get(results, 0), "finals");
    double value = (double)NAN;
    size_t i;

    json_array_foreach((json_t *)finals, i,
                       row) if (strcmp(json_str(row, "name", ""), metric) == 0) value =
        json_num(row, "value", value);
    json_decref(results);
    return value;
}

int
stage_folder_same(const char *a, const char *b)
{
    struct sha256 x, y;
    size_t size;
    struct err err;

    must(sha256_file(&x, &size, a, &err), &err);
    must(sha256_file(&y, &size, b, &err), &err);
    return strcmp(x.hex, y.hex) == 0;
}
