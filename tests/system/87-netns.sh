#!/usr/bin/env bash
# Two workers with keys, each in a network namespace of its own. A route into the void, a
# link that is down, and a worker that dies while its link is down: the coordinator hears
# nothing in each case, the jobs go on elsewhere or here, and the numbers are those of an
# undisturbed run. Needs root and network namespaces; 77: not to be had.
. "$(dirname "$0")/lib.sh"
cd "$work"
id=$((RANDOM % 200))
spaces=("rsa$$" "rsb$$")

remove_spaces() {
    local space
    for space in "${spaces[@]}"; do ip netns del "$space" 2>/dev/null || true; done
}
[ "$(id -u)" = 0 ] && command -v ip >/dev/null && ip netns add "${spaces[0]}" 2>/dev/null || exit 77
trap 'clean_up; remove_spaces' EXIT
ip netns add "${spaces[1]}"

# A link between us, 10.213.<id + n>.1, and namespace n, .2
make_link() {
    local space=${spaces[$1]} net=10.213.$((id + $1))
    ip link add "$space" type veth peer name eth0 netns "$space" || exit 77
    ip addr add "$net.1/24" dev "$space"
    ip link set "$space" up
    ip -n "$space" addr add "$net.2/24" dev eth0
    ip -n "$space" link set eth0 up
}
make_link 0
make_link 1

sweep=("$here/tiny.yaml" --set mask_epochs=30 --set relu_budget=2k)
relusweep run "${sweep[@]}" --state-dir "$work/calm" --out calm-report >/dev/null 2>calm.err ||
    fail "undisturbed run"
numbers tiny "$work/calm" >calm.txt

relusweep db migrate 2>/dev/null || fail "migrate"
relusweep db psql -- -qAt -c 'SELECT pg_sleep(600)' >/dev/null 2>&1 & # it stays up
database=$(relusweep db url)
mkdir lab node
relusweep keys new coordinator --keys lab >/dev/null 2>&1 || fail "new coordinator"
key=$(relusweep keys new worker --keys node 2>/dev/null) || fail "new worker"
cp lab/coordinator.pub node/
relusweep keys allow "$key" --name node --keys lab 2>/dev/null || fail "allow"
# one job may be lost three times here, which is not its fault
"$BIN/relusweep-coordinator" --database "$database" --listen 'tcp://0.0.0.0:*' \
    --listen-bulk 'tcp://0.0.0.0:*' --keys lab --ready-file ready.json --max-lost 100 \
    2>coordinator.log &
wait_for 30 test -s ready.json
port=$(jq -r .control ready.json | sed 's/.*://')

declare -A agents=()
start_worker() {
    ip netns exec "${spaces[$1]}" "$BIN/relusweep-worker" agent --keys node \
        --connect "tcp://10.213.$((id + $1)).1:$port" --name "w$1" --slots 1 --threads 1 \
        --work-dir "$work/agent$1" --checkpoint-seconds 1 2>>"agent$1.log" &
    agents[$1]=$!
}
query() { relusweep db psql -- -XAtc "$1"; }
# runs_at N: worker N has a job
runs_at() { [ "$(query "SELECT count(*) FROM job j JOIN worker w ON w.id = j.worker WHERE j.state = 'leased' AND w.name = 'node/w$1'")" -gt 0 ]; }
is_lost() { grep -q 'action=session-ended' <(tail -n +"$((seen + 1))" coordinator.log); }
look_from_here() { seen=$(wc -l <coordinator.log); }

start_worker 0
relusweep submit "${sweep[@]}" >/dev/null 2>submit.err || fail "submit: $(cat submit.err)"

# half open: what the worker says arrives, what it is told goes into the void
wait_for 60 runs_at 0
look_from_here
ip route add blackhole "10.213.$((id)).2/32"
wait_for 30 is_lost
echo "blackhole: the worker was given up"
start_worker 1
wait_for 60 runs_at 1
ip route del blackhole "10.213.$((id)).2/32"

# nothing passes, and both ends find out by themselves
look_from_here
ip -n "${spaces[1]}" link set eth0 down
wait_for 30 is_lost
echo "link down: the worker was given up"
wait_for 60 runs_at 0
ip -n "${spaces[1]}" link set eth0 up

# a machine that is switched off says no goodbye
look_from_here
ip -n "${spaces[0]}" link set eth0 down
kill -KILL "${agents[0]}"
wait_for 30 is_lost
echo "half-open: the worker was given up"

is_done() { [ "$(query "SELECT count(*) FROM job WHERE state <> 'succeeded'")" = 0 ]; }
wait_for 200 is_done
numbers tiny "$RELUSWEEP_STATE" >rough.txt
diff calm.txt rough.txt || fail "the numbers differ from those of an undisturbed run"
same "" "$(query "SELECT job FROM attempt WHERE outcome = 'ok' GROUP BY job HAVING count(*) > 1")" \
    "one success for each job"
echo "87-netns: ok, $(query 'SELECT count(*) FROM attempt') attempts of $(query 'SELECT count(*) FROM job') jobs"
