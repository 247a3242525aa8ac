#!/bin/sh
# aarch64.sh ROOT: the engine without oneDNN compiles for another architecture, where its
# kernels take the plain path. Headers of the libraries are this machine's; their
# interfaces are the same. Skips (77) where Debian's gcc-aarch64-linux-gnu is missing.
set -u
cc=aarch64-linux-gnu-gcc
command -v $cc >/dev/null || { echo "skipped: no $cc"; exit 77; }
cd "$1" || exit 1
flags="-std=gnu11 -Wall -Wextra -Werror -D_GNU_SOURCE -DRELUSWEEP_DNNL=0 -I."
flags="$flags $(pkg-config --cflags openblas jansson)"
flags="$flags -idirafter /usr/include -idirafter /usr/include/$(gcc -print-multiarch)"
failed=0
for file in $(find shared/base worker/engine -name '*.c' ! -name 'dnnl*'); do
    # shellcheck disable=SC2086 # flags are words
    $cc $flags -fsyntax-only "$file" || failed=1
done
exit $failed
