#ifndef WORKER_DATA_AUGMENT_NO_FMA_H
#define WORKER_DATA_AUGMENT_NO_FMA_H

/* For a source that repeats Pillow's arithmetic bit for bit: Pillow is compiled without
 * fused multiply-add, which rounds once where a product and a sum round twice. Include
 * it last. */
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#else
#pragma GCC optimize("fp-contract=off")
#endif

#endif
