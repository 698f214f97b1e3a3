#!/usr/bin/env bash
# Unpacks packages of a later Debian, with all they need, into a folder: beside the system, not into it. Nothing is
# installed or started. The tests meet newer engines and clients there, and the libraries of Kubernetes itself.
#   scripts/later-debian.sh SUITE FOLDER PACKAGE...
# A folder that already has just these packages stays as it is.
set -euo pipefail
suite=$1 folder=$2
shift 2
wanted="$suite $*"
[ "$(cat "$folder/.packages" 2>/dev/null || true)" != "$wanted" ] || exit 0
echo "unpacking packages of Debian's $suite into $folder"
log=/tmp/knarr-later-debian.log
making=$folder.making
rm -rf "$folder" "$making"
mkdir -p "$(dirname "$folder")"
packages=$*
# A mirror may be a copy of some weeks ago, whose lists say that they are out of date.
mmdebstrap --variant=extract --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' \
  --include="${packages// /,}" "$suite" "$making" >"$log" 2>&1 || { tail -5 "$log" >&2; exit 1; }
echo "$wanted" >"$making/.packages"
mv "$making" "$folder"
