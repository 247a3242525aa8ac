#!/usr/bin/env bash
# Pause, resume, priority, limits, needs and on_failure on real programs; a standby
# coordinator takes over running jobs; PostgreSQL is away; SIGUSR2 hands back.
#   AWAY=70 85-control.sh    PostgreSQL is away for 70 s instead of 3
. "$(dirname "$0")/lib.sh"
cd "$work"

# a database that stays up while we work
relusweep db migrate 2>/dev/null || fail "migrate"
relusweep db psql -- -qAt -c 'SELECT pg_sleep(120)' >/dev/null 2>&1 &
keeper=$!
database=$(relusweep db url)
sql() { relusweep db psql -- -qAt -c "$1" 2>/dev/null; }
why() { relusweep explain "$1" --json | jq -r .why; }

{
    sed 's/^name: tiny/name: held/' "$here/tiny.yaml"
    echo 'limits: {jobs: 1}'
    echo 'needs: {memory: 1M}'
    echo 'timeout: {teacher: 10m}'
    echo 'on_failure: stop'
    echo 'order: spread'
} >held.yaml
relusweep submit held.yaml --set teacher_epochs=10000 >/dev/null 2>&1 || fail "submit"
teacher=$(sql "SELECT job FROM job_spec WHERE stage = 'teacher' ORDER BY job LIMIT 1")
contains "$(why "$teacher")" "no worker is connected" "explain without a worker"
code=0
relusweep submit held.yaml --set name=x,y >/dev/null 2>&1 || code=$?
echo 'limits: {jbs: 1}' | cat "$here/tiny.yaml" - >wrong.yaml
contains "$(relusweep plan wrong.yaml 2>&1 || true)" 'did you mean `jobs`?' "a wrong key of limits"

relusweep pause held 2>/dev/null || fail "pause"
contains "$(why "$teacher")" "sweep held was paused by a person" "explain of a held job"

coordinator() {
    "$BIN/relusweep-coordinator" --database "$database" --listen "ipc://$work/$1" \
        --listen-bulk "ipc://$work/$1.bulk" --ready-file "$1.json" 2>"$1.log" &
}
coordinator one
one=$!
wait_for 20 test -s one.json
coordinator two
two=$!
wait_for 20 grep -q 'state=waiting' two.log
start_agent() {
    "$BIN/relusweep-worker" agent --connect "ipc://$work/one,ipc://$work/two" --slots 2 \
        --checkpoint-seconds 1 --work-dir "$work/agent" --cores-dir "$work/cores" 2>>agent.log &
    agent=$!
}
start_agent
connected() { relusweep status --json | jq -e '.workers | length == 1' >/dev/null; }
wait_for 20 connected
same 0 "$(sql "SELECT count(*) FROM job WHERE attempt > 0")" "nothing of a paused sweep runs"

relusweep limit held --most 0 2>/dev/null || fail "limit"
relusweep resume held 2>/dev/null || fail "resume"
contains "$(why "$teacher")" "waits for a limit: at most 0 jobs of sweep held" "explain of a limit"
contains "$(relusweep status)" "LIMIT OF SWEEP" "status lists the limits"
relusweep priority held --to 7 2>/dev/null || fail "priority"
same 7 "$(sql "SELECT min(priority) FROM job")" "the priority is there"
relusweep limit held --most 1 2>/dev/null || fail "limit again"
leased() { [ "$(sql "SELECT count(*) FROM attempt WHERE started_at IS NOT NULL AND ended_at IS NULL")" = 1 ]; }
wait_for 30 leased

# the leader dies: the other one adopts the running job
attempts=$(sql "SELECT sum(attempt) FROM job")
began=$(date +%s%N)
kill -KILL $one
wait_for 10 grep -q 'session=.*running=1' two.log
took=$((($(date +%s%N) - began) / 1000000))
echo "takeover: the running job is adopted after $took ms"
same "$attempts" "$(sql "SELECT sum(attempt) FROM job")" "the running job was adopted, not restarted"

# the database is away for AWAY seconds: the job goes on, and memory stays where it was
rss() { awk '/VmRSS/ {print $2}' "/proc/$two/status"; }
before=$(rss)
server=$(head -n 1 "$RELUSWEEP_STATE/pg/postmaster.pid")
kill -QUIT "$server" || fail "stop PostgreSQL"
timeout 20 tail --pid="$server" -f /dev/null || fail "the database does not stop"
sleep "${AWAY:-3}"
after=$(rss)
[ "$after" -lt $((before + 8192)) ] || fail "the coordinator grew from $before to $after KiB"
relusweep db psql -- -qAt -c 'SELECT pg_sleep(120)' >/dev/null 2>&1 &
keeper=$!
again() { [ "$(grep -c 'state=leading' two.log)" = 2 ]; }
wait_for 30 again
wait_for 20 leased
same "$attempts" "$(sql "SELECT sum(attempt) FROM job")" "the job went on while the database was away"

# running jobs stop for a pause with a checkpoint, and go on from there
wait_for 20 test "$(sql "SELECT count(*) FROM job WHERE state = 'leased'")" = 1
relusweep pause held --running 2>/dev/null || fail "pause --running"
idle() { [ "$(sql "SELECT count(*) FROM job WHERE state = 'leased'")" = 0 ]; }
wait_for 30 idle
same 0 "$(sql "SELECT count(*) FROM job WHERE state = 'ready'")" "all is held"
relusweep resume held 2>/dev/null || fail "resume"
wait_for 30 leased

# a worker that is told to go hands its job back
kill -USR2 $agent
code=0
wait $agent || code=$?
same 0 "$code" "a worker leaves well at SIGUSR2"
left() { [ "$(sql "SELECT count(*) FROM attempt WHERE outcome = 'preempted'")" -ge 1 ]; }
wait_for 10 left
same 0 "$(sql "SELECT max(n_error + n_lost) FROM job")" "which costs the job nothing"

# a failure stops the sweep, and nothing is lost
start_agent
wait_for 30 leased
sql "UPDATE job SET n_error = 2 WHERE state = 'leased'" >/dev/null
pid=$(sql "SELECT pid FROM attempt WHERE ended_at IS NULL AND started_at IS NOT NULL")
kill -SEGV "$pid" || fail "no stage to kill"
stopped() { relusweep status --json | jq -e '.sweeps[0].paused | strings | contains("on_failure")' >/dev/null; }
wait_for 20 stopped
relusweep retry held --failed 2>/dev/null || fail "retry --failed"
relusweep resume held 2>/dev/null || fail "resume after a stop"
wait_for 30 leased
relusweep cancel held --now 2>/dev/null || fail "cancel"
cancelled() { [ "$(sql "SELECT count(*) FROM attempt WHERE outcome = 'cancelled'")" = 1 ]; }
wait_for 20 cancelled

kill $agent $two
wait $agent $two || fail "the programs end well"
kill $keeper 2>/dev/null || true
echo "85-control: ok"
