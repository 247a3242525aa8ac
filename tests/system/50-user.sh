#!/usr/bin/env bash
# The command line as people use it: help, odd and foreign folders, output that cannot be
# written, two commands at once, Ctrl-C, and a database server that dies under a run.
. "$(dirname "$0")/lib.sh"
cd "$work"

# says CODE TEXT COMMAND...: exit code, and TEXT in what it says on stderr
says() {
    local want=$1 text=$2 said code=0
    shift 2
    said=$("$@" 2>&1 >/dev/null) || code=$?
    same "$want" "$code" "exit code of: $* ($said)"
    contains "$said" "$text" "what it says: $*"
}

# help, wherever one looks for it, in 80 columns
contains "$(relusweep status -h)" "usage: relusweep status [SWEEP]" "-h is --help"
same "$(relusweep run --help)" "$(relusweep help run)" "help VERB is VERB --help"
for verb in run plan status jobs report artifacts doctor db; do
    longest=$(relusweep help $verb | awk '{if (length > n) n = length} END {print n}')
    [ "$longest" -le 80 ] || fail "help of $verb is $longest columns wide"
done
says 2 'relusweep VERB --json' relusweep --json status
says 2 'did you mean' relusweep help statsu

# output and report that cannot be written
code=0
relusweep completion >/dev/full 2>full.err || code=$?
same 1 "$code" "a full disk under stdout is an error"
relusweep completion | head -n 1 >/dev/null || fail "a reader that has seen enough is none"
says 2 '--out' relusweep run "$here/tiny.yaml" --out /proc/nowhere

# state folders with blanks, quotes, and paths too long for a socket
odd=$work/"it's a \\ folder"
relusweep db migrate --state-dir "$odd" 2>/dev/null || fail "a state folder with an odd name"
contains "$(relusweep status --state-dir "$odd" 2>&1)" "no sweeps yet" "an odd name, again"
long=$work/$(printf 'x%.0s' {1..120})
relusweep db migrate --state-dir "$long" 2>/dev/null || fail "a long state path"
rm -rf "$(relusweep db url --state-dir "$long" | sed "s/^host='\([^']*\)'.*/\1/")"
says 3 'choose another' relusweep run "$here/tiny.yaml" --state-dir /proc/nowhere

# an ordinary user: home as it comes, somebody else's folders, a report with no place
if [ "$(id -u)" = 0 ]; then
    install -d -o postgres "$work/home"
    as_user() { runuser -u postgres -- env -i HOME="$work/home" PATH="$PATH" "$BIN/relusweep" "$@"; }
    (cd / && says 3 'there is no database yet' as_user status)
    (cd / && as_user db migrate 2>/dev/null) || fail "a user's home as state folder"
    [ -d "$work/home/.local/state/relusweep/pg" ] || fail "the XDG folder is the default"
    (cd / && says 3 "somebody else's" as_user status --state-dir "$odd")
    mkdir -m 700 "$work/closed"
    says 3 'chmod o+x' relusweep db migrate --state-dir "$work/closed/state"
fi

# a run in the background; a second one is refused and changes nothing
masks_run() {
    [ "$(relusweep status tiny --json 2>/dev/null | jq '[.sweeps[0].running[]? | select(.stage == "mask" and .step > 3)] | length' 2>/dev/null)" = 2 ]
}
relusweep run "$here/tiny.yaml" --set mask_epochs=25 --slots 2 >run.txt 2>run.err &
run=$!
wait_for 300 masks_run
before=$(relusweep jobs tiny --json | jq -c '[.jobs[].digest]')
says 4 'relusweep watch' relusweep run "$here/tiny.yaml"
same "$before" "$(relusweep jobs tiny --json | jq -c '[.jobs[].digest]')" "a refused run changes nothing"

# Ctrl-C ends a watch, not the sweep
"$BIN/relusweep" watch tiny >watch.txt 2>watch.err &
watch=$!
wait_for 20 grep -q running watch.txt
kill -TERM $watch
code=0
wait $watch || code=$?
same 130 "$code" "an interrupted watch exits with 130"

# the server is killed: the run starts it again and goes on without losing an attempt
kill -KILL "$(head -n 1 "$RELUSWEEP_STATE/pg/postmaster.pid")"
wait $run || fail "the run survives its server ($(cat run.err))"
contains "$(cat run.err)" "the database is back" "it says so"
same '[1]' "$(relusweep jobs tiny --json | jq -c '[.jobs[].attempt] | unique')" "no attempt was lost"

# commands that find nothing to do say so; the model is a whole safetensors file
says 0 'nothing to cancel' relusweep cancel tiny
says 0 'nothing to retry' relusweep retry tiny
says 2 '--job' relusweep artifacts tiny --get model
job=$(relusweep jobs tiny --json | jq '[.jobs[] | select(.stage == "finetune")][0].id')
relusweep artifacts "$job" --get model --out model.safetensors >/dev/null
/usr/bin/python3 - <<'P' || fail "the model is a safetensors file"
import json, struct
data = open("model.safetensors", "rb").read()
size = struct.unpack("<Q", data[:8])[0]
head = json.loads(data[8:8 + size])
ends = [t["data_offsets"][1] for name, t in head.items() if name != "__metadata__"]
assert len(data) == 8 + size + max(ends) and "conv1.weight" in head
P

# after all this no server is left running
! pgrep -f "postgres -D $RELUSWEEP_STATE" >/dev/null || fail "a server was left running"
echo "50-user: ok"
