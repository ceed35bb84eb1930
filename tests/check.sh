#!/bin/sh
# The gates that need no run of the program. Each prints its verdict; the last line is
# "N passed, N failed" (", N skipped" when a tool is not installed).
passed=0 failed=0 skipped=0
out=build/check
mkdir -p "$out"
# io/tls needs BearSSL, and so is looked at by gates of its own, with what else knows of TLS.
sources=$(find src -name '*.c' ! -name 'poller_kqueue.c' ! -path 'src/io/tls/*')
headers=$(find src -name '*.h' ! -path 'src/io/tls/*')
tls_sources=$(grep -l WR_TLS $sources; find src/io/tls -name '*.c')
tls_headers=$(find src/io/tls -name '*.h')
everything=$(find src tests bench fuzz -name '*.[ch]' 2>/dev/null)

verdict() { # NAME CODE LOG
	if [ "$2" -eq 0 ]; then
		passed=$((passed + 1))
		printf '%-40s ok\n' "$1"
	else
		failed=$((failed + 1))
		printf '%-40s FAILED\n' "$1"
		tail -n 40 "$3"
	fi
}
gate() { # NAME COMMAND...
	name=$1
	shift
	"$@" >"$out/log" 2>&1
	verdict "$name" $? "$out/log"
}
need() { # TOOL NAME: false, and counted, when the tool is not there
	command -v "$1" >/dev/null 2>&1 && return 0
	skipped=$((skipped + 1))
	printf '%-40s skipped: %s is not installed\n' "$2" "$1"
	return 1
}
cflags='-std=c11 -pedantic -Wall -Wextra -D_GNU_SOURCE -iquote src -iquote tests
	-DWR_HTTP_SERVER=1 -DWR_WS_SERVER=1 -DWR_FS_STORE=1 -DWR_TLS=0'

need_bearssl() { # NAME
	printf '#include <bearssl.h>\n' | ${CC:-cc} -xc -fsyntax-only - >/dev/null 2>&1 && return 0
	skipped=$((skipped + 1))
	printf '%-40s skipped: libbearssl-dev is not installed\n' "$1"
	return 1
}

warnings() { make -s CC="$1" MODE=release WERROR=-Werror B="$out/$1" all tools test-objects; }
alone() {
	for header in "$@"; do
		printf '#include "%s"\nextern int alone;\n' "${header#src/}" >"$out/alone.c"
		# shellcheck disable=SC2086
		${CC:-cc} $cflags -Werror -fsyntax-only "$out/alone.c" || return 1
	done
}
tidy() { ${CC:-cc} -std=c11 -O1 -o "$out/tidy" tests/tidy.c && "$out/tidy" $everything; }
switches() { # what is no value of a switch is refused, and the switch is named
	for wrong in HTTP_SERVER=2 WS_SERVER=yes FS_STORE= TLS=openssl POLLER=select MODE=fast \
		'HTTP_SERVER=0 WS_SERVER=1' ONLY=unit/nothing; do
		# shellcheck disable=SC2086
		! said=$(make -n $wrong 2>&1) || return 1
		case $said in
		*" ${wrong##* }: use "* | *" ${wrong##* }: no test "* | *'needs HTTP_SERVER=1'*) ;;
		*) echo "$wrong: $said" && return 1 ;;
		esac
	done
}
installed() { # what make install leaves is enough to embed a Runtime
	make -s CC=gcc MODE=release B="$out/gcc" DESTDIR="$PWD/$out/root" PREFIX=/usr install || return 1
	# shellcheck disable=SC2086
	${CC:-cc} -std=c11 -Wall -Wextra -Werror -I "$out/root/usr/include/worker-runtime" \
		-o "$out/embed" tests/examples/embed.c "$out/root/usr/lib/libworker-runtime.a" && "$out/embed"
}
names() { # every symbol with external linkage starts wr_ (main aside)
	nm -g --defined-only "$out"/gcc/lib/*.a | awk 'NF==3 && $3 !~ /^(wr_|main$)/ {print; bad=1} END {exit bad}'
}
analyzer() {
	# shellcheck disable=SC2086
	find src/core src/codec src/bytes src/containers -name '*.c' | xargs -P 2 -n 8 sh -c 'for file; do
		gcc '"$(echo $cflags)"' -O1 -fanalyzer -Werror -c -o "$0.$$.o" "$file" || exit 1
	done' "$out/analyzer"
}
clang_tidy() {
	# shellcheck disable=SC2086
	echo "$@" | tr ' ' '\n' | xargs -P 2 -n 4 sh -c 'clang-tidy --quiet --checks="$0" "$@" -- '"$(echo $cflags)" \
		"${WR_TIDY_CHECKS:-}"
}
cpp_check() {
	# shellcheck disable=SC2086
	cppcheck -q -j 2 --std=c11 --enable=warning,portability,performance --inline-suppr \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches \
		--error-exitcode=1 -I src -DWR_HTTP_SERVER=1 -DWR_WS_SERVER=1 -DWR_FS_STORE=1 "-DWR_TLS=$tls" \
		"$@"
}
tls_warnings() { # the objects that are others with TLS, and their tests
	objects=
	for file in $tls_sources $(find tests -name 'test_tls*.c'); do
		objects="$objects $out/tls-$1/obj/${file%.c}.o"
	done
	# shellcheck disable=SC2086
	make -s CC="$1" TLS=bearssl MODE=release WERROR=-Werror B="$out/tls-$1" $objects
}

# A size_t of 32 bits: conversions that only such a machine loses something in. Headers are enough, of
# which Debian keeps some in a folder of the other machine.
include32='-isystem /usr/include/x86_64-linux-gnu'
# shellcheck disable=SC2046,SC2086
narrow() {
	find src tests bench fuzz -name '*.c' ! -name 'poller_kqueue.c' ! -path 'tests/shim/*' \
		! -path '*/tls/*' ! -name '*_tls*.c' |
		xargs -P 2 -n 16 gcc -m32 $include32 $(echo $cflags) -Wconversion -Wsign-conversion \
			-Warith-conversion -Wcast-align -Wformat=2 -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 \
			-DWR_SLOW_CHECKS -Werror -fsyntax-only
}

need gcc 'warnings, gcc' && gate 'warnings, gcc' warnings gcc
need clang 'warnings, clang' && gate 'warnings, clang' warnings clang
if printf '#include <sys/socket.h>' | gcc -m32 $include32 -xc -fsyntax-only - 2>/dev/null; then
	gate 'warnings, 32 bits' narrow
else
	skipped=$((skipped + 1))
	printf '%-40s skipped: libc6-dev-i386 is not installed\n' 'warnings, 32 bits'
fi
# shellcheck disable=SC2086
gate 'headers compile alone' alone $headers
gate 'house rules' tidy
gate 'switches of make' switches
need gcc 'installed headers' && gate 'installed headers' installed
need nm 'names start wr_' && gate 'names start wr_' names
need clang-format 'format' && gate 'format' sh -c "clang-format --dry-run -Werror $(echo "$everything" | tr '\n' ' ')"
need gcc 'gcc -fanalyzer' && gate 'gcc -fanalyzer' analyzer
tls=0
# shellcheck disable=SC2086
need cppcheck 'cppcheck' && gate 'cppcheck' cpp_check $sources
# shellcheck disable=SC2086
need clang-tidy 'clang-tidy' && gate 'clang-tidy' clang_tidy $sources
if need_bearssl 'TLS'; then
	tls=1
	cflags="${cflags%0}1"
	need gcc 'TLS: warnings, gcc' && gate 'TLS: warnings, gcc' tls_warnings gcc
	need clang 'TLS: warnings, clang' && gate 'TLS: warnings, clang' tls_warnings clang
	# shellcheck disable=SC2086
	gate 'TLS: headers compile alone' alone $tls_headers
	# shellcheck disable=SC2086
	need cppcheck 'TLS: cppcheck' && gate 'TLS: cppcheck' cpp_check $tls_sources
	# shellcheck disable=SC2086
	need clang-tidy 'TLS: clang-tidy' && gate 'TLS: clang-tidy' clang_tidy $tls_sources
fi
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
