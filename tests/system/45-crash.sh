#!/usr/bin/env bash
# A program dies as by kill -9 at a named step (shared/base/crash.h), a small sweep goes on
# and must end with the tables of an undisturbed run.
#   45-crash.sh            some points
#   45-crash.sh all        every point, most of them twice, and the database: 5 minutes
#   45-crash.sh NAME:K...  these; `database` is the server
# All artifacts and checkpoints are in files; FILES=0 has them in the database.
. "$(dirname "$0")/lib.sh"
cd "$work"
sweep=(--set mask_epochs=3 --set relu_budget=2k --set train_images=64 --checkpoint-seconds 1)
[ "${FILES:-1}" = 0 ] || sweep+=(--artifact-min-mib 0)
few=(commit-begun:4 commit-done:6 agent-ended:2 blob-file-renamed:2)
# each process counts for itself, and some points are passed once in its life
once=(lead-taken folder-joined queue-read agent-welcome child-exec stage-checkpoint stage-result)
often=(commit-begun commit-done answers-made round-done blob-written agent-granted
    agent-fetched agent-started agent-checkpoint-stored agent-ended agent-stored
    agent-settled agent-forgotten file-written file-renamed blob-file-synced
    blob-file-renamed)

# What must be equal: jobs, their winning attempts' finals and artifacts by digest.
tables() {
    relusweep db psql --state-dir "$1" -- -XAtc "SELECT s.digest, s.stage, j.state
            FROM job j JOIN job_spec s ON s.job = j.id ORDER BY 1;
        SELECT s.digest, k.name, m.value FROM metric_final m
            JOIN metric_key k ON k.id = m.key JOIN job_spec s ON s.job = m.job
            WHERE k.unit <> 'images/s' AND k.unit <> 's' ORDER BY 1, 2;
        SELECT s.digest, a.name, b.size FROM artifact a JOIN blob b ON b.id = a.blob
            JOIN job_spec s ON s.job = a.job WHERE b.stored ORDER BY 1, 2;
        SELECT job FROM attempt WHERE ended_at IS NULL OR outcome IS NULL;
        SELECT job FROM attempt WHERE outcome = 'ok' GROUP BY job HAVING count(*) <> 1;
        SELECT job FROM checkpoint_head;
        SELECT m.job FROM metric m JOIN job j ON j.id = m.job
            GROUP BY m.job, m.attempt, m.key, m.step HAVING count(*) > 1"
}

run_sweep() {
    "$BIN/relusweep" run "$here/tiny.yaml" "${sweep[@]}" --state-dir "$1" --out "$1.report" \
        >"$1.out" 2>"$1.err"
}

# one_point NAME:K
one_point() {
    local state=$work/${1/:/-} start=$SECONDS
    RELUSWEEP_CRASH=$1:$state.died run_sweep "$state" || run_sweep "$state" || {
        tail -n 20 "$state.err" "$state"/*.log >&2
        fail "$1: the sweep does not end"
    }
    tables "$state" >rough.txt
    diff calm.txt rough.txt || fail "$1: the tables differ from those of an undisturbed run"
    relusweep db check --deep --state-dir "$state" >check.txt || fail "$1: $(grep -A 10 BROKEN check.txt)"
    if [ -e "$state.died" ]; then
        echo "$1: died, went on, $((SECONDS - start)) s"
        died=$((died + 1))
    else
        echo "$1: was never passed so often"
    fi
    rm -rf "$state" "$state".*
}

# runs STATE: a stage is under way
runs() {
    relusweep status tiny --json --state-dir "$1" 2>/dev/null |
        jq -e '.sweeps[0].running | length > 0' >/dev/null
}

# An immediate stop is a crash of the server; `run` has to be started again, or goes on.
crash_database() {
    local state=$work/database server control
    run_sweep "$state" &
    local run=$!
    wait_for 60 runs "$state"
    server=$(head -n 1 "$state/pg/postmaster.pid")
    kill -QUIT "$server" || fail "no server to stop"
    timeout 20 tail --pid="$server" -f /dev/null || fail "the server does not stop"
    for control in /usr/lib/postgresql/*/bin/pg_ctl; do :; done
    if [ "$(id -u)" = 0 ]; then
        (cd / && setpriv --reuid="$(stat -c %u "$state/pg")" --clear-groups \
            "$control" -D "$state/pg" -w -l "$state/pg.log" start >/dev/null 2>&1) || true
    else
        "$control" -D "$state/pg" -w -l "$state/pg.log" start >/dev/null 2>&1 || true
    fi
    wait $run || run_sweep "$state" || fail "the sweep does not end after a crash of the database"
    tables "$state" >rough.txt
    diff calm.txt rough.txt || fail "database: the tables differ"
    echo "database: stopped at once, went on"
    died=$((died + 1))
}

died=0
case ${1:-few} in
few) points=("${few[@]}") ;;
all)
    points=("${once[@]/%/:1}" "${often[@]/%/:1}" "${often[@]/%/:3}" database)
    ;;
*) points=("$@") ;;
esac
run_sweep "$work/calm" || fail "undisturbed run"
tables "$work/calm" >calm.txt
[ -s calm.txt ] || fail "the undisturbed run has tables"
for point in "${points[@]}"; do
    if [ "$point" = database ]; then crash_database; else one_point "$point"; fi
done
[ $died -gt 0 ] || fail "nothing died"
echo "45-crash: $died of ${#points[@]} died, tables as undisturbed, $SECONDS s"
