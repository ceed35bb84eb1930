#!/bin/sh
# What the programs weigh: stripped static files, and what is resident after the start (design 9), in
# lines name,bytes. With musl-gcc they are built with it, -Os; else what is in WR_BUILD is looked at.
set -eu
cd "$(dirname "$0")/.."
folder=${WR_BUILD:-build/release}
libc=glibc
if command -v musl-gcc >/dev/null 2>&1; then
	make -s CC=musl-gcc LDFLAGS=-static CFLAGS=-Os B=build/size all >/dev/null
	folder=build/size libc=musl
fi
work=$(mktemp -d)
pid=
trap 'kill $pid 2>/dev/null || true; rm -rf "$work"' EXIT
echo "name,bytes"
for program in worker-runtime workspace-server; do
	[ -x "$folder/$program" ] || continue
	strip -o "$work/$program" "$folder/$program"
	echo "$program.$libc.stripped,$(wc -c <"$work/$program")"
	case $program in
	worker-runtime) set -- --bind 127.0.0.1:0 ;;
	*) set -- --listen 127.0.0.1:0 --workspace "$work" --no-local ;;
	esac
	mkfifo "$work/told.$program"
	"$work/$program" "$@" 2>"$work/told.$program" &
	pid=$!
	# It has started when it says so.
	exec 3<"$work/told.$program"
	while read -r line <&3; do case $line in *"listening on"*) break ;; esac; done
	echo "$program.$libc.resident,$(awk '/^VmRSS/ {print $2 * 1024}' /proc/$pid/status)"
	kill $pid
	wait $pid 2>/dev/null || true
	exec 3<&-
done
