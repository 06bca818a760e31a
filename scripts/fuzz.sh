#!/usr/bin/env bash
# Coverage-guided fuzzing of everything that reads hostile bytes; see tests/fuzz/README.md.
#   scripts/fuzz.sh [SECONDS a target] [TARGET or DECODER ...]
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-30}
shift || true
host=$(rustc -vV | sed -n 's/^host: //p')
build=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
corpus=$build/corpus
# What cargo-fuzz passes, as far as a stable compiler takes it; there is no unsafe code to sanitise.
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing" \
    cargo build --release --locked --quiet --manifest-path tests/fuzz/Cargo.toml \
    --target "$host" --target-dir "$build"

# The cases of the tests are the seeds; what is found beside them stays in the target folder.
seed() {
    mkdir -p "$corpus/$1"
    shopt -s nullglob
    case $1 in
    rule) for file in tests/detect/cases/*/*.yml; do
        cp "$file" "$corpus/$1/$(basename "$(dirname "$file")")-$(basename "$file")"
    done ;;
    indicator) split -l 1 tests/detect/cases/indicators/texts.tsv "$corpus/$1/case-" ;;
    pack) cp python/bigsec/packs/parsers/*.yaml "$corpus/$1/" ;;
    *) for file in tests/parse/cases/*/*.log; do
        split -l 1 "$file" "$corpus/$1/$(basename "$(dirname "$file")")-"
    done ;;
    esac
}

decoders=$(sed -n 's/^        id: "\(.*\)",$/\1/p' rust/parse/src/decode/mod.rs)
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(printf '%s\n' parse rule indicator pack $decoders)
failed=()
for target in "${targets[@]}"; do
    binary=parse format=
    case $target in parse | rule | indicator | pack) binary=$target ;; *) format=$target ;; esac
    seed "$target"
    log=$build/$target.log
    printf '%-14s ' "$target"
    if (cd "$build" && BIGSEC_FUZZ_FORMAT=$format "$build/$host/release/$binary" \
        -max_total_time="$seconds" -max_len=4096 -timeout=10 -artifact_prefix="$build/crash-$target-" \
        "$corpus/$target" >"$log" 2>&1); then
        tail -1 "$log"
    else
        echo "FAILED, see $log"
        failed+=("$target")
    fi
done
[ ${#failed[@]} -eq 0 ]
