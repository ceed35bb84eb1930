#!/bin/sh
# Runs every benchmark and prints one comma-separated line for each figure; see bench.h. What is told to
# people goes to stderr. WR_BENCH_ITERS=N sets the rounds, `sh bench/run.sh rest` runs some only.
set -eu
cd "$(dirname "$0")/.."
WR_BUILD=${WR_BUILD:-build/release}
export WR_BUILD

echo "name,min,median,max,unit,ratio"
for program in ${*:-micro rest replay fanout relay idle append restart tls}; do
	# Some are not in every build.
	[ -x "$WR_BUILD/bench/$program" ] || continue
	"$WR_BUILD/bench/$program"
done
