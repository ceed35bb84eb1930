#!/bin/sh
# The programs and the whole suite for other machines and another libc, as far as this machine has
# their compilers and emulators: `sh tests/portability.sh [TARGET ...]`, hours for all of them.
#
#	i386     32 bits, under ASan and UBSan    gcc -m32
#	musl     another libc, in one file        musl-gcc
#	armhf    32 bits, char is unsigned        arm-linux-gnueabihf-gcc, qemu-arm
#	powerpc  32 bits, big endian              powerpc-linux-gnu-gcc, qemu-ppc
#	s390x    64 bits, big endian              and so on
#	aarch64, riscv64
#	mips     other numbers of signals and errors; by its name only, since qemu-mips before 8.0
#	         gives SO_ERROR in the numbers of the host
#
# Each target has one verdict line; the last line is "N passed, N failed" (", N skipped"), of
# targets. WR_TARGET_MINUTES bounds the suite of one (60).
set -u
cd "$(dirname "$0")/.." || exit 2
passed=0 failed=0 skipped=0
out=build/portability
mkdir -p "$out"
# An emulator is slow, and wall clock limits are not what is tested here.
export WR_TEST_TIME_FACTOR="${WR_TEST_TIME_FACTOR:-10}" WR_TEST_SEED="${WR_TEST_SEED:-$(date +%s)}"
unset MAKEFLAGS MAKELEVEL WR_RELEASE WR_RELEASE_LIB

verdict() { # NAME PASSED|FAILED|SKIPPED TEXT
	case $2 in
	passed) passed=$((passed + 1)) ;;
	failed) failed=$((failed + 1)) ;;
	skipped) skipped=$((skipped + 1)) ;;
	esac
	printf '%-8s %-8s %s\n' "$1" "$2" "$3"
}
can_link() { # COMPILER AND FLAGS...
	echo 'int main(void){return 0;}' >"$out/try.c"
	"$@" -o "$out/try" "$out/try.c" 2>"$out/try.log"
}

# Whoever starts a program of the build gets the emulator with it: a script takes its place.
wrap() { # EMULATOR FOLDER
	find "$2" -type f -perm -u+x ! -name '*.elf' | while read -r file; do
		[ "$(dd if="$file" bs=1 skip=1 count=3 2>/dev/null)" = ELF ] || continue
		mv "$file" "$file.elf"
		# shellcheck disable=SC2016
		printf '#!/bin/sh\nexec %s -0 "$0" "$0.elf" "$@"\n' "$1" >"$file"
		chmod +x "$file"
	done
}

# Builds everything without a warning and runs all tests.
target() { # NAME EMULATOR|- MAKE ARGUMENTS...
	name=$1 emulator=$2 folder=$out/$1 began=$(date +%s)
	shift 2
	if ! make -s -j 2 WERROR=-Werror B="$folder" "$@" all tests >"$out/$name.build" 2>&1; then
		tail -n 20 "$out/$name.build"
		verdict "$name" failed 'it does not build'
		return
	fi
	[ "$emulator" = - ] || wrap "$emulator" "$folder"
	tests=$(find "$folder/tests" -type f -perm -u+x -name 'test_*' ! -name '*.elf' | sort)
	settings=WR_BUILD=$folder
	case " $* " in
	*' MODE=release '*)
		settings="$settings WR_RELEASE=$folder WR_RELEASE_LIB=$folder/libworker-runtime.a"
		;;
	esac
	# shellcheck disable=SC2086
	env $settings timeout "$((${WR_TARGET_MINUTES:-60} * 60))" \
		sh tests/run.sh $tests >"$out/$name.log" 2>&1
	code=$?
	text="$(tail -n 1 "$out/$name.log"), in $((($(date +%s) - began) / 60)) minutes"
	if [ "$code" -eq 0 ]; then
		verdict "$name" passed "$text"
		return
	fi
	awk '/^(unit|e2e)\/|^skipped/ {shown = 0} /^FAILED/ {shown = 20} shown-- > 0' "$out/$name.log"
	[ "$code" -ne 124 ] || text="not done in time: $text"
	verdict "$name" failed "$text; seed $WR_TEST_SEED"
}

i386() {
	# Debian keeps these headers elsewhere unless gcc-multilib is there, and that goes not with the
	# cross compilers: gcc-12-multilib does.
	for include in '' '-isystem /usr/include/x86_64-linux-gnu'; do
		echo '#include <sys/socket.h>' >"$out/asm.c"
		# shellcheck disable=SC2086
		gcc -m32 $include -fsyntax-only "$out/asm.c" 2>/dev/null && break
	done
	if ! can_link gcc -m32 -fsanitize=address,undefined || ! "$out/try"; then
		verdict i386 skipped 'gcc -m32 has no sanitizers, or not even a libc'
		return
	fi
	target i386 - MODE=debug CC="gcc -m32 $include"
}
musl() {
	if ! can_link musl-gcc -static; then
		verdict musl skipped 'there is no musl-gcc'
		return
	fi
	# Its -static-pie makes a dynamic program.
	target musl - MODE=release CC=musl-gcc static=-static
}
cross() { # NAME TRIPLE EMULATED-NAME
	emulator=$(command -v "qemu-$3-static" || command -v "qemu-$3")
	if ! can_link "$2-gcc" -static; then
		verdict "$1" skipped "there is no $2-gcc with a static libc"
	elif [ -z "$emulator" ]; then
		verdict "$1" skipped "there is no qemu-$3"
	else
		# Undefined behaviour is a trap, which needs no library.
		target "$1" "$emulator" MODE=portable CC="$2-gcc" AR="$2-ar" \
			flags_portable='-O1 -g -DWR_SLOW_CHECKS -fsanitize=undefined -fsanitize-undefined-trap-on-error' \
			link_portable=-static
	fi
}

[ "$#" -gt 0 ] || set -- i386 musl armhf powerpc s390x aarch64 riscv64
for name; do
	case $name in
	i386 | musl) "$name" ;;
	armhf) cross armhf arm-linux-gnueabihf arm ;;
	powerpc) cross powerpc powerpc-linux-gnu ppc ;;
	mips) cross mips mips-linux-gnu mips ;;
	aarch64 | riscv64 | s390x) cross "$name" "$name-linux-gnu" "$name" ;;
	*) verdict "$name" failed 'no such target' ;;
	esac
done
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
