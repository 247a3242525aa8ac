/* listing.c - what lies in a folder. */
#include "worker/data/listing.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "shared/base/file.h"
#include "shared/base/mem.h"

static bool
is_folder(const char *folder, const struct dirent *entry)
{
    struct stat st;

    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
        return entry->d_type == DT_DIR;
    char *path = file_join(folder, entry->d_name);
    const bool found = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    free(path);
    return found;
}

static bool
is_picture_name(const char *name)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png"};
    const char *ending = strrchr(name, '.');

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (ending != NULL && strcasecmp(ending, endings[i]) == 0)
            return true;
    return false;
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int
listing_read(struct listing *out, const char *folder, enum listing_kind kind,
             struct err *err)
{
    DIR *dir = opendir(folder);

    *out = (struct listing){0};
    if (dir == NULL) {
        err_sys(err, "open folder %s", folder);
        err->kind = ERR_DATA;
        return -1;
    }
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.' || is_folder(folder, e) != (kind == LISTING_FOLDERS)
            || (kind == LISTING_PICTURES && !is_picture_name(e->d_name)))
            continue;
        out->names = xgrow(out->names, &out->capacity, out->n + 1, sizeof *out->names);
        out->names[out->n++] = xstrdup(e->d_name);
    }
    closedir(dir);
    if (out->n > 0)
        qsort(out->names, out->n, sizeof *out->names, compare_names);
    return 0;
}

void
listing_release(struct listing *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->names[i]);
    free(l->names);
    *l = (struct listing){0};
}
