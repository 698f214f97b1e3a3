import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { unescapeLine } from '../../../shared/fuzz/corpus-line.js';
import { families, readCorpus } from './corpus.js';
import type { Family } from './family.js';
import { FuzzServer } from './fuzz-server.js';

/** Nobody else may wait longer than this for whatever one client sends. */
const maxStallMs = 250;
/** More than a server needs for this few objects means that something of the requests stays. */
const maxResidentBytes = 600 * 1024 * 1024;
const inFlight = 8;
const batchSize = 64;

/** Sends every `nth` line of each corpus to a real server. */
export function describeFuzzing(nth: number): void {
  describe(`hostile inputs, one in ${nth}`, () => {
    let server: FuzzServer;
    before(async () => {
      server = await FuzzServer.start();
    });
    after(() => server.close());

    for (const family of families) {
      it(`${family.name}: no answer of 500, no crash, nobody waits`, async () => {
        const lines = readCorpus(family.name).filter((_, index) => index % nth === 0);
        const faults: string[] = [];
        for (let at = 0; at < lines.length; at += batchSize) {
          const batch = lines.slice(at, at + batchSize);
          const mark = server.mark;
          faults.push(...(await sendAll(server, family, batch)));
          if (server.maxStallMs(mark) > maxStallMs) faults.push(...(await stalling(server, family, batch)));
        }
        assert.deepEqual(faults, []);
      });
    }

    it('the server is well afterwards, and holds no more than it should', async () => {
      assert.ok((await server.residentBytes()) < maxResidentBytes);
      assert.deepEqual(server.complaints(), []);
    });
  });
}

/** A few at a time; a line of text for each that got a wrong answer. */
async function sendAll(server: FuzzServer, family: Family, lines: readonly string[]): Promise<string[]> {
  const faults: string[] = [];
  const queue = [...lines];
  const work = async (): Promise<void> => {
    for (let line = queue.shift(); line !== undefined; line = queue.shift()) {
      const fault = await server.send(family.send(unescapeLine(line)));
      if (fault !== undefined) faults.push(`${line.slice(0, 500)} -> ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  return faults;
}

/** Those of a batch that stop the event loop for too long on their own, twice. */
async function stalling(server: FuzzServer, family: Family, lines: readonly string[]): Promise<string[]> {
  const guilty: string[] = [];
  for (const line of lines) {
    let leastMs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 2 && leastMs > maxStallMs; round++) {
      const mark = server.mark;
      await server.send(family.send(unescapeLine(line)));
      leastMs = Math.min(leastMs, server.maxStallMs(mark));
    }
    if (leastMs > maxStallMs) guilty.push(`${line.slice(0, 500)} -> stood still for ${leastMs} ms`);
  }
  return guilty;
}
