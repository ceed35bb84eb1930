#!/bin/sh
# What takes too long for every change: the whole suite of every build, what it covers, MSan and valgrind,
# other machines, the long forms, and ten minutes of fuzzing for every parser. Hours. Parts can be named:
#
#	sh tests/nightly.sh [check] [matrix] [coverage] [msan] [valgrind] [soak] [fuzz] [nix] [portability]
#
# Each part's verdict is one line; what it printed is in build/nightly/. The last line is
# "N passed, N failed" (", N skipped"), of parts.
set -u
cd "$(dirname "$0")/.." || exit 2
out=build/nightly
mkdir -p "$out"
passed=0 failed=0 skipped=0

part() { # NAME COMMAND...
	name=$1 began=$(date +%s)
	shift
	"$@" >"$out/$name.log" 2>&1
	code=$?
	last=$(tail -n 1 "$out/$name.log")
	last="$last, in $((($(date +%s) - began + 59) / 60)) minutes"
	if [ $code -eq 0 ]; then
		passed=$((passed + 1))
		printf '%-40s ok      %s\n' "$name" "$last"
	else
		failed=$((failed + 1))
		printf '%-40s FAILED  %s\n' "$name" "$last"
	fi
}
skip() { # NAME WHY
	skipped=$((skipped + 1))
	printf '%-40s skipped: %s\n' "$1" "$2"
}

matrix() {
	for features in 'WS_SERVER=1 FS_STORE=1' 'WS_SERVER=1 FS_STORE=0' 'WS_SERVER=0 FS_STORE=1' \
		'WS_SERVER=0 FS_STORE=0' 'HTTP_SERVER=0 FS_STORE=1' 'HTTP_SERVER=0 FS_STORE=0'; do
		# shellcheck disable=SC2086
		part "test $features" make -s test $features
		# shellcheck disable=SC2086
		part "nm $features" make -s features $features
	done
	if printf '#include <bearssl.h>\n' | ${CC:-cc} -xc -fsyntax-only - >/dev/null 2>&1; then
		part 'test TLS=bearssl' make -s test TLS=bearssl
		part 'test TLS=bearssl WS_SERVER=0 FS_STORE=0' make -s test TLS=bearssl WS_SERVER=0 \
			FS_STORE=0
		part 'test TLS=bearssl kqueue' make -s test TLS=bearssl POLLER=kqueue \
			ONLY='unit/io unit/conn e2e/test_tls'
	else
		skip 'test TLS=bearssl' 'libbearssl-dev is not installed'
	fi
	part 'test kqueue' make -s test POLLER=kqueue
	if command -v clang >/dev/null 2>&1; then
		part 'test clang' make -s test CC=clang B=build/nightly/clang
	else
		skip 'test clang' 'clang is not installed'
	fi
}

# Unit tests only: programs and their clients take ten times as long, and limits are of wall clock.
units() { # MODE COMPILER PREFIX...
	mode=$1 compiler=$2
	shift 2
	make -s MODE="$mode" CC="$compiler" B="build/nightly/$mode" ONLY=unit tests || return 1
	find "build/nightly/$mode/tests/unit" -type f -perm -u+x | sort >"$out/$mode.programs"
	bad=0
	while read -r program; do
		"$@" "$program" -j 2 </dev/null || {
			bad=$((bad + 1))
			echo "FAILED  $program"
		}
	done <"$out/$mode.programs"
	echo "$bad test programs failed"
	[ $bad -eq 0 ]
}
msan() {
	command -v clang >/dev/null 2>&1 || {
		skip msan 'clang is not installed'
		return
	}
	WR_TEST_TIME_FACTOR=5 part msan units msan clang env
}
valgrind_units() {
	command -v valgrind >/dev/null 2>&1 || {
		skip valgrind 'it is not installed'
		return
	}
	# Children that a test forks are looked at, programs that it executes are not: those are the
	# system's, and see what valgrind does to an environment and to limits.
	WR_TEST_VALGRIND=1 WR_TEST_TIME_FACTOR=30 part valgrind units plain "${CC:-cc}" \
		valgrind -q --error-exitcode=9 --leak-check=no
}

[ $# -gt 0 ] || set -- check matrix coverage msan valgrind soak fuzz nix portability
for name; do
	case $name in
	check) part check make -s check ;;
	matrix) matrix ;;
	coverage) part coverage make -s coverage ;;
	msan) msan ;;
	valgrind) valgrind_units ;;
	soak) part soak make -s soak ;;
	fuzz) part fuzz make -s fuzz SECONDS=600 ;;
	nix) part nix sh tests/nix/run.sh ;;
	portability) part portability sh tests/portability.sh ;;
	*)
		echo "there is no part $name"
		exit 2
		;;
	esac
done
printf '%d passed, %d failed' $passed $failed
[ $skipped -eq 0 ] || printf ', %d skipped' $skipped
echo
[ $failed -eq 0 ]
