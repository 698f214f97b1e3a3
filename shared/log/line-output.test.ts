import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineOutput } from './line-output.js';

/** An output with room for so many bytes, as a disk has. */
class Disk {
  text = '';
  room = Infinity;
  /** How often it is busy before it takes anything. */
  busy = 0;
  waits = 0;

  readonly output = new LineOutput({
    write: (bytes) => this.#write(bytes),
    wait: () => void this.waits++,
    lostLine: (count) => `lost ${count}\n`,
  });

  #write(bytes: Uint8Array): number {
    if (this.busy > 0) {
      this.busy--;
      throw Object.assign(new Error('EAGAIN'), { code: 'EAGAIN' });
    }
    if (this.room === 0) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    const taken = bytes.subarray(0, this.room);
    this.room -= taken.length;
    this.text += Buffer.from(taken).toString();
    return taken.length;
  }
}

test('on a full disk lines are lost, nothing is thrown, and the count is told when there is room again', () => {
  const disk = new Disk();
  disk.output.write('one\n');
  disk.room = 2;
  disk.output.write('two\n');
  disk.output.write('three\n');
  disk.room = Infinity;
  disk.output.write('four\n');
  disk.output.write('five\n');
  assert.equal(disk.text, 'one\ntw\nlost 2\nfour\nfive\n');
  assert.equal(disk.waits, 0);
});

test('a reader that is slow is waited for, one that never reads only once', () => {
  const disk = new Disk();
  disk.busy = 5;
  disk.output.write('one\n');
  assert.deepEqual([disk.text, disk.waits], ['one\n', 5]);
  disk.busy = Infinity;
  disk.output.write('two\n');
  const { waits } = disk;
  assert.ok(waits > 5 && waits < 1000);
  disk.output.write('three\n');
  assert.equal(disk.waits, waits);
  disk.busy = 0;
  disk.output.write('four\n');
  assert.equal(disk.text, 'one\nlost 2\nfour\n');
});

test('what is not ASCII arrives whole, whatever the size of the pieces', () => {
  const disk = new Disk();
  disk.output.write('é€🎉\n');
  assert.equal(disk.text, 'é€🎉\n');
});
