import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';

import { pack, type Header } from 'tar-stream';

const APPLETS = [
  'sh',
  'cat',
  'echo',
  'sleep',
  'nc',
  'httpd',
  'ps',
  'id',
  'ls',
  'dd',
  'tail',
  'hostname',
  'stty',
  'tr',
  'seq',
];
const APPLET_FOLDER = '/bin';

/** For tests: the host's static busybox as an image, in the form that `docker save` writes. */
export async function busyboxImage(reference: string): Promise<Readable> {
  const layer = await tar([
    { header: { name: 'bin/busybox', mode: 0o755 }, data: await readFile('/bin/busybox') },
    ...APPLETS.map((name) => ({
      header: { name: `bin/${name}`, type: 'symlink' as const, linkname: `${APPLET_FOLDER}/busybox` },
    })),
    { header: { name: 'tmp', type: 'directory' as const, mode: 0o1777 } },
  ]);
  const config = JSON.stringify({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Env: ['PATH=/bin'], Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(layer).digest('hex')}`] },
  });
  const manifest = [{ Config: 'config.json', RepoTags: [reference], Layers: ['layer.tar'] }];
  const image = await tar([
    { header: { name: 'layer.tar' }, data: layer },
    { header: { name: 'config.json' }, data: Buffer.from(config) },
    { header: { name: 'manifest.json' }, data: Buffer.from(JSON.stringify(manifest)) },
  ]);
  return Readable.from([image]);
}

function tar(entries: readonly { header: Partial<Header> & { name: string }; data?: Buffer }[]): Promise<Buffer> {
  const archive = pack();
  for (const { header, data } of entries) {
    if (data) archive.entry(header, data);
    else archive.entry(header);
  }
  archive.finalize();
  return buffer(Readable.from(archive));
}
