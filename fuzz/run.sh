#!/bin/sh
# Fuzzes targets that are built, FUZZ_JOBS (1) at a time: `sh fuzz/run.sh FOLDER SECONDS TARGET...`.
# What libFuzzer says of one target is shown; of several it is in FOLDER/TARGET.log, and shown when
# the target failed. New inputs stay in FOLDER/found/TARGET, what fails is written to
# fuzz/crashes/TARGET. An input is a request, a line or a file, not a bulk of data.
# The last line is "N passed, N failed", of targets.
set -u
folder=$1 seconds=$2
shift 2
passed=0 failed=0
export folder seconds

# shellcheck disable=SC2016
one='
	target=$1
	mkdir -p "$folder/found/$target" "fuzz/corpus/$target" "fuzz/crashes/$target"
	rm -f "$folder/$target.failed"
	"$folder/fuzz/$target" "-dict=fuzz/dict/$target.dict" "-max_total_time=$seconds" \
		-max_len=4096 -timeout=20 -rss_limit_mb=1024 -print_final_stats=1 \
		"-artifact_prefix=fuzz/crashes/$target/" ${FUZZ_FLAGS:-} \
		"$folder/found/$target" "fuzz/corpus/$target" || echo "$target" >"$folder/$target.failed"
	rmdir "fuzz/crashes/$target" 2>/dev/null
	exit 0'
if [ $# -eq 1 ]; then
	sh -c "$one" sh "$1"
else
	# shellcheck disable=SC2016
	printf '%s\n' "$@" | xargs -P "${FUZZ_JOBS:-1}" -n 1 sh -c '
		sh -c "$0" sh "$1" >"$folder/$1.log" 2>&1
		[ ! -e "$folder/$1.failed" ] || tail -n 40 "$folder/$1.log"
		runs=$(sed -n "s/^stat::number_of_executed_units: *//p" "$folder/$1.log")
		printf "%-20s %10s inputs\n" "$1" "${runs:-?}"' "$one"
fi
for target; do
	if [ -e "$folder/$target.failed" ]; then
		failed=$((failed + 1))
		echo "FAILED  $target"
	else
		passed=$((passed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
