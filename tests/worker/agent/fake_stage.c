/* fake_stage.c - plays a stage's process by the contract of PROTOCOL.md. */
#include "tests/worker/agent/fake_stage.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/base/err.h"
#include "shared/base/file.h"
#include "shared/base/json.h"
#include "shared/base/proc.h"

static volatile sig_atomic_t asked_to_stop;

static void
on_term(int signal)
{
    (void)signal;
    asked_to_stop = 1;
}

static void
say(const char *line)
{
    dprintf(3, "%s\n", line);
}

static void
put(const char *dir, const char *name, const char *text)
{
    char *path = file_join(dir, name);
    struct err err;

    if (file_write(path, text, strlen(text), &err) != 0)
        exit(1);
    free(path);
}

static void
checkpoint(const char *dir)
{
    put(dir, "checkpoint-40", "state after forty steps");
    say("{\"checkpoint\":{\"step\":40,\"file\":\"checkpoint-40\"}}");
}

static int
hang(const char *dir)
{
    struct sigaction act = {.sa_handler = on_term};

    sigaction(SIGTERM, &act, NULL);
    say("{\"progress\":{\"epoch\":1,\"epochs\":2,\"step\":40,\"steps\":80,"
        "\"images_per_second\":100.5,\"loss\":0.25,\"seconds_left\":9}}");
    while (!asked_to_stop)
        usleep(5000);
    checkpoint(dir);
    say("{\"error\":{\"kind\":\"stopped\",\"text\":\"asked to stop\"}}");
    return err_kind_exit(ERR_STOPPED);
}

static void
deaf(void)
{
    signal(SIGTERM, SIG_IGN);
    say("{\"started\":{}}");
    for (;;)
        pause();
}

static void
copy(const char *dir, const char *from, const char *to)
{
    char *path = file_join(dir, from);
    struct buf text = {0};
    struct err err;

    if (file_read(&text, path, &err) != 0)
        exit(err_kind_exit(ERR_DATA));
    put(dir, to, buf_str(&text));
    buf_release(&text);
    free(path);
}

static void
resume(const char *dir)
{
    char *path = file_join(dir, "resume");
    struct buf text = {0};
    struct err err;

    if (file_read(&text, path, &err) != 0)
        exit(err_kind_exit(ERR_DATA));
    dprintf(
        3,
        "{\"metrics\":[{\"name\":\"resumed\",\"step\":0,\"value\":%zu,\"unit\":\"\","
        "\"goal\":\"none\"}]}\n",
        text.len);
    buf_release(&text);
    free(path);
}

/* Until the agent grants this process all cores. */
static void
wait_for_all_cores(const char *dir)
{
    char *path = file_join(dir, "threads");
    int32_t granted = 0;

    while (granted != proc_cores()) {
        struct buf text = {0};
        struct err err;
        if (file_read(&text, path, &err) == 0 && text.len == sizeof granted)
            memcpy(&granted, text.data, sizeof granted);
        buf_release(&text);
        usleep(5000);
    }
    free(path);
}

/* Returns an exit code that ends the stage, or -1 to go on. */
static int
act(const char *dir, const char *word)
{
    if (strcmp(word, "start") == 0)
        say("{\"started\":{\"host\":\"test\",\"engine\":\"none\"}}");
    else if (strcmp(word, "metrics") == 0)
        say("{\"metrics\":[{\"name\":\"train/loss\",\"step\":1,\"value\":0.5,\"unit\":\"\","
            "\"goal\":\"min\"},{\"name\":\"train/loss\",\"step\":2,\"value\":0.25,"
            "\"unit\":\"\",\"goal\":\"min\"}]}");
    else if (strcmp(word, "checkpoint") == 0)
        checkpoint(dir);
    else if (strcmp(word, "log") == 0)
        fprintf(stderr, "epoch 1 of 2\n");
    else if (strcmp(word, "model") == 0)
        put(dir, "model.safetensors", "weights");
    else if (strcmp(word, "copy-input") == 0)
        copy(dir, "inputs/teacher.model", "model.safetensors");
    else if (strcmp(word, "result") == 0)
        say("{\"result\":{\"finals\":[{\"name\":\"CA\",\"step\":-1,\"value\":91.5,"
            "\"unit\":\"%\",\"goal\":\"max\"}],\"artifacts\":[{\"name\":\"model\","
            "\"file\":\"model.safetensors\"}]}}");
    else if (strcmp(word, "error") == 0) {
        say("{\"error\":{\"kind\":\"numeric\",\"text\":\"loss is NaN at step 3\"}}");
        return err_kind_exit(ERR_NUMERIC);
    } else if (strcmp(word, "crash") == 0)
        raise(SIGKILL);
    else if (strcmp(word, "exit-7") == 0)
        return 7;
    else if (strcmp(word, "garbage") == 0)
        say("this is {not json");
    else if (strcmp(word, "hang") == 0)
        return hang(dir);
    else if (strcmp(word, "deaf") == 0)
        deaf();
    else if (strcmp(word, "all-cores") == 0)
        wait_for_all_cores(dir);
    else if (strcmp(word, "resume") == 0)
        resume(dir);
    return -1;
}

int
fake_stage(const char *dir)
{
    char *path = file_join(dir, "spec.json"), *save = NULL;
    json_t *spec = NULL;
    struct err err;

    if (json_load(&spec, path, &err) != 0)
        return err_kind_exit(ERR_DATA);
    free(path);
    char *todo = strdup(json_str(json_object_get(spec, "params"), "do", ""));
    json_decref(spec);
    int code = -1;
    for (char *w = strtok_r(todo, " ", &save); code < 0 && w != NULL;
         w = strtok_r(NULL, " ", &save))
        code = act(dir, w);
    free(todo);
    return code < 0 ? 0 : code;
}
