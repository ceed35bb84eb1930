#!/bin/sh
# Builds BearSSL from the source package that vendor/README.md pins, for a compiler of your choice:
#
#	sh vendor/bearssl.sh [CC] [CFLAGS]
#	sh vendor/bearssl.sh musl-gcc
#	sh vendor/bearssl.sh arm-linux-gnueabihf-gcc '-O2 -DBR_CT_MUL31'
#
# What it leaves (inc/ and build/libbearssl.a) is a BEARSSL_DIR; the last line it prints is that
# folder. The package comes by apt from the archive this system is set up for (its signatures are
# checked by apt, its checksum here), or from files that are already in build/vendor. Nothing is
# installed, and nothing outside of build/vendor is changed.
set -eu
cc=${1:-cc}
cflags=${2:--Os}
version=0.6+dfsg.1
archive=bearssl_$version.orig.tar.xz
sha256=102a625bd8f6155260867a50c508df8d8c3f796985dd744df1a68e5cd1a79004

cd "$(dirname "$0")/.."
place=$PWD/build/vendor
mkdir -p "$place"
fail() {
	echo "vendor/bearssl.sh: $*" >&2
	exit 1
}
is_right() {
	[ -f "$place/$archive" ] &&
		[ "$(sha256sum "$place/$archive" | cut -d ' ' -f 1)" = "$sha256" ]
}

# The system's own sources, asked for source packages: in a state of its own.
fetch() {
	command -v apt-get >/dev/null || fail "no apt-get here: put $archive into $place (README.md)"
	apt=$place/apt
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/parts"
	: >"$apt/sources.list"
	[ ! -f /etc/apt/sources.list ] ||
		sed -n 's/^deb\( \|	\)/deb-src\1/p' /etc/apt/sources.list >"$apt/sources.list"
	for file in debian ubuntu; do
		from=/etc/apt/sources.list.d/$file.sources
		[ ! -f "$from" ] ||
			sed 's/^Types:.*/Types: deb-src/' "$from" >"$apt/parts/$file.sources"
	done
	set -- -q -o "Dir::Etc::SourceList=$apt/sources.list" -o "Dir::Etc::SourceParts=$apt/parts" \
		-o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=
	apt-get "$@" update >&2 || fail 'apt-get update failed'
	(cd "$place" && apt-get "$@" source --download-only --only-source "bearssl=$version-3") >&2 ||
		(cd "$place" && apt-get "$@" source --download-only --only-source bearssl) >&2 ||
		fail 'apt-get source failed'
}

is_right || fetch
is_right || fail "$place/$archive is not the one that is pinned (sha256 $sha256)"

# One folder for each compiler and its flags, so that they do not mix.
name=bearssl-$version-$(basename "${cc%% *}")-$(printf '%s' "$cc $cflags" | sha256sum | cut -c 1-8)
out=$place/$name
if [ ! -f "$out/build/libbearssl.a" ]; then
	rm -rf "$out"
	mkdir -p "$out"
	tar -xJf "$place/$archive" -C "$out" --strip-components 1
	# Its own makefile wants CC, CFLAGS and the archiver; only the static library is made.
	make -C "$out" -s CC="$cc" CFLAGS="-W -Wall -fPIC $cflags" LD="$cc" AR="${AR:-ar}" \
		build/libbearssl.a >&2 || make -C "$out" -s CC="$cc" CFLAGS="-W -Wall -fPIC $cflags" lib >&2
fi
[ -f "$out/build/libbearssl.a" ] || fail "no library came out of $out"
echo "$out"
