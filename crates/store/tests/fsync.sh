#!/bin/sh
# Shows with strace that an embedded store syncs the disk before each acknowledgement.
#
# store-acknowledge writes "ack ..." to its standard output once a commit has returned. In the trace
# of its system calls, between one such line and the one before there must be a finished fsync or
# fdatasync of the commit log, and it must come after the log was written. With several tasks a sync
# may serve several commits: then each line must lie behind a sync that began after its task's
# line before.
#
# Usage: crates/store/tests/fsync.sh [fjall|sled]...   (needs strace; apt-get install strace)
set -eu

engines=${*:-fjall}
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../../.."

if ! command -v strace >/dev/null; then
    echo "error: expected strace to be installed: apt-get install strace" >&2
    exit 2
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT INT TERM

for engine in $engines; do
    features=
    [ "$engine" = fjall ] || features="--features $engine"
    # shellcheck disable=SC2086 # none, or two words
    binary=$(cargo build --quiet --package store --bin store-acknowledge $features \
        --message-format=json-render-diagnostics |
        sed -n 's/.*"executable":"\([^"]*store-acknowledge\)".*/\1/p')

    for tasks in 1 8; do
        count=100
        folder=$scratch/$engine-$tasks
        trace=$scratch/$engine-$tasks.trace
        strace -f -y -s 40 -e trace=write,fsync,fdatasync,sync_file_range -o "$trace" \
            "$binary" "$engine:$folder" "$count" "$tasks" >/dev/null

        # Calls that another thread interrupts come in two lines: "... <unfinished ...>", and later
        # "<... fdatasync resumed>) = 0" of the same process number.
        awk -v engine="$engine" -v tasks="$tasks" -v count="$count" '
            function fail(text) { print "FAILED: " engine ", " tasks " tasks: " text; failed = 1; exit 1 }
            /f(data)?sync\(.*commits-.*<unfinished/ { begun[$1] = ++syncs_begun; next }
            /<\.\.\. f(data)?sync resumed.*= 0/ && ($1 in begun) { finish(begun[$1]); delete begun[$1]; next }
            /f(data)?sync\(.*commits-.*= 0/ { finish(++syncs_begun); next }
            function finish(number) { syncs++; if (number > last) last = number }
            /write\(1<.*"ack [0-9]+ [0-9]+/ {
                match($0, /"ack [0-9]+/)
                task = substr($0, RSTART + 5, RLENGTH - 5)
                # A sync that began after this task printed the line before, and is finished now.
                if (last <= seen[task] + 0) fail("line " NR ": acknowledged without a sync: " $0)
                seen[task] = syncs_begun
                acknowledged++
            }
            END {
                if (failed) exit 1
                if (acknowledged != tasks * count) fail("expected " tasks * count " acknowledgements, found " acknowledged)
                if (tasks > 1 && syncs >= acknowledged) fail("no sync served two commits")
                print "ok: " engine ", " tasks " tasks: " acknowledged " acknowledgements, " syncs " syncs of the commit log"
            }
        ' "$trace"
    done
done
