#!/usr/bin/env bash
# The long form: 2,000 mutated pickles and 2,000 mutated archives of torch.save, and files made to do
# harm, read under the address and undefined-behaviour sanitizers.
# mutate_weights.sh BUILD [N]: BUILD was configured with -DAUXSEG_SANITIZE=ON -DAUXSEG_TESTS=ON.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cmake --build "$1" --target read_weights
export ASAN_OPTIONS=exitcode=99:detect_leaks=1:allocator_may_return_null=0
export UBSAN_OPTIONS=halt_on_error=1:exitcode=99
exec python3 "$here/mutate_weights.py" "$1/tests/faults/read_weights" "$here/../fixtures" "${2:-2000}"
