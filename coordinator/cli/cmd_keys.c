/*
 * cmd_keys.c - keys of coordinators and workers: made here, allowed on the coordinator's
 * machine. They are files (shared/keys/); no database is needed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cli/cmd.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/keys/allow.h"

struct keys_config {
    const char *keys, *name;
    bool json;
};

static const struct param keys_params[] = {
    PARAM_ROW_STRING(struct keys_config, keys, "",
                     "folder of the keys; default RELUSWEEP_KEYS, else relusweep/keys "
                     "in the XDG configuration folder"),
    PARAM_ROW_STRING(struct keys_config, name, "",
                     "allow: what this worker is called in lists and logs"),
    PARAM_ROW_BOOL(struct keys_config, json, "false", "list: print one JSON document"),
};

struct keys_run {
    const struct keys_config *config;
    char *dir, *allowed;
    const char *word; /* the argument behind the verb, or NULL */
};

static int
need_word(const struct keys_run *k, const char *what, struct err *err)
{
    return k->word != NULL ? 0 : err_set(err, ERR_USAGE, "%s", what);
}

/* ---- new -------------------------------------------------------------------------- */

static int
keys_new(const struct keys_run *k, struct err *err)
{
    char print[KEY_FINGERPRINT];
    struct keypair pair;

    if (need_word(k, "write `keys new coordinator` or `keys new worker`", err) != 0)
        return -1;
    if (strcmp(k->word, "coordinator") != 0 && strcmp(k->word, "worker") != 0)
        return err_set(err, ERR_USAGE,
                       "`keys new %s`: a key is for a `coordinator` or for a `worker`",
                       k->word);
    if (keyfile_new(&pair, k->dir, k->word, err) != 0)
        return -1;
    key_fingerprint(print, pair.public_key);
    puts(pair.public_key);
    fprintf(stderr, "made %s/%s.key (keep it secret) and %s.pub, fingerprint %s\n",
            k->dir, k->word, k->word, print);
    if (strcmp(k->word, "worker") == 0)
        fprintf(stderr,
                "on the coordinator's machine: relusweep keys allow '%s' --name NAME\n"
                "from there to here: its coordinator.pub, into %s\n",
                pair.public_key, k->dir);
    else
        fprintf(stderr, "give coordinator.pub to the machines of workers\n");
    return EXIT_OK;
}

/* ---- allow and revoke ------------------------------------------------------------- */

static int
keys_allow(const struct keys_run *k, struct err *err)
{
    char key[KEY_TEXT], print[KEY_FINGERPRINT];

    if (need_word(
            k, "write `keys allow KEY --name NAME`; KEY is a public key or a file", err)
        != 0)
        return -1;
    if (k->config->name[0] == '\0')
        return err_set(err, ERR_USAGE, "keys allow: --name says whose key this is");
    if (key_is_text(k->word))
        snprintf(key, sizeof key, "%s", k->word);
    else if (keyfile_read_public(key, k->word, err) != 0)
        return -1;
    if (allow_add(k->allowed, k->config->name, key, err) != 0)
        return -1;
    key_fingerprint(print, key);
    fprintf(stderr, "%s may connect, fingerprint %s\n", k->config->name, print);
    return EXIT_OK;
}

static int
keys_revoke(const struct keys_run *k, struct err *err)
{
    if (need_word(k, "write `keys revoke NAME`", err) != 0
        || allow_remove(k->allowed, k->word, err) != 0)
        return -1;
    fprintf(stderr,
            "%s may not connect any more; its jobs run elsewhere in a few seconds\n",
            k->word);
    return EXIT_OK;
}

/* ---- list ------------------------------------------------------------------------- */

static void
print_one(void *ctx, const char *name, const char *key)
{
    char print[KEY_FINGERPRINT];

    key_fingerprint(print, key);
    if (ctx != NULL)
        json_array_append_new(ctx, json_pack("{s:s, s:s, s:s}", "name", name, "key",
                                             key, "fingerprint", print));
    else
        printf("%-24s %s\n", name, print);
}

static int
keys_list(const struct keys_run *k, struct err *err)
{
    json_t *list = k->config->json ? json_array() : NULL;
    const int rc = allow_list(k->allowed, print_one, list, err);

    if (rc == 0 && list != NULL)
        cmd_print_json(list);
    json_decref(list);
    return rc == 0 ? EXIT_OK : -1;
}

/* ---- the verb --------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*run)(const struct keys_run *k, struct err *err);
} verbs[] = {{"new", keys_new},
             {"allow", keys_allow},
             {"revoke", keys_revoke},
             {"list", keys_list}};

static int
keys_verb(struct cmd_ctx *ctx, const void *config, const char **words, size_t n_words,
          struct err *err)
{
    struct keys_run k = {.config = config, .word = n_words > 1 ? words[1] : NULL};
    int rc = -1;

    (void)ctx;
    k.dir = k.config->keys[0] != '\0' ? xstrdup(k.config->keys) : keys_default_dir();
    if (k.dir == NULL)
        return err_set(err, ERR_USAGE,
                       "neither XDG_CONFIG_HOME nor HOME is set; give --keys FOLDER");
    k.allowed = file_join(k.dir, "allowed");
    size_t i = 0;
    while (i < sizeof verbs / sizeof verbs[0] && strcmp(words[0], verbs[i].name) != 0)
        i++;
    if (i < sizeof verbs / sizeof verbs[0])
        rc = verbs[i].run(&k, err);
    else
        err_set(err, ERR_USAGE,
                "`keys %s` is not known; write `keys new`, `allow`, `revoke` or `list`",
                words[0]);
    free(k.dir);
    free(k.allowed);
    return rc;
}

const struct cmd cmd_keys = {
    .name = "keys",
    .usage = "new coordinator|worker | allow KEY --name NAME | revoke NAME | list",
    .doc = "who may connect from other machines",
    .group = "System",
    .params = keys_params,
    .n_params = PARAM_COUNT(keys_params),
    .config_size = sizeof(struct keys_config),
    .min_words = 1,
    .max_words = 2,
    .run = keys_verb,
};
