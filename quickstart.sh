#!/usr/bin/env bash
# Everything from a fresh Debian 12 machine to a Pareto report: packages, build, and the
# sweep of sweeps/quickstart.yaml. Run it again after an interruption and it goes on.
# Arguments are passed on to `relusweep run`.
set -euo pipefail
cd "$(dirname "$0")"
scripts/setup.sh build/release build run -- -DCMAKE_BUILD_TYPE=Release -DRELUSWEEP_TESTS=OFF
exec build/release/bin/relusweep run sweeps/quickstart.yaml "$@"
