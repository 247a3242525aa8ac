/* registry.c - the attacks that can be asked for by name, and their random start. */
#include <string.h>

#include "worker/attacks/attack.h"
#include "worker/engine/rng.h"

/* One line per attack; the definitions are in the files named beside them. */
/* clang-format off */
#define ATTACKS(X) \
    X(pgd_7,    "pgd-7")    /* pgd.c */ \
    X(pgd_20,   "pgd-20")   /* pgd.c */ \
    X(fgsm,     "fgsm")     /* fgsm.c */ \
    X(apgd_ce,  "apgd-ce")  /* apgd.c */ \
    X(kl_pgd_7, "kl-pgd-7") /* kl_pgd.c */
/* clang-format on */

#define DECLARE(id, label) extern const struct attack attack_##id;
ATTACKS(DECLARE)

#define ENTRY(id, label) &attack_##id,
const struct attack *const attacks[] = {ATTACKS(ENTRY) NULL};

#define LABEL(id, label) label,
const char *const attack_names[] = {ATTACKS(LABEL) NULL};

const char *const attack_side_names[] =
    {[ATTACK_SIDE_CLEAN] = "clean", [ATTACK_SIDE_ADV] = "adv", NULL};

const struct attack *
attack_find(const char *name)
{
    for (const struct attack *const *a = attacks; *a != NULL; a++)
        if (strcmp((*a)->name, name) == 0)
            return *a;
    return NULL;
}

void
attack_start(float *start, int64_t n, int64_t per_image, const int64_t *sample,
             uint64_t seed, uint32_t epoch)
{
    for (int64_t i = 0; i < n; i++) {
        struct rng r = rng_stream(seed, RNG_ATTACK, epoch, (uint64_t)sample[i]);
        float *start_i = start + i * per_image;
        for (int64_t j = 0; j < per_image; j++)
            start_i[j] = 2 * rng_uniform(&r) - 1;
    }
}
