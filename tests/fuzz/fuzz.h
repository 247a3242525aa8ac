#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * What every target of this folder defines: hands size bytes to one decoder and frees
 * what comes out. Returns 0; whatever is wrong must crash. The name is libFuzzer's.
 * Without libFuzzer, replay.c calls it on the files of seeds/.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
