/*
 * replay.c - runs a fuzz target once on each file of the folders that are named: seeds
 * and inputs that crashed once stay tests where there is no libFuzzer.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/base/buf.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"
#include "tests/fuzz/fuzz.h"

static int
replay_file(const char *folder, const char *name)
{
    char *path = file_join(folder, name);
    struct buf bytes = {0};
    struct err err;

    const int rc = file_read(&bytes, path, &err);
    if (rc == 0)
        LLVMFuzzerTestOneInput((const uint8_t *)buf_str(&bytes), bytes.len);
    else
        fprintf(stderr, "%s\n", err.text);
    buf_release(&bytes);
    free(path);
    return rc;
}

/* Files that were replayed; -1 where one could not be read. */
static int
replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    int files = 0;

    while (dir != NULL && files >= 0 && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        files = replay_file(folder, entry->d_name) == 0 ? files + 1 : -1;
    }
    if (dir != NULL)
        closedir(dir);
    return files;
}

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const int files = replay_folder(argv[i]);
        if (files <= 0) {
            fprintf(stderr, "%s: no file to replay\n", argv[i]);
            return 1;
        }
        printf("%s: %d files\n", argv[i], files);
    }
    return 0;
}
