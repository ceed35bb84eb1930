#!/bin/sh
# A conversation with a real model server. Either with one that runs already:
#
#   make provider-test WR_PROVIDER_URL=http://127.0.0.1:8080/v1 [WR_PROVIDER_MODEL=...] [WR_PROVIDER_KEY=...]
#
# or with llama-cpp-python's, started here over a model of random weights that make_model.py writes:
#
#   pip install 'llama-cpp-python[server]' gguf
#   make provider-test [PROVIDER_PYTHON=...] [TLS=bearssl]
#
# With TLS=bearssl the server started here speaks TLS, with a certificate of tests/fixtures/tls; one that
# runs already is trusted by the system's roots, or those in the file WR_PROVIDER_CA.
# Says when it could not, and why.
set -u
here=$(dirname "$0")
talk=$WR_BUILD/tests/provider/talk
python=${PROVIDER_PYTHON:-python3}

if [ -n "${WR_PROVIDER_URL:-}" ]; then
	export WR_PROVIDER_URL
	exec "$talk" -j 1
fi
skip() {
	echo "skipped: $1"
	echo "0 passed, 0 failed, 4 skipped"
	exit 0
}
"$python" -c 'import llama_cpp.server.app, gguf, numpy' 2>/dev/null ||
	skip "$python has no llama-cpp-python[server] and gguf, and WR_PROVIDER_URL names no server"

folder=$(mktemp -d) || exit 1
pid=
trap 'kill -9 $pid 2>/dev/null; rm -rf "$folder"' EXIT INT TERM
"$python" "$here/make_model.py" "$folder/model.gguf" || exit 1
port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export WR_PROVIDER_URL="http://127.0.0.1:$port/v1" WR_PROVIDER_KEY=sk-provider-test-0123456789
set --
if [ "${WR_TLS:-0}" = 1 ]; then
	keys=$here/../fixtures/tls
	export WR_PROVIDER_URL="https://localhost:$port/v1" WR_PROVIDER_CA="$keys/ca.pem"
	set -- --ssl_keyfile "$keys/ec.key" --ssl_certfile "$keys/ec.pem"
fi
"$python" -m llama_cpp.server --model "$folder/model.gguf" --host 127.0.0.1 --port "$port" \
	--n_ctx 2048 --n_threads 1 --chat_format chatml --api_key "$WR_PROVIDER_KEY" "$@" >"$folder/log" 2>&1 &
pid=$!
"$python" "$here/wait_for.py" "$port" "$pid" || {
	tail -n 20 "$folder/log"
	echo "the server did not start"
	exit 1
}
"$talk" -j 1
