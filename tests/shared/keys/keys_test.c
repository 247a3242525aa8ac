/* Key files and the folder of allowed keys. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "shared/base/clock.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "shared/keys/allow.h"

static char dir[] = "/tmp/relusweep-keys-XXXXXX";

static int
make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL;
}

static int
remove_dir(void **state)
{
    struct err err;

    (void)state;
    return file_remove_tree(dir, &err);
}

static char *
path_of(const char *name)
{
    return file_join(dir, name);
}

static void
a_new_pair_can_be_read_again(void **state)
{
    struct keypair made, read;
    char public[KEY_TEXT], *secret = path_of("coordinator.key");
    char *pub = path_of("coordinator.pub");
    struct stat st;
    struct err err;

    (void)state;
    assert_int_equal(keyfile_new(&made, dir, "coordinator", &err), 0);
    assert_int_equal(keyfile_read_secret(&read, secret, &err), 0);
    assert_string_equal(read.public_key, made.public_key);
    assert_string_equal(read.secret_key, made.secret_key);
    assert_int_equal(keyfile_read_public(public, pub, &err), 0);
    assert_string_equal(public, made.public_key);
    assert_int_equal(stat(secret, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(keyfile_new(&made, dir, "coordinator", &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    free(secret);
    free(pub);
}

static void
a_secret_that_others_may_read_is_refused(void **state)
{
    char *secret = path_of("loose.key");
    struct keypair pair;
    struct err err;

    (void)state;
    assert_int_equal(keyfile_new(&pair, dir, "loose", &err), 0);
    assert_int_equal(chmod(secret, 0640), 0);
    assert_int_equal(keyfile_read_secret(&pair, secret, &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    assert_non_null(strstr(err.text, "mode 640"));
    free(secret);
}

static void
what_is_no_key_is_named(void **state)
{
    char *path = path_of("junk.pub"), key[KEY_TEXT];
    struct err err;

    (void)state;
    assert_int_equal(file_write(path, "relusweep-public 1 short\n", 25, &err), 0);
    assert_int_equal(keyfile_read_public(key, path, &err), -1);
    assert_non_null(strstr(err.text, "junk.pub"));
    assert_false(key_is_text("short"));
    assert_false(key_is_text(
        "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""));
    assert_int_equal(key_check_name("../up", &err), -1);
    assert_int_equal(key_check_name(".hidden", &err), -1);
    assert_int_equal(key_check_name("gpu-1.lab", &err), 0);
    free(path);
}

/* Asks until the answer is `wanted`, at most for twenty seconds. */
static bool
becomes(struct allow *a, const char *key, bool wanted, char name[ALLOW_NAME])
{
    for (int i = 0; i < 1000; i++) {
        if (allow_find(a, key, name) == wanted)
            return true;
        clock_pause_ms(20);
    }
    return false;
}

static void
count(void *ctx, const char *name, const char *key)
{
    (void)key;
    assert_string_equal(name, "gpu1");
    ++*(int *)ctx;
}

static void
a_key_counts_from_when_it_is_allowed_until_it_is_revoked(void **state)
{
    char *allowed = path_of("allowed"), name[ALLOW_NAME] = "";
    struct allow *a = allow_open(allowed);
    struct keypair pair, other;
    struct err err;
    int n = 0;

    (void)state;
    assert_int_equal(keyfile_new(&pair, dir, "worker", &err), 0);
    assert_int_equal(keyfile_new(&other, dir, "other", &err), 0);
    assert_false(allow_find(a, pair.public_key, name));
    assert_int_equal(allow_add(allowed, "gpu1", pair.public_key, &err), 0);
    assert_true(becomes(a, pair.public_key, true, name));
    assert_string_equal(name, "gpu1");
    assert_false(allow_find(a, other.public_key, name));
    /* a name stands for one key */
    assert_int_equal(allow_add(allowed, "gpu1", other.public_key, &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    assert_int_equal(allow_list(allowed, count, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_int_equal(allow_remove(allowed, "gpu1", &err), 0);
    assert_true(becomes(a, pair.public_key, false, name));
    assert_int_equal(allow_remove(allowed, "gpu1", &err), -1);
    assert_int_equal(err.kind, ERR_USAGE);
    allow_close(a);
    free(allowed);
}

/* As when the file system's clock did not tick between the two changes. */
static void
a_change_that_left_the_folders_time_as_it_was_is_seen(void **state)
{
    char *allowed = path_of("quick"), name[ALLOW_NAME] = "";
    struct allow *a = allow_open(allowed);
    struct keypair pair;
    struct stat st;
    struct err err;

    (void)state;
    assert_int_equal(keyfile_new(&pair, dir, "quick", &err), 0);
    assert_int_equal(allow_add(allowed, "gpu1", pair.public_key, &err), 0);
    assert_true(allow_find(a, pair.public_key, name));
    assert_int_equal(stat(allowed, &st), 0);
    assert_int_equal(allow_remove(allowed, "gpu1", &err), 0);
    const struct timespec same[2] = {st.st_atim, st.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, allowed, same, 0), 0);
    assert_true(becomes(a, pair.public_key, false, name));
    allow_close(a);
    free(allowed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_pair_can_be_read_again),
        cmocka_unit_test(a_secret_that_others_may_read_is_refused),
        cmocka_unit_test(what_is_no_key_is_named),
        cmocka_unit_test(a_key_counts_from_when_it_is_allowed_until_it_is_revoked),
        cmocka_unit_test(a_change_that_left_the_folders_time_as_it_was_is_seen),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
