/* share.c - how many threads may work now; bits never depend on it. */
#include "worker/pipeline/share.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/base/file.h"

void
share_follow(struct share *s, const char *dir, struct team *team)
{
    char *path = file_join(dir, "threads");
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;

    *s = (struct share){0};
    free(path);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_size == (off_t)sizeof(int32_t)) {
        void *word = mmap(NULL, sizeof(int32_t), PROT_READ, MAP_SHARED, fd, 0);
        s->word = word != MAP_FAILED ? word : NULL;
    }
    close(fd);
    team_limit(team, s->word);
}

void
share_release(struct share *s)
{
    if (s->word != NULL)
        munmap(s->word, sizeof(int32_t));
    s->word = NULL;
}
