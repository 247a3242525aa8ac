/* locate.c - where data lie and caches may lie. Only looks; opens nothing. */
#include "worker/data/locate.h"

#include <stdlib.h>

#include "shared/base/buf.h"
#include "shared/base/file.h"
#include "shared/base/mem.h"

enum { MAX_PLACES = 4 };

static const char *
env(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && *value != '\0' ? value : NULL;
}

/* Fills `places` with folders to look into; the caller frees each. */
static int
list_places(char *places[MAX_PLACES], const char *dir)
{
    const char *named = dir != NULL && *dir != '\0' ? dir : env("RELUSWEEP_DATA");
    const char *xdg = env("XDG_DATA_HOME"), *home = env("HOME");
    int n = 0;

    if (named != NULL) {
        places[n++] = xstrdup(named);
        return n;
    }
    if (xdg != NULL)
        places[n++] = file_join(xdg, "relusweep/data");
    if (home != NULL)
        places[n++] = file_join(home, ".local/share/relusweep/data");
    places[n++] = xstrdup("./data");
    places[n++] = xstrdup("/usr/share/datasets");
    return n;
}

char *
locate_file(const char *folder, const char *name)
{
    char *path = file_join(folder, name);

    if (file_exists(path))
        return path;
    char *zipped = xasprintf("%s.gz", path);
    free(path);
    if (file_exists(zipped))
        return zipped;
    free(zipped);
    return NULL;
}

static bool
holds_one_of(const char *folder, const char *const *files)
{
    for (; *files != NULL; files++) {
        char *path = locate_file(folder, *files);
        free(path);
        if (path != NULL)
            return true;
    }
    return false;
}

static char *
find_layout(const char *place, const char *const *layouts, const char *const *files)
{
    for (; *layouts != NULL; layouts++) {
        char *folder = **layouts != '\0' ? file_join(place, *layouts) : xstrdup(place);
        if (holds_one_of(folder, files))
            return folder;
        free(folder);
    }
    return NULL;
}

char *
locate_folder(const char *dir, const char *const *layouts, const char *const *files)
{
    char *places[MAX_PLACES], *found = NULL;
    const int n = list_places(places, dir);

    for (int i = 0; i < n; i++) {
        if (found == NULL)
            found = find_layout(places[i], layouts, files);
        free(places[i]);
    }
    return found;
}

char *
locate_own_folder(const char *dir)
{
    char *places[MAX_PLACES];
    const int n = list_places(places, dir);

    for (int i = 1; i < n; i++)
        free(places[i]);
    return places[0];
}

char *
locate_cache_folder(void)
{
    const char *named = env("RELUSWEEP_CACHE"), *xdg = env("XDG_CACHE_HOME");
    const char *home = env("HOME");

    if (named != NULL)
        return xstrdup(named);
    if (xdg != NULL)
        return file_join(xdg, "relusweep");
    return home != NULL ? file_join(home, ".cache/relusweep") : NULL;
}

int
locate_missing(const char *dir, const char *where, struct err *err)
{
    char *places[MAX_PLACES];
    const int n = list_places(places, dir);
    struct buf list = {0};

    for (int i = 0; i < n; i++) {
        buf_printf(&list, "%s%s", i > 0 ? ", " : "", places[i]);
        free(places[i]);
    }
    err_set(err, ERR_DATA, "its files are missing (looked in %s); %s", buf_str(&list),
            where);
    buf_release(&list);
    return -1;
}
