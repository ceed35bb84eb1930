#!/bin/sh
# What was not selected is in no program and library of a build, and what was is in the programs:
# `sh tests/features.sh FOLDER HTTP_SERVER WS_SERVER FS_STORE TLS` (1 or 0 each), called by `make
# features` with those of the build. Programs are looked at unstripped. The last line is
# "N passed, N failed".
set -u
folder=$1 http=$2 ws=$3 store=$4 tls=$5
nm=${NM:-nm}
passed=0 failed=0
symbols=$(mktemp) || exit 2
trap 'rm -f "$symbols"' EXIT

verdict() { # CODE FILE WHAT
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED  %s: %s\n' "$2" "$3"
	fi
}
# Names that begin so, defined or asked for.
feature() { # FILE IS_SELECTED NAME PATTERN
	found=$(grep -E "^($4)" "$symbols" | head -n 3 | tr '\n' ' ')
	if [ "$2" = 1 ]; then
		[ -n "$found" ]
		verdict $? "$1" "it was built with $3 and has nothing of it"
	else
		[ -z "$found" ]
		verdict $? "$1" "it was built without $3 and has $found"
	fi
}
look() { # FILE
	"$nm" "$1" 2>/dev/null | awk 'NF >= 2 {print $NF}' >"$symbols"
	[ -s "$symbols" ]
	verdict $? "$1" 'it has no symbols'
}

look "$folder/libworker-runtime.a"
feature "$folder/libworker-runtime.a" 0 'HTTP_SERVER, FS_STORE and the system calls' \
	'wr_(http|ws|json|fs|record|tls|reactor|stream_|listener|fanout|process)_|br_|pthread_|socket$|open$'
for program in worker-runtime workspace-server; do
	wanted=$http
	[ $program = worker-runtime ] || wanted=$ws
	if [ "$wanted" = 0 ]; then
		[ ! -e "$folder/$program" ]
		verdict $? "$folder/$program" 'it was not selected'
		continue
	fi
	look "$folder/$program"
	feature "$folder/$program" 1 HTTP_SERVER 'wr_http_'
	feature "$folder/$program" "$ws" WS_SERVER 'wr_ws_|wr_fanout_'
	feature "$folder/$program" "$store" FS_STORE 'wr_fs_|wr_record_|wr_posix_disk_'
	feature "$folder/$program" "$tls" TLS=bearssl 'wr_tls_|br_'
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
