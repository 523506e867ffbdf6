#!/usr/bin/env bash
# Runs the example against a software TPM of its own: a new one in a temporary folder, on free loopback ports.
# Needs swtpm, tpm2-tools, openssl and a built example; every file goes when the script ends.

set -euo pipefail
cd "$(dirname "$0")"

folder=$(mktemp -d)
trap 'test ! -s "$folder/pid" || kill "$(cat "$folder/pid")" 2> /dev/null || true; rm -rf "$folder"' EXIT

# The TCTI takes the port after the first for control, and nobody says which two are free: so ask.
start_tpm() {
    local port
    for _ in {1..20}; do
        port=$((20000 + RANDOM))
        if swtpm socket --tpm2 --tpmstate "dir=$folder" --pid "file=$folder/pid" --daemon \
            --flags not-need-init,startup-clear \
            --server "type=tcp,bindaddr=127.0.0.1,port=$port" \
            --ctrl "type=tcp,bindaddr=127.0.0.1,port=$((port + 1))" 2> "$folder/log"; then
            export TPM2TOOLS_TCTI="swtpm:host=127.0.0.1,port=$port"
            return
        fi
    done
    cat "$folder/log"
    echo "swtpm did not start"
    exit 1
}

start_tpm
cargo run --quiet --release -- "$folder" SN-0001
echo "openssl, over the bytes that the TPM's signature covers:"
openssl dgst -sha256 -verify "$folder/key.pem" -signature "$folder/signature" "$folder/message"
