#!/usr/bin/env bash
# Pins what pyproject.toml and package.json allow, for Python 3.11 to 3.14 at once, with hashes and without addresses.
# uv resolves, from an environment of its own that is thrown away; pip alone installs the result.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
"${PYTHON:-python3}" -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check uv

pin() { # LOCK OPTION…
  local lock=requirements/$1
  shift
  # An index from this machine's settings must not shape a file that everybody uses.
  env -u PIP_FIND_LINKS -u UV_FIND_LINKS "$tools/bin/uv" --quiet --no-config pip compile pyproject.toml \
    --universal --python-version 3.11 --generate-hashes --upgrade \
    --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
    --output-file "$lock" "$@"
  echo "headway: $lock pins $(grep -c '==' "$lock") packages" >&2
}

all_extras=(--extra flask-socketio --extra gevent --extra demo --extra fast --extra redis --extra celery --extra rq --extra dramatiq)

# Each includes the next one's packages in the same versions, so that one environment serves all.
pin bench.txt "${all_extras[@]}" --group bench
pin dev.txt "${all_extras[@]}" --group dev --constraint requirements/bench.txt
pin test.txt "${all_extras[@]}" --group test --constraint requirements/bench.txt
pin runtime.txt --extra demo --extra fast --extra redis --group build --constraint requirements/bench.txt

npm install --package-lock-only --loglevel=error
# Whom to thank is in each package's own file; a lock holds no addresses.
node --input-type=module --eval '
  import { readFileSync, writeFileSync } from "node:fs";
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
  for (const installed of Object.values(lock.packages)) delete installed.funding;
  writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);'
