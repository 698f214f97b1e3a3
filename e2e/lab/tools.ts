import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { command } from './command.js';

/** The kubectl of Debian's kubernetes-client, whatever kubectl is on PATH. */
export const debianKubectl = (): Promise<string> => debianProgram('kubernetes-client', 'usr/bin/kubectl');

/** A program of a Debian package: fetched and unpacked, not installed, so that it starts no service of its own. */
export async function debianProgram(name: string, path: string): Promise<string> {
  const folder = resolve('dist/tools', name);
  const program = join(folder, path);
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  await command(['bash', '-c', `cd '${folder}' && apt-get download -qq ${name}`], { timeoutMs: 300_000 });
  const file = readdirSync(folder).find((f) => f.endsWith('.deb'));
  if (!file) throw new Error(`apt-get download gave no ${name} package`);
  await command(['dpkg-deb', '-x', join(folder, file), folder]);
  return program;
}
