#!/usr/bin/env bash
# Sets a fresh clone up, as far as a command needs it:   scripts/setup.sh serve | test | dev | bench
#
#   serve  what the demo runs on        test   … and what the suite needs
#   dev    … and the linters            bench  … and what is measured against, and a C compiler
#
# Safe to run again: a step whose inputs (lock files, sources, interpreter) have not changed is skipped. Asks nothing,
# says in one line what it does, and ends with one sentence when something is missing that it cannot install itself.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly level="${1:-serve}"
readonly venv=.venv
readonly logs=.setup
readonly cjk_font_package=fonts-noto-cjk

main() {
  mkdir -p "$logs"
  # First what takes no time to find missing.
  make_venv
  provide_node
  case "$level" in
    serve) python_packages runtime.txt ;;
    test) python_packages test.txt runtime.txt ;;
    dev) python_packages dev.txt test.txt runtime.txt ;;
    bench) python_packages bench.txt dev.txt test.txt runtime.txt ;;
    *) die "scripts/setup.sh takes serve, test, dev or bench, not '$level'." ;;
  esac
  browser_side
  editable_install
  provide_cjk_font
  if [[ $level != serve ]]; then
    provide_chromium
    provide_redis
    provide_nginx
  fi
  if [[ $level == bench ]]; then
    provide_command cc gcc "compiles the load generator"
    provide_command openssl openssl "makes the certificate that TLS is measured with"
  fi
}

# --- Python ----------------------------------------------------------------------------------------------------------

python_packages() { # LOCK [LOCKS that it includes…]
  local lock=$1 python=$venv/bin/python
  local version key
  version=$("$python" -c 'import sys; print(sys.version)')
  key=$(fingerprint "requirements/$lock" <<<"$version")
  is_done "$venv/.done-$lock" "$key" && return
  say "Installing the Python packages of requirements/$lock"
  logged pip "$python" -m pip install --quiet --disable-pip-version-check --no-input --require-hashes \
    -r "requirements/$lock" || die "pip could not install requirements/$lock (see above): it needs a package index, or a mirror set in pip's configuration."
  for lock in "$@"; do
    fingerprint "requirements/$lock" <<<"$version" >"$venv/.done-$lock"
  done
}

make_venv() {
  # A checkout that moved, or an interpreter that an upgrade took away, leaves a venv that only looks like one.
  if [[ -d $venv ]] && "$venv/bin/python" -c "$is_new_enough" 2>/dev/null &&
    "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    return
  fi
  local python
  if ! python=$(find_python); then
    apt_install python3 python3-venv || true
    python=$(find_python) || die "Headway needs Python 3.11 or newer and found $(found_version python3 --version): install it (Debian, Ubuntu: apt install python3 python3-venv), or name one with PYTHON=/path/to/python3.11."
  fi
  if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    apt_install "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" || true
    "$python" -c 'import venv, ensurepip' 2>/dev/null ||
      die "$python has no venv module: install it (Debian, Ubuntu: apt install python3-venv)."
  fi
  say "Making $venv with $("$python" --version)"
  rm -rf "$venv"
  logged venv "$python" -m venv "$venv" || die "$python could not make a virtual environment in $venv (see above)."
}

readonly is_new_enough='import sys; sys.exit(sys.version_info < (3, 11))'

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
    if "$candidate" -c "$is_new_enough" 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

editable_install() {
  local key
  key=$(fingerprint pyproject.toml <<<"$PWD")
  is_done "$venv/.done-editable" "$key" && return
  say "Installing headway from this checkout, editable"
  logged editable "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps \
    --no-build-isolation --editable . || die "pip could not install this checkout (see above)."
  echo "$key" >"$venv/.done-editable"
}

# --- Browser side ----------------------------------------------------------------------------------------------------

provide_node() {
  find_node && return
  if apt_has_node_20; then apt_install nodejs npm || true; fi
  find_node || die "Headway needs Node 20 or newer with npm and found $(found_version node --version): install it (Debian 13, Ubuntu 25.04 and newer: apt install nodejs npm; elsewhere from nodejs.org)."
}

browser_side() {
  local key
  key=$(fingerprint package-lock.json package.json <<<"$(node --version)")
  if ! is_done node_modules/.done "$key"; then
    say "Installing the npm packages of package-lock.json"
    logged npm npm ci || die "npm ci failed (see above): it needs the npm registry, or a mirror set in npm's configuration."
    echo "$key" >node_modules/.done
  fi
  node scripts/build-js.mjs || die "The browser side could not be built (see above)."
}

find_node() {
  command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null
}

apt_has() { # PACKAGE
  apt_update && [[ -n $(apt-cache policy "$1" 2>/dev/null | grep 'Candidate: [^(]') ]]
}

apt_has_node_20() {
  apt_update && apt-cache policy nodejs 2>/dev/null | grep -Eq 'Candidate: (2[0-9]|[3-9][0-9])\.'
}

# --- What only apt brings --------------------------------------------------------------------------------------------

provide_cjk_font() {
  has_cjk_font && return
  apt_install "$cjk_font_package" || true
  # No reason to stop: all but the text on the picture cards works without one.
  has_cjk_font || say "No font with Chinese characters, so the picture cards will lack their text: install one (Debian, Ubuntu: apt install $cjk_font_package)."
}

has_cjk_font() {
  local known=(
    /usr/share/fonts/opentype/noto/NotoSansCJK-*.ttc
    /usr/share/fonts/*/wqy/wqy-*.ttc
    /usr/share/fonts/*/*/*CJK*.[ot]t[cf]
    /usr/share/fonts/*CJK*/*CJK*.[ot]t[cf]
  )
  [[ ${#known[@]} != 0 ]] && return
  command -v fc-list >/dev/null && [[ -n $(fc-list :lang=zh-cn file 2>/dev/null) ]]
}

provide_chromium() {
  provide_whole_chromium
  # Its engine without windows runs most tests in a third of the time; without it they take the whole one.
  if ! command -v chromium-headless-shell >/dev/null && apt_has chromium-headless-shell; then
    apt_install chromium-headless-shell || true
  fi
}

provide_whole_chromium() {
  find_chromium && return
  apt_install chromium || true
  find_chromium && return
  # Ubuntu's package is a snap, which no container can run; Playwright knows a build for it.
  say "Installing Playwright's Chromium"
  logged playwright "$venv/bin/python" -m playwright install chromium >/dev/null 2>&1 && find_chromium ||
    die "The browser tests need Chromium: install it (Debian: apt install chromium; Ubuntu: .venv/bin/playwright install --with-deps chromium), or name one with HEADWAY_CHROMIUM=/path/to/chromium."
}

find_chromium() {
  local candidate
  for candidate in ${HEADWAY_CHROMIUM:-chromium chromium-browser google-chrome google-chrome-stable $(playwright_chromium)}; do
    # A snap's wrapper is there without its snap: only one that answers counts.
    "$candidate" --version >/dev/null 2>&1 && return
  done
  return 1
}

playwright_chromium() {
  local builds=("$HOME"/.cache/ms-playwright/chromium-*/chrome-linux*/chrome)
  echo "${builds[@]: -1}"
}

provide_redis() {
  find_redis && return
  apt_install redis-server || true
  find_redis || die "The tests of the Redis store need redis-server or valkey-server: install it (Debian, Ubuntu: apt install redis-server)."
}

find_redis() {
  command -v redis-server >/dev/null || command -v valkey-server >/dev/null
}

provide_nginx() {
  command -v nginx >/dev/null || [[ -x /usr/sbin/nginx ]] && return
  apt_install nginx || true
  command -v nginx >/dev/null || [[ -x /usr/sbin/nginx ]] ||
    die "The tests of docs/howto/nginx.md need nginx: install it (Debian, Ubuntu: apt install nginx)."
}

provide_command() { # COMMAND PACKAGE WHAT-IT-DOES
  command -v "$1" >/dev/null && return
  apt_install "$2" || true
  command -v "$1" >/dev/null || die "make bench needs $1, which $3: install it (Debian, Ubuntu: apt install $2)."
}

apt_install() { # PACKAGE…; false where it can't
  can_apt || return 1
  say "Installing $* by apt"
  apt_update && logged apt as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o DPkg::Lock::Timeout=300 "$@"
}

apt_update() {
  can_apt || return 1
  [[ -n ${apt_is_fresh:-} ]] && return
  logged apt as_root apt-get update -qq -o DPkg::Lock::Timeout=300 && apt_is_fresh=yes
}

can_apt() {
  command -v apt-get >/dev/null || return 1
  [[ $(id -u) == 0 ]] && return
  command -v sudo >/dev/null || return 1
  # Without a terminal nobody could type a password.
  [[ -t 0 ]] || sudo -n true 2>/dev/null
}

as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

# --- Helpers ---------------------------------------------------------------------------------------------------------

say() { echo "headway: $*" >&2; }

die() {
  say "$*"
  exit 1
}

logged() { # NAME COMMAND…; quiet unless it fails
  local log=$logs/$1.log
  shift
  "$@" >"$log" 2>&1 </dev/null && return
  tail -n 20 "$log" >&2
  return 1
}

fingerprint() { # FILE… and what comes by standard input
  cat - "$@" | sha256sum | cut -d ' ' -f 1
}

is_done() { # STAMP KEY
  [[ -f $1 && $(<"$1") == "$2" ]]
}

found_version() { # COMMAND…
  "$@" 2>/dev/null || echo none
}

main
