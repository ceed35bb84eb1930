#!/bin/sh
# Counts the user instructions of worker-runtime, and of workspace-server over one remote, for one request
# and for one delivered frame, with valgrind: two runs of different length, whose difference has no start
# in it. Exact to about 1 %; holds for this compiler and libc only. Opt-in: needs valgrind, and the
# programs built.
#
#	make all build/release/bench/drive && sh bench/instructions.sh
#
# Prints name,instructions. A frame's figure is that of an event to 101 subscribers less one to 1
# subscriber, over 100. What the Runtime of a Backend does is not counted. Goals (design 9): GET 900; POST to one subscriber 2,500; frame 120 alone, 12 in
# bursts.
set -eu
cd "$(dirname "$0")/.."
WR_BUILD=${WR_BUILD:-build/release}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
WR_BENCH_PREFIX="valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null --log-file=$folder/log"
export WR_BUILD WR_BENCH_PREFIX

# total COMMAND...: instructions of one run
total() {
	"$WR_BUILD/bench/drive" "$@" || exit 1
	sed -n 's/.*I *refs: *//p' "$folder/log" | tr -d ,
}

# each NAME SHORT LONG KIND [SUBSCRIBERS BURST]: instructions per item
each() {
	kind=$1 short=$2 long=$3
	shift 3
	a=$(total "$kind" "$short" "$@")
	b=$(total "$kind" "$long" "$@")
	echo $(((b - a) / (long - short)))
}

echo "name,instructions"
for kind in healthz get_worker get_runtime post_input; do
	echo "$kind,$(each $kind 1600 8000)"
done
# frames KIND EVENT_NAME FRAME_NAME [BURST...]
frames() {
	kind=$1 frame=$3
	first=$(each $kind 640 3200 1 1)
	many=$(each $kind 160 800 101 1)
	echo "$2,$first"
	echo "${frame}_burst1,$(((many - first) / 100))"
	shift 3
	for burst in "$@"; do
		one=$(each "$kind" 1280 6400 1 "$burst")
		many=$(each "$kind" 1280 6400 101 "$burst")
		awk "BEGIN { printf \"${frame}_burst$burst,%.2f\\n\", ($many - $one) / 100 }"
	done
}
frames fanout post_to_event_at_one_subscriber frame 32 128
[ -x "$WR_BUILD/workspace-server" ] || exit 0
for kind in backend_healthz backend_get_workers; do
	echo "$kind,$(each $kind 800 4000)"
done
# No bursts: how many events meet in one turn is up to two processes there, not the same each time.
frames relay relayed_event_at_one_browser relayed_frame
