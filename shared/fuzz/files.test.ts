import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadKubeconfig, resolveContext } from '../client/kubeconfig.js';
import { ManifestError, readManifests } from '../manifest/manifest.js';
import { readCorpusFile } from './corpus-file.js';
import { unescapeLine } from './corpus-line.js';
import { fileCorpus } from './testing/texts.js';
import { processorWatch } from '../clock/processor-time.js';

/** Only the command itself waits for a file. */
const maxMs = 5000;
let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'knarr-fuzz-files-'));
});
after(() => rm(directory, { recursive: true, force: true }));

/** A mistake in a file is told in a sentence; a mistake of ours shows as an error of the language. */
function assertTold(error: unknown, line: string): void {
  const isOurs = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  assert.ok(error instanceof Error && !isOurs && error.message !== '', `${line.slice(0, 300)} -> ${String(error)}`);
}

async function inTime(line: string, run: () => void | Promise<void>): Promise<void> {
  const spentMs = processorWatch();
  await run();
  const tookMs = spentMs();
  assert.ok(tookMs < maxMs, `${line.slice(0, 300)} took ${tookMs} ms`);
}

test('a hostile manifest is read, or refused with its place, in time', async () => {
  for (const line of readCorpusFile(fileCorpus('manifest'))) {
    const text = unescapeLine(line).toString('utf8');
    await inTime(line, () => {
      try {
        for (const { value, locate } of readManifests(text, { file: 'f.yaml', maxTokens: 20_000 })) {
          JSON.stringify(value);
          locate(['spec', 0, 'a']);
        }
      } catch (error) {
        assertTold(error, line);
        assert.ok(error instanceof ManifestError, `${line.slice(0, 300)} -> ${String(error)}`);
      }
    });
  }
});

test('a hostile kubeconfig is read, or refused in a sentence', async () => {
  const path = join(directory, 'config');
  for (const line of readCorpusFile(fileCorpus('kubeconfig'))) {
    await writeFile(path, unescapeLine(line));
    await inTime(line, async () => {
      try {
        await resolveContext(await loadKubeconfig(path), path);
      } catch (error) {
        assertTold(error, line);
      }
    });
  }
});
