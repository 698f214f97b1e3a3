import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { extract } from 'tar-stream';
import { buildDemoImages } from './images.js';

async function entriesOf(request: IncomingMessage): Promise<Map<string, string>> {
  const entries = new Map<string, string>();
  const reader = request.pipe(extract());
  for await (const entry of reader) {
    const { name, linkname } = entry.header;
    let head = '';
    for await (const chunk of entry as AsyncIterable<Buffer>)
      if (head.length < 1000) head += chunk.toString('latin1', 0, 1000);
    entries.set(name, linkname ?? head);
  }
  return entries;
}

test('the three images have the names of the manifests and hold all that their programs open', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'knarr-demo-images-'));
  const images = new Map<string, { entries: Map<string, string>; changes: string[] }>();
  const engine = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://docker');
    if (request.method === 'GET') {
      response.writeHead(404).end('{"message":"no such image"}');
      return;
    }
    void entriesOf(request).then((entries) => {
      const name = `${url.searchParams.get('repo')}:${url.searchParams.get('tag')}`;
      images.set(name, { entries, changes: url.searchParams.getAll('changes') });
      response.end('{"status":"sha256:1"}');
    });
  });
  const socket = join(folder, 'docker.sock');
  await new Promise<void>((resolve) => engine.listen(socket, resolve));
  const lines: string[] = [];
  await buildDemoImages({ dockerSocket: socket, log: (line) => lines.push(line) });
  assert.deepEqual(lines, [
    'zoomcamp-10-model:xception-v4-001 built',
    'zoomcamp-10-gateway:002 built',
    'ml-serving:1.0 built',
  ]);
  const model = images.get('zoomcamp-10-model:xception-v4-001');
  const gateway = images.get('zoomcamp-10-gateway:002');
  const small = images.get('ml-serving:1.0');
  for (const path of [
    'app/model/model.json',
    'app/model/weights.bin',
    'app/main.js',
    'app/serving.proto',
    'app/tensorflow.proto',
    'usr/bin/node',
  ]) {
    assert.ok(model?.entries.has(path), path);
  }
  assert.ok(!model?.entries.has('app/model/reference-inputs.bin'), 'reference pictures are for tests');
  for (const path of [
    'app/page/index.html',
    'app/samples/hat-1.jpg',
    'app/node_modules/sharp/package.json',
    'app/main.js',
    'etc/passwd',
  ]) {
    assert.ok(gateway?.entries.has(path), path);
  }
  assert.match(gateway?.entries.get('app/main.js') ?? '', /createRequire/);
  assert.equal(gateway?.entries.get('bin/sh'), 'busybox');
  assert.ok(gateway?.changes.includes('USER 65532:65532'));
  assert.ok(!small?.entries.has('usr/bin/node'), 'the small one stays small');
  assert.match(small?.changes[0] ?? '', /^ENTRYPOINT \["\/bin\/sh","-c","hostname /);
  engine.close();
  rmSync(folder, { recursive: true });
});
