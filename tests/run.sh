#!/bin/sh
# Runs every test program given as an argument, WR_TEST_PROGRAMS at a time, and adds up their last
# lines. What a program printed besides is shown when it fails or skips something.
# The last line is "N passed, N failed" (", N skipped" when something could not be tested here).
results=$(mktemp -d) || exit 2
trap 'rm -rf "$results"' EXIT
export results

# One program: its verdict is printed, and kept with what it printed.
one='
	program=$1
	name=$(printf t%s "${program##*/tests/}" | tr / .)
	"$program" >"$results/$name.log" 2>&1
	code=$?
	last=$(tail -n 1 "$results/$name.log")
	case $last in
	*" passed, "*" failed, "*" skipped") sed -i.all "\$d" "$results/$name.log" ;;
	*)
		last="0 passed, 1 failed, 0 skipped"
		echo "FAILED  $program ended with code $code and without a verdict" >>"$results/$name.log"
		;;
	esac
	case $code$last in
	0*) ;;
	*" 0 failed"*) last="${last%%,*}, 1 failed, 0 skipped" ;; # it says well and ends badly
	esac
	echo "$last" >"$results/$name.verdict"
	printf "%-44s %s\n" "${program##*/tests/}" "$last"'

# Those that measure time or memory have the machine for themselves.
alone='e2e/test_cli|e2e/test_store_slow'
printf '%s\n' "$@" | grep -Ev "/($alone)\$" | xargs -r -P "${WR_TEST_PROGRAMS:-2}" -n 1 sh -c "$one" sh
printf '%s\n' "$@" | grep -E "/($alone)\$" | xargs -r -n 1 sh -c "$one" sh

cat "$results"/*.log 2>/dev/null
cat "$results"/*.verdict 2>/dev/null | awk '
	{ passed += $1; failed += $3; skipped += $5 }
	END {
		printf "%d passed, %d failed", passed, failed
		if (skipped) printf ", %d skipped", skipped
		printf "\n"
		exit (failed > 0)
	}'
