// Writes dist/image/rootfs.tar: all that the containers of docker-compose.yml need, from this machine's own files. No registry is asked.
import { createWriteStream, existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { imageArchive } from '../shared/image/image-archive.js';
import type { ImageFile } from '../shared/image/image-file.js';
import { baseFiles, busyboxShell, libraryFiles, nodeRuntime } from '../shared/image/node-runtime.js';
import { folderFiles, packageTree } from '../shared/image/package-tree.js';

const root = resolve('.');
const app = '/opt/knarr';

/** Programs that kubelet, kube-proxy and `knarr internal init` call, each at the path where containers look for it. */
const tools: Readonly<Record<string, readonly string[]>> = {
  '/usr/sbin/nft': ['/usr/sbin/nft', '/sbin/nft'],
  '/usr/sbin/iptables': ['/usr/sbin/xtables-nft-multi', '/sbin/xtables-nft-multi'],
  '/usr/sbin/ip': ['/usr/bin/ip', '/bin/ip', '/sbin/ip', '/usr/sbin/ip'],
  '/usr/bin/nsenter': ['/usr/bin/nsenter', '/bin/nsenter'],
};

function toolFiles(): ImageFile[] {
  return Object.entries(tools).map(([path, candidates]) => {
    const source = candidates.find((c) => existsSync(c));
    if (!source) throw new Error(`none of ${candidates.join(', ')} is on this machine: run scripts/prepare.sh`);
    return { kind: 'file', path, source, mode: 0o755 };
  });
}

/** Extensions that iptables loads by name (comment, conntrack ...). */
function iptablesExtensions(): ImageFile[] {
  const folder = ['/usr/lib/x86_64-linux-gnu/xtables', '/usr/lib/aarch64-linux-gnu/xtables', '/usr/lib/xtables'].find(
    (f) => existsSync(f),
  );
  if (!folder) throw new Error('the extensions of iptables are not on this machine: run scripts/prepare.sh');
  return folderFiles(folder, folder);
}

/** The add-ons' image is made inside the container, and asks `ldd` which libraries it needs; the usual one is a bash script around this. */
function ldd(libraries: readonly ImageFile[]): ImageFile {
  const loader = libraries.find(({ path }) => /\/ld-linux[^/]*$/.test(path));
  if (!loader) throw new Error('Node needs no dynamic loader on this machine, and images of it cannot be made');
  const bytes = Buffer.from(`#!/bin/sh\nexec ${loader.path} --list "$@"\n`);
  return { kind: 'bytes', path: '/usr/bin/ldd', bytes, mode: 0o755 };
}

/** Nodes tell which system they run on: this one, whose files they are made of. */
function systemName(): ImageFile[] {
  const path = '/etc/os-release';
  return existsSync(path) ? [{ kind: 'file', path, source: path, mode: 0o644 }] : [];
}

const programs = toolFiles();
const sources = programs.flatMap((f) => (f.kind === 'file' ? [f.source] : []));
const node = await nodeRuntime();
const files: ImageFile[] = [
  ...node,
  ldd(node),
  ...systemName(),
  ...busyboxShell(),
  ...baseFiles(),
  ...programs,
  ...iptablesExtensions(),
  ...(await libraryFiles(sources)),
  ...folderFiles(join(root, 'dist/bin'), `${app}/dist/bin`, /\.map$/),
  { kind: 'file', path: `${app}/bin/knarr`, source: join(root, 'bin/knarr'), mode: 0o755 },
  { kind: 'file', path: `${app}/package.json`, source: join(root, 'package.json'), mode: 0o644 },
  { kind: 'link', path: '/usr/bin/knarr', target: `${app}/bin/knarr` },
  { kind: 'link', path: '/usr/bin/env', target: '/bin/busybox' },
  ...(await packageTree({ name: 'classic-level', from: root, target: app })),
];
mkdirSync('dist/image', { recursive: true });
await pipeline(imageArchive(files), createWriteStream('dist/image/rootfs.tar'));
process.stdout.write('dist/image/rootfs.tar is written\n');
