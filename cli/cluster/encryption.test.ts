import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EncryptionConfig } from '../../shared/encryption/key-file.js';
import { nextStep } from './encryption.js';

const key = (id: string): { id: string; secret: Buffer } => ({ id, secret: Buffer.alloc(32) });
const plain: EncryptionConfig = { keys: [key('key-1')], resources: ['secrets'], identity: false, rotation: undefined };

/** Each file that the steps write, as `KEYS / RESOURCES / what is under way`. */
function run(config: EncryptionConfig, resources?: readonly string[]): string[] {
  const files: string[] = [];
  let hasStale = true;
  let hasBegun = false;
  for (let i = 0; i < 20; i++) {
    const step = nextStep(config, { resources, hasStale, hasBegun }, (former) => key(`key-${former.length + 1}`));
    hasBegun = true;
    if (step.type === 'done') return files;
    if (step.type === 'rewrite') {
      hasStale = false;
      files.push('rewrite');
      continue;
    }
    config = step.config;
    const { keys, rotation, identity } = config;
    const ids = keys.map(({ id }) => id).join(' ');
    files.push(`${ids} / ${config.resources.join(' ')} / ${rotation ?? '-'}${identity ? ' identity' : ''}`);
  }
  return assert.fail(`no end: ${files.join('\n')}`);
}

test('a rotation adds the key, uses it, writes everything again, and removes the old one', () => {
  assert.deepEqual(run(plain), [
    'key-1 key-2 / secrets / key-2',
    'key-2 key-1 / secrets / key-2',
    'rewrite',
    'key-2 / secrets / -',
  ]);
});

test('a rotation that was interrupted goes on with the same key', () => {
  const keys = [key('key-1'), key('key-2')] as const;
  const added = { ...plain, keys, rotation: 'key-2' };
  assert.deepEqual(run(added), ['key-2 key-1 / secrets / key-2', 'rewrite', 'key-2 / secrets / -']);
  const used = { ...plain, keys: [keys[1], keys[0]] as const, rotation: 'key-2' };
  assert.deepEqual(run(used), ['rewrite', 'key-2 / secrets / -']);
});

test('other resources are encrypted, and read in plain text only until all are written again', () => {
  assert.deepEqual(run(plain, ['secrets', 'configmaps']), [
    'key-1 key-2 / secrets / key-2',
    'key-1 key-2 / secrets configmaps / key-2 identity',
    'key-2 key-1 / secrets configmaps / key-2 identity',
    'rewrite',
    'key-2 / secrets configmaps / -',
  ]);
});
