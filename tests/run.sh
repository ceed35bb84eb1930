#!/bin/sh
# Runs every test program given as an argument and adds up their last lines.
# The last line is "N passed, N failed" (", N skipped" when something could not be tested here).
passed=0 failed=0 skipped=0
log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT
for program; do
	"$program" >"$log" 2>&1
	code=$?
	sed '$d' "$log"
	last=$(tail -n 1 "$log")
	case $last in
	*" passed, "*" failed, "*" skipped") ;;
	*)
		printf '%s\n' "$last"
		last="0 passed, 1 failed, 0 skipped"
		echo "FAILED  $program ended with code $code and without a verdict"
		;;
	esac
	printf '%-44s %s\n' "${program##*/tests/}" "$last"
	# shellcheck disable=SC2086
	set -- $last
	passed=$((passed + $1)) failed=$((failed + $3)) skipped=$((skipped + $5))
	[ "$code" -eq 0 ] || [ "$3" -gt 0 ] || failed=$((failed + 1))
done
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
