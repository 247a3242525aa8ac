#!/usr/bin/env bash
# The page in Debian's Chromium, driven by playwright-core. Skipped (77) without browser,
# node or npm. $NODE_DIR: folder for npm's packages; BIG=1 measures with 100,000 jobs.
set -euo pipefail
CHROMIUM=$(command -v chromium || true)
export CHROMIUM
if [ -z "$CHROMIUM" ] || ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "skipped: needs chromium, nodejs and npm"
    exit 77
fi
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/system/lib.sh
. "$here/../system/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)

mkdir -p "$NODE_DIR"
cp "$here/package.json" "$NODE_DIR/"
cd "$NODE_DIR"
if [ ! -d node_modules/playwright-core ] || [ ! -d node_modules/axe-core ]; then
    npm install --no-audit --no-fund >npm.log 2>&1 || {
        echo "skipped: npm cannot install playwright-core and axe-core"
        exit 77
    }
fi

relusweep db migrate 2>/dev/null || fail "migrate"
database=$(relusweep db url)
PSQL="$BIN/relusweep db psql -- -qAt -v ON_ERROR_STOP=1"
export PSQL WEB_PID=$work/web.pid
echo 'SELECT pg_sleep(900)' | $PSQL >/dev/null 2>&1 & # keeps the server up
$PSQL <"$here/hostile.sql" || fail "hostile.sql"
[ -z "${BIG:-}" ] || $PSQL -1 <"$here/big.sql" || fail "big.sql"

# start LISTEN: in the background, its address in ready.json
start() {
    rm -f "$work/ready.json"
    "$BIN/relusweep-web" --database "$database" --listen "$1" --ready-file "$work/ready.json" \
        2>>"$work/web.log" &
    echo $! >"$WEB_PID"
    wait_for 20 test -s "$work/ready.json"
}
start 127.0.0.1:0
port=$(jq -r .port "$work/ready.json")
cat >"$work/restart" <<END
kill \$(cat "$WEB_PID"); tail --pid=\$(cat "$WEB_PID") -f /dev/null
"$BIN/relusweep-web" --database "$database" --listen 127.0.0.1:$port >/dev/null 2>>"$work/web.log" &
echo \$! >"$WEB_PID"
END
BASE=http://127.0.0.1:$port RESTART="bash $work/restart" node "$here/page.mjs" "$@" || {
    cat "$work/web.log" >&2
    exit 1
}
