#!/usr/bin/env bash
# Sets the machine up and runs the whole test suite, as many tests at a time as there are
# cores. Arguments are passed on to ctest, for example: ./test.sh -L unit
set -euo pipefail
cd "$(dirname "$0")"
# the engine is tested with the profiles that it sets itself
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
scripts/setup.sh build/test build run test -- -DCMAKE_BUILD_TYPE=Release -DRELUSWEEP_WERROR=ON
ctest --test-dir build/test --output-on-failure --no-tests=error --parallel "$(nproc)" "$@"
