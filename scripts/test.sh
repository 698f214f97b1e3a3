#!/usr/bin/env bash
# Everything that must hold before a change lands.
#   scripts/test.sh          checks, unit tests, end-to-end tests (npm test)
#   scripts/test.sh long     drills and comparisons with the reference data (npm run test:long)
#   scripts/test.sh unit     unit tests alone
#   scripts/test.sh e2e      end-to-end tests alone
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-all}

bash scripts/prepare.sh "$([ "$what" = long ] && echo long || echo tests)"
[ -d node_modules ] || npm ci --no-fund --no-audit
npm run -s build

# Tests of a kind by the names of their sources, so that a stale file in dist is never run.
tests() { git ls-files --cached --others --exclude-standard '*.test.ts' | grep -E "$1" | sed -E 's#^(.*)\.ts$#dist/\1.js#'; }
run() { # title, concurrency, files ...
  local title=$1 width=$2
  shift 2
  [ "$#" -gt 0 ] || { echo "no $title tests" >&2; exit 1; }
  echo "== $title: $# files"
  node --enable-source-maps --test --test-concurrency="$width" --test-timeout=900000 --test-reporter=spec "$@"
}
unit() { run unit 2 $(tests '\.test\.ts$' | grep -vE '\.(e2e|long)\.test\.js$'); }
e2e() { DOCKER_HOST=${DOCKER_HOST:-unix:///var/run/docker.sock} run end-to-end 1 $(tests '\.e2e\.test\.ts$'); }

case $what in
  all)
    npm run -s check
    unit
    e2e
    ;;
  unit) unit ;;
  e2e) e2e ;;
  long)
    reference=${KNARR_REFERENCE:-../shared/data}
    [ -d "$reference" ] || { echo "The reference data is not at $reference; set KNARR_REFERENCE" >&2; exit 1; }
    export KNARR_REFERENCE=$(cd "$reference" && pwd)
    DOCKER_HOST=${DOCKER_HOST:-unix:///var/run/docker.sock} run long 1 $(tests '\.long\.test\.ts$')
    ;;
  *)
    echo "usage: scripts/test.sh [all|unit|e2e|long]" >&2
    exit 2
    ;;
esac
