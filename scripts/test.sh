#!/usr/bin/env bash
# The whole suite: Node's tests, then pytest's. Both are run, whatever the first one finds; one failure fails both.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=0
# Named one by one: what `node --test DIRECTORY` means differs between Node 20 and 22.
mapfile -t js_tests < <(find tests/js -name '*.test.js' -o -name '*.test.mjs' | sort)
echo "headway: ${#js_tests[@]} files of JavaScript tests" >&2
# Without a name node would look for tests everywhere.
if ((${#js_tests[@]} == 0)) || ! node --test "${js_tests[@]}"; then failed=1; fi

echo 'headway: Python tests' >&2
# Hundreds of processes are started, each of which would compile the same modules again: let the first one keep them.
unset PYTHONDONTWRITEBYTECODE
# Most tests wait for a process or a browser: four at a time keep two cores busy.
.venv/bin/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder "$@" || failed=1

exit "$failed"
