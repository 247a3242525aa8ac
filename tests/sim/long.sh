#!/bin/sh
# A million histories on all cores: long.sh BUILD [HISTORIES [FIRST]]. A build with
# -DRELUSWEEP_SANITIZE=address,undefined finds more, and takes ten times as long.
set -eu
build=${1:?build folder}
exec "$build/tests/sim" --seeds "${2:-1000000}" --first "${3:-1000000}" --processes "$(nproc)"
