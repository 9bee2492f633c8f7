#!/usr/bin/env bash
# The native kernel's tests under AddressSanitizer and UndefinedBehaviorSanitizer; for g++ on Linux.
# Usage: tools/test_sanitized.sh PYTHON
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1
torch=$("$python" -c 'import torch; print(torch.__path__[0])')
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

cp -r src tests pyproject.toml "$copy"
g++ -std=c++20 -O1 -g -fPIC -shared -fsanitize=address,undefined -fno-sanitize-recover=undefined \
    -fno-math-errno -fno-trapping-math -fopenmp-simd -DTORCH_TARGET_VERSION=0x020a000000000000 \
    -I"$torch/include" csrc/*.cpp -L"$torch/lib" -ltorch_cpu -o "$copy/src/lionkit/_native.bin"

cd "$copy"
# Python itself is not instrumented: its leaks are none of ours, and the runtime must be loaded before it.
export PYTHONPATH=$copy/src ASAN_OPTIONS=detect_leaks=0
preload="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libubsan.so)"
LD_PRELOAD=$preload "$python" -c 'import lionkit; assert lionkit.__file__.startswith("'"$copy"'"), lionkit.__file__'
# What a step allocates cannot be told here: the sanitizer keeps freed memory back.
LD_PRELOAD=$preload "$python" -m pytest tests/kernels tests/optim/test_update.py -p no:cacheprovider \
    --ignore tests/kernels/test_native_large.py
