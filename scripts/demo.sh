#!/usr/bin/env bash
# The image-classification demo from nothing: packages, engine, build, cluster of two nodes, images, manifests, pictures, report.
#   npm run demo                          leave it running
#   npm run demo -- --once                remove everything at the end
#   npm run demo -- --pictures DIR        a person's own photographs
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/prepare.sh
[ -d node_modules ] || npm ci --no-fund --no-audit
npm run -s build
exec node dist/scripts/demo.js "$@"
