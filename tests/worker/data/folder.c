/* folder.c - files for the tests of the data readers. */
#include "tests/worker/data/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "shared/base/file.h"

void
folder_init(struct folder *f)
{
    const char *tmp = getenv("TMPDIR");

    (void)snprintf(f->path, sizeof f->path, "%s/data_test.XXXXXX",
                   tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(f->path));
}

void
folder_release(struct folder *f)
{
    struct err err;

    assert_int_equal(file_remove_tree(f->path, &err), 0);
}

struct folder folder;

int
folder_setup(void **state)
{
    (void)state;
    folder_init(&folder);
    return 0;
}

int
folder_teardown(void **state)
{
    (void)state;
    folder_release(&folder);
    return 0;
}

const char *
folder_write(const struct folder *f, const char *name, const void *bytes, size_t n,
             int zipped)
{
    static char path[512];
    struct err err;

    (void)snprintf(path, sizeof path, "%s/%s", f->path, name);
    *strrchr(path, '/') = '\0';
    assert_int_equal(file_make_dirs(path, &err), 0);
    path[strlen(path)] = '/';
    gzFile file = gzopen(path, zipped ? "wb1" : "wbT");
    assert_non_null(file);
    if (n > 0)
        assert_int_equal(gzwrite(file, bytes, (unsigned)n), (int)n);
    assert_int_equal(gzclose(file), Z_OK);
    return path;
}
