#!/usr/bin/env bash
# Set up everything below this folder from lock files: .venv (Python), node_modules (compiler, chain engine).
# Needs Python >= 3.11, git and make; takes Node from a wheel where the machine has none. A second run takes a second.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }
fail() { say "install: $*"; exit 1; }

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
    "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$candidate"; return; }
  done
  fail "Python 3.11 or newer is needed and was not found; install it (Debian: apt-get install python3 python3-venv) or name it with PYTHON=/path/to/python3."
}

digest() { cat "$@" | .venv/bin/python -c 'import hashlib,sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'; }

if [ ! -x .venv/bin/python ]; then
  python=$(find_python)
  say "install: making .venv with $python"
  rm -rf .venv
  "$python" -m venv .venv || fail "the venv module is missing; install it (Debian: apt-get install python3-venv) and run again."
fi

want=$(digest pyproject.toml requirements/dev.txt requirements/bootstrap.txt)
if [ "$(cat .venv/.installed 2>/dev/null)" != "$want" ]; then
  say "install: Python packages from requirements/dev.txt"
  .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
  .venv/bin/uv pip install -q --python .venv/bin/python --require-hashes -r requirements/dev.txt
  .venv/bin/uv pip install -q --python .venv/bin/python --no-deps --no-build-isolation -e .
  echo "$want" >.venv/.installed
fi

want=$(digest requirements/slither.txt)
if [ "$(cat .venv/slither/.installed 2>/dev/null)" != "$want" ]; then
  # apart, because slither wants an older web3 than ours
  say "install: slither from requirements/slither.txt"
  .venv/bin/uv venv -q --clear --python .venv/bin/python .venv/slither
  .venv/bin/uv pip install -q --python .venv/slither/bin/python --require-hashes -r requirements/slither.txt
  echo "$want" >.venv/slither/.installed
fi

want=$(digest package.json package-lock.json)
if [ "$(cat node_modules/.installed 2>/dev/null)" != "$want" ]; then
  node_ok() { "$1" -e 'process.exit(+process.versions.node.split(".")[0] < 18 ? 1 : 0)' >/dev/null 2>&1; }
  if ! node_ok node || ! command -v npm >/dev/null 2>&1; then
    say "install: Node from requirements/node.txt"
    .venv/bin/uv pip install -q --python .venv/bin/python --require-hashes -r requirements/node.txt
  fi
  say "install: compiler and chain engine from package-lock.json"
  scripts/node npm ci --no-audit --no-fund --loglevel=error || fail "npm ci failed; read its message above, then run make install again."
  echo "$want" >node_modules/.installed
fi
