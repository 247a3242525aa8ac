#!/usr/bin/env bash
# The leading coordinator's machine is gone, which no connection tells: PostgreSQL gives its
# lock up, and the standby leads. The leader is in a network namespace whose link goes
# down. Needs root and network namespaces; 77: not to be had.
. "$(dirname "$0")/lib.sh"
cd "$work"
space=rsl$$
net=10.214.$((RANDOM % 200))
port=$((20000 + RANDOM % 10000))
for tools in /usr/lib/postgresql/*/bin; do :; done

end() {
    as_postgres "$tools/pg_ctl" -D "$work/pg" -m immediate stop >/dev/null 2>&1 || true
    clean_up
    ip netns del "$space" 2>/dev/null || true
}
as_postgres() { (cd / && setpriv --reuid=postgres --regid=postgres --clear-groups "$@"); }
[ "$(id -u)" = 0 ] && command -v ip >/dev/null && ip netns add "$space" 2>/dev/null || exit 77
trap end EXIT
ip link add "$space" type veth peer name eth0 netns "$space" || exit 77
ip addr add "$net.1/24" dev "$space"
ip link set "$space" up
ip -n "$space" addr add "$net.2/24" dev eth0
ip -n "$space" link set eth0 up

mkdir pg
chown postgres pg
as_postgres "$tools/initdb" -D "$work/pg" -A trust -U postgres >/dev/null || fail "initdb"
echo "host all all $net.0/24 trust" >>pg/pg_hba.conf
as_postgres "$tools/pg_ctl" -D "$work/pg" -w -l "$work/pg/log" -o \
    "-c listen_addresses=$net.1 -c port=$port -c unix_socket_directories='' -c fsync=off" \
    start >/dev/null || fail "start PostgreSQL"

# coordinator NAME COMMAND...: in the way that the command says
coordinator() {
    local name=$1
    shift
    "$@" "$BIN/relusweep-coordinator" --listen "ipc://$work/$name" \
        --database "host=$net.1 port=$port user=postgres dbname=postgres" \
        --listen-bulk "ipc://$work/$name.bulk" --ready-file "$name.json" 2>"$name.log" &
}
coordinator one ip netns exec "$space"
one=$!
wait_for 60 test -s one.json
coordinator two env
wait_for 60 grep -q 'state=waiting' two.log
ip -n "$space" link set eth0 down
kill -KILL $one
began=$(date +%s%N)
wait_for 60 grep -q 'state=leading' two.log
echo "88-leader: the standby leads $((($(date +%s%N) - began) / 1000000)) ms after the leader's machine was gone"
