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
# Three at once on two cores: many of them wait a while for something that takes its time.
unit() { run unit 3 $(tests '\.test\.ts$' | grep -vE '\.(e2e|long)\.test\.js$'); }
# Clusters mostly wait, and never two are there at once; beside them run the tests of single programs, which share nothing with
# them. What these print follows at the end.
e2e() {
  export DOCKER_HOST=${DOCKER_HOST:-unix:///var/run/docker.sock}
  local output failed=0
  output=$(mktemp)
  run 'end-to-end, programs' 1 $(tests '\.e2e\.test\.ts$' | grep -v '^dist/e2e/') >"$output" 2>&1 &
  run 'end-to-end, clusters' 1 $(tests '^e2e/.*\.e2e\.test\.ts$') || failed=1
  wait $! || failed=1
  cat "$output"
  rm "$output"
  return $failed
}

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
