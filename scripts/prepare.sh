#!/usr/bin/env bash
# Makes a machine ready: packages of Debian or Ubuntu, and a Docker Engine that answers.
#   scripts/prepare.sh         what running a cluster needs
#   scripts/prepare.sh tests   also what the tests alone need
#   scripts/prepare.sh long    also what the long tests alone need
# As root it installs what is missing; otherwise it says what to type.
set -euo pipefail

commands=(dockerd:docker.io nft:nftables ip:iproute2 iptables:iptables busybox:busybox-static nsenter:util-linux sysctl:procps)
if [ "${1:-}" = tests ] || [ "${1:-}" = long ]; then
  commands+=(kubectl:kubernetes-client docker-compose:docker-compose chromium:chromium strace:strace curl:curl openssl:openssl docker-registry:docker-registry htpasswd:apache2-utils protoc:protobuf-compiler)
  # Of a library, the folder that it brings tells whether it is there.
  commands+=(/usr/lib/python3/dist-packages/kubernetes:python3-kubernetes)
fi
if [ "${1:-}" = long ]; then
  commands+=(mmdebstrap:mmdebstrap patchelf:patchelf)
  # Of Debian's next release: clients and engines as new as what Knarr serves, and what Kubernetes itself is built from.
  later=(
    docker.io docker-cli docker-compose kubectl prometheus
    golang-go golang-k8s-client-go-dev golang-k8s-apimachinery-dev golang-k8s-api-dev golang-k8s-apiserver-dev
    golang-k8s-sigs-structured-merge-diff-dev golang-k8s-kube-openapi-dev golang-k8s-sigs-yaml-dev
    golang-github-evanphx-json-patch-dev golang-github-google-cel-go-dev
  )
fi

missing=()
for entry in "${commands[@]}"; do
  [ -d "${entry%%:*}" ] || PATH="$PATH:/usr/sbin:/sbin" command -v "${entry%%:*}" >/dev/null 2>&1 || missing+=("${entry#*:}")
done
if [ "${#missing[@]}" -gt 0 ]; then
  if [ "$(id -u)" != 0 ]; then
    echo "These packages are missing: ${missing[*]}. Install them with: sudo apt-get install ${missing[*]}" >&2
    exit 1
  fi
  command -v apt-get >/dev/null || { echo "These programs are missing: ${missing[*]}. Install them with your package manager." >&2; exit 1; }
  echo "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/tmp/knarr-apt.log 2>&1 || { tail -5 /tmp/knarr-apt.log >&2; exit 1; }
fi

# e2e/lab/later-debian.ts knows the folder.
[ -z "${later:-}" ] || "$(dirname "$0")/later-debian.sh" forky /var/cache/knarr/forky "${later[@]}"

socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
socket=${socket#unix://}
answers() { node -e "require('http').get({socketPath:'$socket',path:'/_ping',timeout:2000},r=>process.exit(r.statusCode===200?0:1)).on('error',()=>process.exit(1)).on('timeout',()=>process.exit(1))"; }
if ! answers; then
  if [ "$(id -u)" != 0 ]; then
    echo "The Docker Engine does not answer on $socket. Start it with: sudo systemctl start docker" >&2
    exit 1
  fi
  echo "starting the Docker Engine"
  if [ -d /run/systemd/system ]; then systemctl start docker; else (PATH="$PATH:/usr/sbin:/sbin" nohup setsid dockerd >/var/log/knarr-dockerd.log 2>&1 &); fi
  for _ in $(seq 60); do answers && break; sleep 0.5; done
  answers || { echo "The Docker Engine did not start within 30 s; its log ends:" >&2; tail -5 /var/log/knarr-dockerd.log >&2; exit 1; }
fi
