#!/bin/sh
# The flake without the network: evaluates every output for every system and builds the package with
# a nixpkgs made of this machine's tools (stub/), in a store of its own, in the sandbox where the
# system allows one. With WR_TEST_LONG=1 it also runs the tests there, as `nix flake check` does.
# The last line is "N passed, N failed" (", N skipped" when it cannot be tested here).
set -u
cd "$(dirname "$0")/../.." || exit 2
top=$PWD passed=0 failed=0

skip() {
	echo "nix                                      skipped: $1"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}
command -v nix >/dev/null 2>&1 || skip 'nix is not installed'
[ "$(uname -s)" = Linux ] || skip 'the stub of nixpkgs uses the tools of a Linux system'

work=$(mktemp -d) || exit 2
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
export NIX_STORE_DIR="$work/store" NIX_STATE_DIR="$work/var" NIX_LOG_DIR="$work/log" \
	NIX_CONF_DIR="$work/etc" HOME="$work/home" XDG_CACHE_HOME="$work/cache"
export NIX_REMOTE='' NIX_PATH='' NIX_CONFIG="experimental-features = nix-command flakes
build-users-group =
substitute = false
cores = 2
flake-registry = $work/registry.json
sandbox = true
sandbox-paths = /bin/sh /lib? /lib64? /host/usr=/usr /host/lib=/lib /host/lib64=/lib64?"
mkdir -p "$HOME"
echo '{"flakes":[],"version":2}' >"$work/registry.json"

check() { # NAME COMMAND...
	name=$1
	shift
	if "$@" >"$work/out" 2>"$work/err"; then
		passed=$((passed + 1))
		printf '%-40s ok\n' "$name"
	else
		failed=$((failed + 1))
		printf '%-40s FAILED\n' "$name"
		grep -h FAILED "$work/err"
		tail -n 40 "$work/out" "$work/err"
	fi
}

# The flake is what git tracks: here as it is in the work tree, committed or not.
listed() {
	git ls-files | while read -r file; do [ ! -e "$file" ] || echo "$file"; done
}
mkdir "$work/source"
if git rev-parse --git-dir >/dev/null 2>&1; then
	listed | tar -cf - -T - | tar -xf - -C "$work/source"
	git -C "$work/source" init -q
	git -C "$work/source" add -A
	git -C "$work/source" -c user.name=test -c user.email=test@localhost commit -q -m test
	flake=git+file://$work/source
	echo untracked >"$work/source/untracked"
else
	tar -cf - --exclude=./build --exclude=./.git . | tar -xf - -C "$work/source"
	flake=path:$work/source
fi
stub="--override-input nixpkgs path:$top/tests/nix/stub --no-write-lock-file"
system=$(nix eval --impure --raw --expr builtins.currentSystem) || exit 2

of_flake() { # VERB ATTRIBUTE ARGUMENT...
	verb=$1 attribute=$2
	shift 2
	# shellcheck disable=SC2086
	nix "$verb" "$@" $stub "$flake#$attribute"
}
lock_is_complete() { # nothing to add, so nothing to fetch
	nix flake metadata --no-update-lock-file "$flake"
}
lock_names_one_tree() {
	nix eval --impure --expr "
		let
		  lock = builtins.fromJSON (builtins.readFile $work/source/flake.lock);
		  pin = lock.nodes.nixpkgs.locked;
		  matches = form: text: builtins.match form text != null;
		in
		assert lock.version == 7 && builtins.attrNames lock.nodes == [ \"nixpkgs\" \"root\" ];
		assert pin.type == \"github\" && pin.owner == \"nixos\" && pin.repo == \"nixpkgs\";
		assert matches \"[0-9a-f]{40}\" pin.rev;
		assert matches \"sha256-[0-9A-Za-z+/]{43}=\" pin.narHash;
		pin.rev"
}
follows_schema() {
	# shellcheck disable=SC2086
	nix flake check --no-build $stub "$flake"
}
evaluates_everywhere() { # KIND NAME
	of_flake eval "$1" --json --apply "builtins.mapAttrs (_: all: all.$2.drvPath)" >"$work/paths" ||
		return 1
	for each in x86_64-linux aarch64-linux aarch64-darwin x86_64-darwin; do
		grep -q "\"$each\":\"[^\"]*\.drv\"" "$work/paths" || return 1
	done
}
shell_has_tools() { # each that tests/check.sh asks for, under the name of its package
	has=$(of_flake eval "devShells.$system.default.has" --json) || return 1
	for tool in $(sed -n 's/^need \([^ ]*\).*/\1/p' tests/check.sh); do
		case $tool in
		nm) continue ;; # of stdenv
		clang-format | clang-tidy) tool=clang-tools ;;
		esac
		case $has in
		*"\"$tool\""*) ;;
		*)
			echo "$tool is not in $has"
			return 1
			;;
		esac
	done
}
builds() { of_flake build yoi --out-link "$work/result" --print-build-logs; }
builds_tls() { of_flake build tls --out-link "$work/tls" --print-build-logs; }
has_tls() { # what it says without it names how to get it
	"$work/tls/bin/worker-runtime" --help | grep -q '^TLS$'
}
untracked_stays_out() {
	case $flake in path:*) return 0 ;; esac
	tree=$(nix flake metadata --json "$flake" | sed 's/.*"path":"\([^"]*\)".*/\1/')
	[ -e "$tree/flake.nix" ] && [ ! -e "$tree/untracked" ]
}
is_installed() { # PROGRAM
	[ -x "$work/result/bin/$1" ] && [ -s "$work/result/share/man/man8/$1.8" ] || return 1
	version=$(of_flake eval yoi.version --raw) || return 1
	[ "$("$work/result/bin/$1" --version)" = "$1 $version" ]
}
library_is_installed() {
	[ -s "$work/result/lib/libworker-runtime.a" ] &&
		[ -s "$work/result/include/worker-runtime/core/runtime.h" ]
}
tests_pass() { of_flake build "checks.$system.test" --no-link --print-build-logs; }

check 'flake.lock is complete' lock_is_complete
check 'flake.lock names one tree' lock_names_one_tree
check 'only what is tracked is built' untracked_stays_out
check 'the outputs follow the schema' follows_schema
check 'the package, for every system' evaluates_everywhere packages yoi
check 'the default package, for every system' evaluates_everywhere packages default
check 'the package with TLS, for every system' evaluates_everywhere packages tls
check 'the tests, for every system' evaluates_everywhere checks test
check 'the shell, for every system' evaluates_everywhere devShells default
check 'the shell has the tools of make check' shell_has_tools
check 'nix build .#yoi' builds
check 'worker-runtime is installed' is_installed worker-runtime
[ ! -e src/backend/main.c ] || check 'workspace-server is installed' is_installed workspace-server
check 'the library is installed' library_is_installed
if [ -e /usr/include/bearssl.h ]; then
	check 'nix build .#tls' builds_tls
	check 'worker-runtime with TLS has it' has_tls
fi
[ -z "${WR_TEST_LONG:-}" ] || check 'the tests pass in the sandbox' tests_pass
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
