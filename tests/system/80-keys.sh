#!/usr/bin/env bash
# Workers with keys over TCP: one that is not allowed hears why, one that is runs jobs, and
# one whose key is revoked is out within seconds.
. "$(dirname "$0")/lib.sh"
cd "$work"

# a database that stays up while we work
relusweep db migrate 2>/dev/null || fail "migrate"
relusweep db psql -- -qAt -c 'SELECT pg_sleep(60)' >/dev/null 2>&1 &
database=$(relusweep db url)

mkdir lab node
relusweep keys new coordinator --keys lab >/dev/null 2>&1 || fail "new coordinator"
key=$(relusweep keys new worker --keys node 2>/dev/null) || fail "new worker"
cp lab/coordinator.pub node/
same 600 "$(stat -c %a node/worker.key)" "a secret is its owner's"
same 4 "$(relusweep keys new worker --keys node >/dev/null 2>&1 || echo $?)" "a key is not replaced"

"$BIN/relusweep-coordinator" --database "$database" --listen 'tcp://0.0.0.0:*' \
    --listen-bulk 'tcp://0.0.0.0:*' --keys lab --ready-file ready.json 2>coordinator.log &
coordinator=$!
wait_for 20 test -s ready.json
port=$(jq -r .control ready.json | sed 's/.*://')
connect=tcp://127.0.0.1:$port

"$BIN/relusweep-worker" agent --connect "$connect" --keys node --work-dir "$work/agent" 2>agent.log &
agent=$!
wait_for 20 grep -q "does not allow this worker's key" agent.log
wait_for 5 grep -q 'action=refused' coordinator.log

relusweep keys allow "$key" --name gpu1 --keys lab 2>/dev/null || fail "allow"
contains "$(relusweep keys list --keys lab)" gpu1 "the list has it"
connected() { relusweep status --json 2>/dev/null | jq -e '.workers | length == 1' >/dev/null; }
wait_for 20 connected
contains "$(relusweep status --json | jq -r '.workers[0].name')" gpu1/ "its name begins with the key's"

relusweep keys revoke gpu1 --keys lab 2>/dev/null || fail "revoke"
code=0
wait $agent || code=$?
same 4 "$code" "a revoked worker ends as refused"
contains "$(cat agent.log)" revoked "and says why"

chmod 644 lab/coordinator.key
code=0
"$BIN/relusweep-coordinator" --database "$database" --listen 'tcp://0.0.0.0:*' --keys lab \
    2>loose.log || code=$?
same 4 "$code" "a secret that others may read is refused"
contains "$(cat loose.log)" "mode 644" "with the mode"
kill $coordinator
wait $coordinator || fail "the coordinator ends well"
kill %1 2>/dev/null || true
