# shellcheck shell=sh disable=SC2154
# Builder of the stub: headers and library of BearSSL, from this machine.
set -eu
export PATH="$tools/bin"
[ -d /host/usr ] && host=/host || host=
mkdir -p "$out/include" "$out/lib"
cp "$host"/usr/include/bearssl.h "$out/include"
[ ! -d "$host/usr/include/bearssl" ] || cp "$host"/usr/include/bearssl/* "$out/include"
cp "$(find "$host/usr/lib" -name libbearssl.a | head -n 1)" "$out/lib"
