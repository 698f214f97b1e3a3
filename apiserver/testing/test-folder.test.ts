import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import { testFolder } from './test-folder.js';

const module = new URL('./test-folder.js', import.meta.url).href;

describe('folders of tests', () => {
  const parent = mkdtempSync(join(tmpdir(), 'knarr-test-folder-'));
  after(() => rmSync(parent, { recursive: true }));

  it('those of living processes stay, those of dead ones go when the next is made', async () => {
    const own = testFolder('own', parent);
    const script = `import { testFolder } from '${module}'; testFolder('other', '${parent}'); setInterval(() => {}, 1e6);`;
    const other = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
    const find = (): string => readdirSync(parent).find((name) => name.includes('-other-')) ?? assert.fail('none yet');
    const left = join(parent, await eventually(find, 20_000));
    writeFileSync(join(left, 'file'), '');
    rmSync(testFolder('own', parent), { recursive: true });
    assert.ok(existsSync(left), 'its process lives');
    const ended = once(other, 'exit');
    other.kill('SIGKILL');
    await ended;
    rmSync(testFolder('own', parent), { recursive: true });
    assert.ok(!existsSync(left));
    assert.ok(existsSync(own));
  });

  it('a process that has the number of a dead one does not keep its folder', () => {
    const name = basename(testFolder('own', parent)).replace(/^(\d+-\d+)-\d+-/, '$1-1-');
    mkdirSync(join(parent, name));
    testFolder('own', parent);
    assert.ok(!existsSync(join(parent, name)));
  });

  it('what is not called like one, belongs to other processes, or is a link is left alone', () => {
    const elsewhere = join(parent, 'elsewhere');
    mkdirSync(elsewhere);
    const link = join(parent, '1-999999999-1-link-x');
    symlinkSync(elsewhere, link);
    const foreign = join(parent, '1-999999999-1-foreign-x');
    mkdirSync(foreign);
    testFolder('own', parent);
    for (const path of [elsewhere, link, foreign]) assert.ok(existsSync(path), path);
    const linked = join(elsewhere, 'parent');
    symlinkSync(parent, linked);
    assert.throws(() => testFolder('own', linked), /belongs to somebody else/);
  });
});
