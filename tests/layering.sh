#!/bin/sh
# Fails when a file includes a header from a layer it must not know about.
# usage: layering.sh ROOT
set -eu
cd "$1"
status=0

# forbid DIR PATTERN: no file under DIR includes a path matching PATTERN
forbid() {
    [ -d "$1" ] || return 0
    if grep -rnE --include='*.[ch]' --include='*.cu' "^#include \"($2)" "$1"; then
        echo "layering: $1 must not include $2" >&2
        status=1
    fi
}

# only FILE... may include HEADER
only() {
    header=$1
    shift
    found=$(grep -rlE --include='*.[ch]' "^#include <$header>" shared coordinator worker || true)
    for f in $found; do
        case " $* " in
        *" $f "*) ;;
        *)
            echo "layering: $f must not include <$header>" >&2
            status=1
            ;;
        esac
    done
}

forbid shared             'coordinator/|worker/'
forbid shared/base        'shared/(spec|wire)/'
forbid shared/keys        'shared/(spec|wire)/'
forbid shared/spec        'shared/wire/'
forbid coordinator        'worker/'
forbid coordinator/sweep  'shared/wire/|coordinator/(db|dispatch|store|web|report|cli|launch)/'
forbid coordinator/report 'shared/wire/|coordinator/(db|dispatch|store|web|cli|launch|sweep)/'
forbid coordinator/launch 'shared/wire/|coordinator/(db|dispatch|store|web|cli|sweep)/'
forbid coordinator/db     'shared/wire/|coordinator/(dispatch|store|web|cli|launch|report)/'
forbid coordinator/cli    'shared/wire/|coordinator/(dispatch|store)/'
forbid coordinator/web    'shared/wire/|coordinator/(dispatch|store|cli|launch|sweep)/'
forbid worker             'coordinator/'
forbid worker/engine      'shared/(spec|wire)/|worker/(agent|pipeline|methods|attacks|losses|models|data)/'
forbid worker/models      'shared/wire/|worker/(agent|pipeline|methods|attacks|losses|data)/'
forbid worker/data        'shared/wire/|worker/(agent|pipeline|methods|attacks|losses|models)/'
forbid worker/losses      'shared/wire/|worker/(agent|pipeline|methods|attacks|data|models)/'
forbid worker/attacks     'shared/wire/|worker/(agent|pipeline|methods|data|models|losses)/'
forbid worker/pipeline    'shared/wire/|worker/agent/'
forbid worker/agent       'worker/(pipeline|methods|attacks|losses|models|data|engine)/'
only zmq.h shared/wire/sock.c shared/wire/curve.c shared/wire/zap.c shared/keys/keyfile.c
only libpq-fe.h coordinator/db/pg_impl.h
only event2/http.h coordinator/web/server.c coordinator/web/stream.c coordinator/web/download.c
only dnnl.h worker/engine/cpu/dnnl_prim.h
exit $status
