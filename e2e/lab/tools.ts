import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { command } from './command.js';

/** The kubectl of Debian's kubernetes-client, whatever kubectl is on PATH: fetched as a package and unpacked, not installed. */
export async function debianKubectl(): Promise<string> {
  const folder = resolve('dist/tools/kubernetes-client');
  const program = join(folder, 'usr/bin/kubectl');
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  await command(['bash', '-c', `cd '${folder}' && apt-get download -qq kubernetes-client`], { timeoutMs: 300_000 });
  const file = readdirSync(folder).find((f) => f.endsWith('.deb'));
  if (!file) throw new Error('apt-get download gave no kubernetes-client package');
  await command(['dpkg-deb', '-x', join(folder, file), folder]);
  return program;
}
