#!/usr/bin/env bash
# Builds the programs for a Cortex-M4, runs them on an emulated one, and prints what they cost.
#
#     measure.sh           a table in Markdown
#     measure.sh --check   also fails where a program is 2 % larger than docs/embedded.md says
#
# Needs rust-lld of the toolchain in use, and from Debian: rustc-web rust-web-src libstd-rust-web-dev
# (a compiler with the source of its library, for a target whose library is not there) and
# qemu-system-arm. Ends with 3 if one of them is absent. Arguments for cargo go into CARGO_ARGUMENTS,
# for example --config 'profile.release.opt-level="z"'.

set -euo pipefail
cd "$(dirname "$0")"

target=thumbv7em-none-eabihf
compiler=${EMBEDDED_RUSTC:-/usr/bin/rustc}
folder=${CARGO_TARGET_DIR:-$PWD/target}
programs=(empty verify sign message permit signed)
failed=0

main() {
    find_tools
    build
    echo "$("$compiler" --version), $(qemu-system-arm --version | head -n 1)"
    echo
    echo "| program | flash | static RAM | step | instructions | heap | stack |"
    echo "|---|---|---|---|---|---|---|"
    for program in "${programs[@]}"; do
        measure "$program"
        if [[ ${1:-} == --check ]]; then
            check "$program"
        fi
    done
    exit "$failed"
}

find_tools() {
    linker=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin/rust-lld
    for file in "$compiler" "$("$compiler" --print sysroot 2> /dev/null)/lib/rustlib/src/rust/library/core" "$linker"; do
        [[ -e $file ]] || { echo "$file is absent"; exit 3; }
    done
    for tool in qemu-system-arm readelf; do
        command -v "$tool" > /dev/null || { echo "$tool is absent"; exit 3; }
    done
}

build() {
    local arguments=(--release -Zbuild-std=core,alloc -Zbuild-std-features=compiler-builtins-mem)
    eval "arguments+=(${CARGO_ARGUMENTS:-})"
    RUSTC_BOOTSTRAP=1 RUSTC=$compiler CARGO_TARGET_THUMBV7EM_NONE_EABIHF_LINKER=$linker \
        cargo build --quiet --target "$target" --target-dir "$folder" "${arguments[@]}"
}

# The emulator ends with the program's own verdict, which `set -e` obeys.
measure() {
    local file=$folder/$target/release/$1 said
    flash=$(section_bytes "$file" .text .rodata .data)
    said=$(timeout 60 qemu-system-arm -M mps2-an386 -nographic -monitor none -serial none \
        -semihosting-config enable=on,target=native -icount shift=0 -kernel "$file" 2>&1) \
        || { echo "$said"; echo "$1 did not end well"; exit 1; }
    while read -r step instructions heap stack; do
        echo "| \`$1\` | $(thousands "$flash") | $(section_bytes "$file" .data .bss) | $step |" \
            "$(thousands "${instructions#*=}") | $(thousands "${heap#*=}") | $(thousands "${stack#*=}") |"
    done < <(grep instructions= <<< "$said")
}

check() {
    local documented
    documented=$(sed -n "s/^| \`$1\` | \([0-9,]*\) |.*/\1/p" ../../docs/embedded.md | head -n 1 | tr -d ,)
    if [[ -z $documented ]] || ((flash * 100 > documented * 102)); then
        echo "$1 has $flash bytes of flash, docs/embedded.md says ${documented:-nothing}"
        failed=1
    fi
}

section_bytes() {
    local file=$1 sum=0 size
    shift
    for section in "$@"; do
        size=$(readelf -SW "$file" | sed 's/^ *\[ *[0-9]*\] *//' | awk -v name="$section" '$1 == name { print $5 }')
        sum=$((sum + 0x${size:-0}))
    done
    echo "$sum"
}

thousands() {
    sed ':again; s/\([0-9]\)\([0-9]\{3\}\)\($\|,\)/\1,\2\3/; t again' <<< "$1"
}

main "$@"
