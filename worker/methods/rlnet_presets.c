/*
 * rlnet_presets.c - every row of RLNet's tables 3 to 6 and figures 4, 5 and 7 by name.
 * A row names only what it changes; the rest are the method's defaults. Which masks the
 * rows without cross-entropy started from is not published: as the released file names
 * suggest, from a search without it, so that all of them share one.
 */
#include "worker/methods/rlnet_presets.h"

#include <stddef.h>

#define NO_CE  "mask_loss=kl "
#define ROBUST "bn=dual teacher_loss=ce teacher_views=clean,aug,adv"
#define ALONE(view)                                                       \
    "bn=single teacher_loss=ce teacher_views=" view                       \
    " mask_loss=ce+kl mask_views=" view " loss=ce+kl+pram ce_views=" view \
    " kl_views=" view

const struct method_preset rlnet_presets[] = {
    {"rlnet/released", "the method as its code has it",
     "loss=ce+kl+pram mask_loss=ce+kl loss_weights=released pram_form=released"},
    {"rlnet/paper", "the method as the paper's equations have it",
     "loss=ce+kl+pram mask_loss=ce+kl loss_weights=paper pram_form=paper"},

    {"table3/Train_CE", "cross-entropy on all views, attacked by it",
     NO_CE "loss=ce attack=pgd-7"},
    {"table3/Train_CEKL",
     "cross-entropy on clean and augmented, distillation on adversarial images",
     NO_CE "loss=2/3*ce+1/3*kl ce_views=clean,aug kl_views=adv attack=pgd-7"},
    {"table3/Train_KL", "distillation on all views", NO_CE "loss=kl"},

    {"table4/T1-kl", "distillation at temperature 1", NO_CE "loss=kl temperature=1"},
    {"table4/T4-kl", "distillation at temperature 4", NO_CE "loss=kl temperature=4"},
    {"table4/T1-kl+pram", "with PRAM at temperature 1",
     NO_CE "loss=kl+pram temperature=1"},
    {"table4/T4-kl+pram", "with PRAM at temperature 4",
     NO_CE "loss=kl+pram temperature=4"},

    {"table5/kl", "L_kl", NO_CE "loss=kl"},
    {"table5/kl+pram(x)", "L_kl, PRAM(x)", NO_CE "loss=kl+pram pram_views=clean"},
    {"table5/kl+pram(x,xaug)", "L_kl, PRAM(x), PRAM(x_aug)",
     NO_CE "loss=kl+pram pram_views=clean,aug"},
    {"table5/kl+pram(x,xaug,xadv)", "L_kl, PRAM(x), PRAM(x_aug), PRAM(x_adv)",
     NO_CE "loss=kl+pram pram_views=clean,aug,adv"},
    {"table5/kl+ce+pram(x,xaug)", "L_kl, L_ce, PRAM(x), PRAM(x_aug): the method",
     "mask_loss=ce+kl loss=ce+kl+pram pram_views=clean,aug"},
    {"table5/kl+ce+pram(x,xaug,xadv)", "L_kl, L_ce, PRAM(x), PRAM(x_aug), PRAM(x_adv)",
     "mask_loss=ce+kl loss=ce+kl+pram pram_views=clean,aug,adv"},

    {"table6/without-ce", "the method without L_ce", NO_CE "loss=kl+pram"},
    {"table6/with-ce", "the method", "mask_loss=ce+kl loss=ce+kl+pram"},

    {"fig4/rlnet", "teacher of RLNet: clean, augmented, adversarial; two batch norms",
     ROBUST},
    {"fig4/standard", "teacher on clean images",
     "bn=single teacher_loss=ce "
     "teacher_views=clean"},
    {"fig4/augmix", "teacher on AugMix images",
     "bn=single teacher_loss=ce "
     "teacher_views=aug"},
    {"fig4/pgdat", "teacher by adversarial training, half clean",
     "bn=single teacher_loss=ce teacher_views=clean,adv"},
    {"fig4/trades", "teacher by TRADES",
     "bn=single teacher_loss=1*ce+6*trades teacher_views=clean teacher_temperature=4"},

    {"fig5/pgdat+rslad", "single batch norm, distilled by RSLAD from a PGDAT teacher",
     "bn=single teacher_loss=ce teacher_views=clean,adv mask_loss=kl "
     "mask_views=clean,adv loss=kl kl_views=clean,adv"},

    {"fig7a/dual", "two batch norms, L_kl", "bn=dual mask_loss=kl loss=kl"},
    {"fig7a/triple", "a batch norm for each view, L_kl",
     "bn=triple mask_loss=kl loss=kl"},

    {"fig7b/standard", "a network for clean images only",
     ALONE("clean") " pram_views=clean"},
    {"fig7b/augmix", "a network for augmented images only",
     ALONE("aug") " pram_views=aug"},
    {"fig7b/pgdat", "a network for clean and adversarial images only",
     ALONE("clean,adv") " pram_views=clean"},
    {NULL, NULL, NULL},
};
