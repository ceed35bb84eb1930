# shellcheck shell=sh disable=SC2154
# Builder of the stub: the programs of a nixpkgs stdenv, python3, and no other, from this machine.
# The sandbox shows its files below /host (see ../run.sh), where no program looks by itself.
[ -d /host/usr ] && host=/host || host=
export PATH="$host/usr/bin"
mkdir -p "$out/bin"
for name in [ ar as basename bash cat chmod cmp comm cp cut date dd diff dirname du echo env expr false \
	find grep gzip head id install ld ln ls make mkdir mkfifo mktemp mv nice nm nproc objcopy objdump \
	od paste printf pwd python3 ranlib readelf readlink realpath rm rmdir sed seq sh sha256sum size \
	sleep sort split stat strings strip tail tar tee test timeout touch tr true uname uniq wc xargs \
	yes; do
	[ ! -e "$PATH/$name" ] || ln -s "$PATH/$name" "$out/bin/$name" || exit 1
done
ln -s "$PATH/mawk" "$out/bin/awk"
printf '#!/bin/sh\nexec %s/gcc --sysroot=%s/ "$@"\n' "$PATH" "$host" >"$out/bin/gcc"
chmod +x "$out/bin/gcc"
ln -s gcc "$out/bin/cc"
