#!/usr/bin/env bash
# A sweep under fire: every second or so something is killed with -9, stopped for longer
# than a lease, or the database crashes. Then it is left alone and has to end with the
# numbers of an undisturbed run, and with a history in the database that adds up.
#   40-chaos.sh              one round of 25 s under fire
#   40-chaos.sh SECONDS      longer rounds of more work until so many seconds have passed
# SEED repeats the choices, FIRE sets the seconds under fire of a round, FILES=1 has all
# artifacts and checkpoints in files.
. "$(dirname "$0")/lib.sh"
budget=${1:-1}
fire=${FIRE:-25}
seed=${SEED:-$(date +%s)}
RANDOM=$seed
echo "40-chaos: SEED=$seed"
cd "$work"
sweep=(--set mask_epochs=12 --set teacher_epochs=3 --set train_images=64
    --set relu_budget=2k --checkpoint-seconds 1)
[ -z "${FILES:-}" ] || sweep+=(--artifact-min-mib 0)
if [ "$budget" -gt 60 ]; then
    fire=${FIRE:-60}
    sweep+=(--set mask_epochs=60 --set teacher_epochs=12 --set finetune_epochs=6
        --set "relu_budget=2k,6k")
fi

# The programs again, with a coordinator that does not quarantine: here it is not the job
# that kills its workers.
real=$BIN
mkdir bin
cp "$real/relusweep" bin/
ln -s "$real/relusweep-worker" bin/relusweep-worker
cat >bin/relusweep-coordinator <<EOF
#!/bin/sh
exec "$real/relusweep-coordinator" "\$@" --max-lost 100000
EOF
chmod +x bin/relusweep-coordinator
BIN=$work/bin

query() { relusweep db psql --state-dir "$1" -- -XAtc "$2"; }

# All final metrics by the digest of their job, exactly as they are stored.
finals() {
    query "$1" "SELECT s.digest, s.stage, k.name, m.value FROM metric_final m
        JOIN metric_key k ON k.id = m.key JOIN job_spec s ON s.job = m.job
        WHERE k.unit <> 'images/s' AND k.unit <> 's' ORDER BY 1, 3"
}

# expect_none WHAT SQL: the query finds nothing
expect_none() {
    local found
    found=$(query "$state" "$2")
    [ -z "$found" ] || fail "$1 (SEED=$seed, round $round):
$found"
}

check_history() {
    expect_none "jobs that have not succeeded" \
        "SELECT id, state FROM job WHERE state <> 'succeeded'"
    relusweep db check --deep --state-dir "$state" >check.txt ||
        fail "db check (SEED=$seed, round $round):
$(grep -A 10 BROKEN check.txt)"
    expect_none "jobs that others need and that have left no model" \
        "SELECT d.parent FROM job_dep d WHERE NOT EXISTS (SELECT 1 FROM artifact a
         WHERE a.job = d.parent AND a.name = 'model')"
    expect_none "batches of a curve that are missing" \
        "SELECT a.job, a.attempt, a.metric_seq, count(DISTINCT m.seq) FROM attempt a
         LEFT JOIN metric m ON (m.job, m.attempt) = (a.job, a.attempt)
         GROUP BY a.job, a.attempt HAVING count(DISTINCT m.seq) <> a.metric_seq"
    expect_none "progress of jobs that do not run" "SELECT job, attempt FROM progress"
}

pids() { pgrep -f "$1.*$state" || true; }

kill_all() {
    local pid
    for pid in $(pids "$1"); do kill -KILL "$pid" 2>/dev/null || true; done
}

kill_command() {
    kill -KILL "$run" 2>/dev/null || true
    wait "$run" 2>/dev/null || true
}

# Stops processes for longer than a lease; they find out what they have missed.
freeze() {
    local pid
    for pid in $1; do kill -STOP "$pid" 2>/dev/null || true; done
    sleep 4
    for pid in $1; do kill -CONT "$pid" 2>/dev/null || true; done
}

# An immediate stop is a crash: the server starts with recovery.
crash_database() {
    local server control
    server=$(head -n 1 "$state/pg/postmaster.pid" 2>/dev/null) || return 0
    for control in /usr/lib/postgresql/*/bin/pg_ctl; do :; done
    kill -QUIT "$server" 2>/dev/null || return 0
    timeout 20 tail --pid="$server" -f /dev/null || fail "the database does not stop"
    sleep "0.$((RANDOM % 10))"
    if [ "$(id -u)" = 0 ]; then
        (cd / && setpriv --reuid="$(stat -c %u "$state/pg")" --clear-groups \
            "$control" -D "$state/pg" -w -l "$state/pg.log" start >/dev/null 2>&1) || true
    else
        "$control" -D "$state/pg" -w -l "$state/pg.log" start >/dev/null 2>&1 || true
    fi
}

running() { kill -0 "$run" 2>/dev/null; }

declare -A shots=()
shoot() {
    local what
    case $((RANDOM % 16)) in
    0 | 1 | 2 | 3) what=agent && kill_all 'relusweep-worker agent' ;;
    4 | 5 | 6 | 7) what=stage && kill_all 'relusweep-worker stage' ;;
    8 | 9 | 10 | 11) what=coordinator && kill_all relusweep-coordinator ;;
    12) what=agent-frozen && freeze "$(pids 'relusweep-worker agent')" ;;
    13) what=coordinator-frozen && freeze "$(pids relusweep-coordinator)" ;;
    14) what=database && crash_database ;;
    15) what=the-command && kill_command ;;
    esac
    shots[$what]=$((${shots[$what]:-0} + 1))
}

start() {
    "$BIN/relusweep" run "$here/tiny.yaml" "${sweep[@]}" --state-dir "$state" \
        --out "$state.report" >>"$state.out" 2>>"$state.err" &
    run=$!
}

one_round() {
    local end=$((SECONDS + fire)) tries=0
    state=$work/round$round
    start
    while [ $SECONDS -lt $end ]; do
        sleep "$((RANDOM % 2)).$((RANDOM % 10))"
        shoot
        running || if wait $run 2>/dev/null; then break; else start; fi
    done
    until wait $run 2>/dev/null; do # in peace, it ends
        tries=$((tries + 1))
        [ $tries -le 3 ] || fail "the sweep does not end, see below
$(tail -n 5 "$state.err" "$state"/*.log)"
        start
    done
    check_history
    finals "$state" >rough.txt
    diff calm.txt rough.txt || fail "the numbers differ from those of an undisturbed run (SEED=$seed, round $round)"
    echo "round $round: $(query "$state" 'SELECT count(*) FROM attempt') attempts of $(query "$state" 'SELECT count(*) FROM job') jobs: $(query "$state" "SELECT string_agg(o, ', ') FROM (SELECT outcome || ' ' || count(*) o FROM attempt GROUP BY outcome ORDER BY 1) x"), coordinators: $(query "$state" 'SELECT epoch FROM leader')"
    rm -rf "$state"
}

round=0
state=$work/calm
relusweep run "$here/tiny.yaml" "${sweep[@]}" --state-dir "$state" --out calm-report >/dev/null 2>calm.err ||
    fail "undisturbed run"
check_history
finals "$state" >calm.txt
[ -s calm.txt ] || fail "the undisturbed run has numbers"
while [ $round -eq 0 ] || [ $SECONDS -lt "$budget" ]; do
    round=$((round + 1))
    one_round
done
for what in "${!shots[@]}"; do echo "  $what: ${shots[$what]}"; done
echo "40-chaos: ok"
