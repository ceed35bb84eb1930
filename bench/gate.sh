#!/bin/sh
# The instruction gate: counts user instructions (instructions.sh) and compares them with the ones in
# bench/baseline.csv; more than 3 % above is a failure, more than 3 % below is said, so that the
# baseline is moved. Counts hold for one compiler, libc and processor: elsewhere all are skipped, with
# the reason. `sh bench/gate.sh --write` writes a new baseline.
# The last line is "N passed, N failed" (", N skipped").
set -u
cd "$(dirname "$0")/.." || exit 2
baseline=bench/baseline.csv
where="$(${CC:-cc} -dumpfullversion 2>/dev/null), $(getconf GNU_LIBC_VERSION 2>/dev/null), $(uname -m)"
count=$(grep -c '^[a-z]' "$baseline" 2>/dev/null || echo 0)

skip() { # WHY
	echo "skipped: $1"
	echo "0 passed, 0 failed, $count skipped"
	exit 0
}
command -v valgrind >/dev/null 2>&1 || skip 'valgrind is not installed'
if [ "${1-}" != --write ] && ! grep -qxF "# $where" "$baseline"; then
	skip "the baseline is of another compiler, libc or processor than $where"
fi
counts=$(mktemp) && again=$(mktemp) || exit 2
trap 'rm -f "$counts" "$again"' EXIT
sh bench/instructions.sh >"$counts" || exit 1
if [ "${1-}" = --write ]; then
	{ echo "# $where" && tail -n +2 "$counts"; } >"$baseline"
	exit 0
fi
judge() { # FILE...: the lowest count of each figure
	cat "$@" | awk -F, -v baseline="$baseline" '
		BEGIN { while ((getline line < baseline) > 0) { split(line, f, ","); if (line !~ /^#/) expected[f[1]] = f[2] } }
		/^name,/ { next }
		!($1 in lowest) { order[++n] = $1; lowest[$1] = $2 }
		$2 < lowest[$1] { lowest[$1] = $2 }
		END {
			for (i = 1; i <= n; i++) {
				name = order[i]
				if (!(name in expected)) { print name " is not in the baseline"; failed++; continue }
				ratio = lowest[name] / expected[name]
				word = ratio > 1.03 ? "FAILED" : ratio < 0.97 ? "less: move the baseline" : "ok"
				printf "%-36s %10s  %+.1f %%  %s\n", name, lowest[name], (ratio - 1) * 100, word
				if (ratio > 1.03) failed++; else passed++
				delete expected[name]
			}
			for (name in expected) { print name " was not counted"; failed++ }
			printf "%d passed, %d failed\n", passed, failed
			exit (failed > 0)
		}'
}
# How events meet in a turn is not the same each time: a failure has to happen twice.
judge "$counts" >"$again.verdict" || { sh bench/instructions.sh >"$again" && judge "$counts" "$again" >"$again.verdict"; }
code=$?
cat "$again.verdict"
rm -f "$again.verdict"
exit $code
