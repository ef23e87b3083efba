#!/usr/bin/env bash
# The whole suite: Node's tests, then pytest's. Both are run, whatever the first one finds; one failure fails both.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Hundreds of processes are started, each of which would compile the same modules again: let the first one keep them.
unset PYTHONDONTWRITEBYTECODE
# What pytest makes of the tests before it runs them, too: four processes would do so with all of them at once. What is
# wrong with a test is told when it is run.
trap 'kill $(jobs -p) 2>/dev/null' EXIT
keep() { .venv/bin/python -m pytest --collect-only --quiet "$@" >/dev/null 2>&1; }
if ! compgen -G 'tests/unit/__pycache__/*pytest*.pyc' >/dev/null; then
    keep tests/unit tests/browser &
    keep tests --ignore=tests/unit --ignore=tests/browser &
fi

failed=0
# Named one by one: what `node --test DIRECTORY` means differs between Node 20 and 22.
mapfile -t js_tests < <(find tests/js -name '*.test.js' -o -name '*.test.mjs' | sort)
echo "headway: ${#js_tests[@]} files of JavaScript tests" >&2
# Without a name node would look for tests everywhere.
if ((${#js_tests[@]} == 0)) || ! node --test "${js_tests[@]}"; then failed=1; fi

wait
echo 'headway: Python tests' >&2
# Most tests wait for a process or a browser: four at a time keep two cores busy.
.venv/bin/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder "$@" || failed=1

exit "$failed"
