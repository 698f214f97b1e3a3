import type { Command } from 'commander';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ServedEncryption } from './encryption.js';
import { Failure } from './failure.js';
import { pkiFiles } from './identity.js';
import { Progress } from './progress.js';
import { clusterFiles, readState, type ClusterFiles, type ClusterState } from './state.js';

interface EncryptionFlags {
  readonly name: string;
  readonly resources?: readonly string[];
}

/** Keys with which Secrets lie on the disk. */
export function addEncryptionCommands(program: Command, named: (command: Command) => Command): void {
  const encryption = program.command('encryption').description('encryption of Secrets at rest');
  named(encryption.command('status')).description('show the keys, and what is encrypted with each').action(runStatus);
  named(encryption.command('rotate'))
    .description('make a new key, write every encrypted object again with it, and remove the old keys')
    .option('--resources <names>', 'encrypt these from now on, e.g. secrets,configmaps', (text) => text.split(','))
    .action(runRotate);
}

function serverOn(name: string): { files: ClusterFiles; state: ClusterState; path: string } {
  const files = clusterFiles(homedir(), name);
  const state = readState(files);
  if (state?.role !== 'server')
    throw new Failure(`The server of cluster "${name}" does not run on this machine; its keys are there`);
  return { files, state, path: join(files.pki, pkiFiles.encryptionKeys) };
}

async function runStatus({ name }: EncryptionFlags): Promise<void> {
  const { files, state, path } = serverOn(name);
  const [{ readConfig, hashOfConfig }, { connect }, { readServed }] = await Promise.all([
    import('../../shared/encryption/key-file.js'),
    import('./connection.js'),
    import('./encryption.js'),
  ]);
  const config = readConfig(path);
  const client = await connect(files, state);
  let served: ServedEncryption | undefined;
  try {
    served = await readServed(client, AbortSignal.timeout(10_000));
  } catch (error) {
    process.stderr.write(`the API server does not answer: ${(error as Error).message}\n`);
  } finally {
    client.close();
  }
  const lines = [
    `key file: ${path}`,
    `encrypted: ${config.resources.join(', ')}`,
    ...config.keys.map(({ id }, i) => `key: ${id}${i === 0 ? ' (encrypts)' : ''}`),
    ...(config.rotation === undefined
      ? []
      : [`a rotation to ${config.rotation} is not finished: knarr encryption rotate goes on with it`]),
    ...(served ? [`in use by the API server: ${served.hash === hashOfConfig(config) ? 'yes' : 'not yet'}`] : []),
    ...(served?.objects ?? []).map(
      ({ resource, keyId, count, isStale }) =>
        `${resource}: ${count} ${keyId === '' ? 'not encrypted' : `with ${keyId}`}${isStale ? ', to be written again' : ''}`,
    ),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (!served) process.exitCode = 1;
}

async function runRotate({ name, resources }: EncryptionFlags): Promise<void> {
  const { files, state, path } = serverOn(name);
  const [{ connect }, { rotate }, { systemClock }] = await Promise.all([
    import('./connection.js'),
    import('./encryption.js'),
    import('../../shared/clock/clock.js'),
  ]);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const client = await connect(files, state);
  const progress = new Progress();
  try {
    const key = await rotate({
      path,
      client,
      clock: systemClock,
      signal: stop.signal,
      say: (step) => progress.step(step),
      ...(resources ? { resources } : {}),
    });
    progress.done(`everything is encrypted with ${key}; keep a copy of ${path}, apart from copies of the store`);
  } finally {
    client.close();
  }
}
