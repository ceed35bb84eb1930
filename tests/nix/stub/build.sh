# shellcheck shell=sh disable=SC2154
# Builder of the stub: the phases of a nixpkgs stdenv as far as flake.nix sets them.
set -eu
export PATH="$tools/bin" HOME=/homeless-shelter CC=gcc
make_it() {
	# shellcheck disable=SC2086
	make "-j${NIX_BUILD_CORES:-1}" ${makeFlags:-} "$@"
}
cp -r "$src" source
chmod -R u+w source
cd source
eval "${postPatch:-}"
[ -n "${dontBuild:-}" ] || make_it
[ -z "${doCheck:-}" ] || make_it "${checkTarget:-check}"
if [ -n "${installPhase:-}" ]; then
	eval "$installPhase"
else
	make_it install
fi
