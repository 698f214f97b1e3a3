import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { extract } from 'tar-stream';
import { contentHash } from './content-hash.js';
import { changesOf, dockerImages } from './docker-images.js';
import { imageArchive } from './image-archive.js';
import { textFile } from './image-file.js';
import type { ImageConfig, ImageFile } from './image-file.js';
import { CONTENT_HASH_LABEL, importImage } from './import-image.js';
import { busyboxShell, nodeRuntime } from './node-runtime.js';
import { packageTree } from './package-tree.js';
import { parseLdd } from './shared-libraries.js';

const CONFIG: ImageConfig = { entrypoint: ['/bin/x'] };
let folder: string;
let files: ImageFile[];

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'knarr-image-'));
  writeFileSync(join(folder, 'large'), Buffer.alloc(3_000_000, 7));
  files = [
    { kind: 'file', path: '/usr/lib/large', source: join(folder, 'large'), mode: 0o755 },
    textFile('/etc/hello', 'hello\n'),
    { kind: 'link', path: '/bin/sh', target: 'busybox' },
    { kind: 'directory', path: '/tmp', mode: 0o1777 },
  ];
});
after(() => rmSync(folder, { recursive: true }));

test('the archive holds every file once, in order of paths, with mode, content and target', async () => {
  const entries: string[] = [];
  const reader = extract();
  imageArchive([...files, textFile('/etc/hello', 'later\n')]).pipe(reader);
  for await (const entry of reader) {
    let text = '';
    let size = 0;
    for await (const chunk of entry as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size < 100) text += chunk.toString();
    }
    const { name, type, mode, linkname } = entry.header;
    entries.push([name, type, (mode ?? 0).toString(8), linkname ?? '', size > 100 ? size : text.trim()].join(' '));
  }
  assert.deepEqual(entries, [
    'bin/sh symlink 777 busybox ',
    'etc/hello file 644  later',
    'tmp/ directory 1777  ',
    'usr/lib/large file 755  3000000',
  ]);
});

test('a file that cannot be read breaks the archive instead of shortening it', async () => {
  const archive = imageArchive([{ kind: 'file', path: '/x', source: join(folder, 'absent'), mode: 0o644 }]);
  await assert.rejects(archive.toArray(), { code: 'ENOENT' });
});

test('the hash is that of the content: order and repetition do not matter, everything else does', async () => {
  const hash = await contentHash(files, CONFIG);
  assert.match(hash, /^[0-9a-f]{64}$/);
  assert.equal(await contentHash([...files].toReversed(), CONFIG), hash);
  const changed: [ImageFile[], ImageConfig][] = [
    [[...files, textFile('/etc/hello', 'other')], CONFIG],
    [[...files, { kind: 'directory', path: '/tmp', mode: 0o755 }], CONFIG],
    [files, { entrypoint: ['/bin/y'] }],
  ];
  for (const [other, config] of changed) assert.notEqual(await contentHash(other, config), hash);
});

test('the configuration becomes Dockerfile instructions, quoted', () => {
  const changes = changesOf({
    entrypoint: ['/bin/sh', '-c', 'echo "$1"'],
    command: ['x'],
    environment: { A: 'say "$HOME" \\' },
    workingDirectory: '/app',
    exposedPorts: ['80/tcp'],
    user: '1:1',
    labels: { 'a/b': 'c' },
  });
  assert.deepEqual(changes, [
    'ENTRYPOINT ["/bin/sh","-c","echo \\"$1\\""]',
    'CMD ["x"]',
    'ENV A="say \\"\\$HOME\\" \\\\"',
    'WORKDIR /app',
    'EXPOSE 80/tcp',
    'USER 1:1',
    'LABEL "a/b"="c"',
  ]);
});

test('libraries are read from what ldd prints; one that is missing is named', () => {
  const text =
    '\tlinux-vdso.so.1 (0x00007f)\n\tlibc.so.6 => /lib/libc.so.6 (0x00007f)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n';
  assert.deepEqual(parseLdd(text), ['/lib/libc.so.6', '/lib64/ld-linux-x86-64.so.2']);
  assert.throws(() => parseLdd('\tlibm.so.6 => not found\n'), /libm\.so\.6 is not on this machine/);
});

test('the runtime holds Node with libc and its loader; the shell holds sh; sharp comes with its native files', async () => {
  const paths = new Set((await nodeRuntime()).map((file) => file.path));
  assert.ok(paths.has('/usr/bin/node'));
  assert.ok([...paths].some((path) => path.endsWith('/libc.so.6')));
  assert.ok([...paths].some((path) => /\/ld-linux[^/]*\.so/.test(path)));
  assert.ok(busyboxShell().some((file) => file.path === '/bin/sh'));
  assert.throws(() => busyboxShell('/nowhere/busybox'), /apt-get install busybox-static/);
  const tree = (await packageTree({ name: 'sharp', from: process.cwd(), target: '/app' })).map((file) => file.path);
  assert.ok(tree.some((path) => /^\/app\/node_modules\/@img\/sharp-[^/]+\/lib\/.*\.node$/.test(path)));
  assert.ok(tree.some((path) => /^\/app\/node_modules\/@img\/sharp-libvips-[^/]+\/lib\/libvips-cpp/.test(path)));
  assert.ok(tree.includes('/app/node_modules/semver/package.json'), 'dependencies come along');
  assert.ok(
    tree.every((path) => /^\/(app\/node_modules|lib|lib64|usr)\//.test(path)),
    'system libraries keep their places',
  );
  await assert.rejects(packageTree({ name: 'no-such-package', from: process.cwd(), target: '/app' }), /npm install/);
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function engine(context: TestContext, handler: Handler): Promise<string> {
  const socket = join(folder, `engine-${Math.random()}.sock`);
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  context.after(() => server.close());
  return `unix://${socket}`;
}

test('an image is imported once, under its name and with its hash as a label', async (context) => {
  const calls: string[] = [];
  let label: string | undefined;
  const socket = await engine(context, (request, response) => {
    const url = new URL(request.url ?? '', 'http://docker');
    calls.push(`${request.method} ${url.pathname}`);
    if (request.method === 'GET') {
      response.statusCode = label === undefined ? 404 : 200;
      response.end(JSON.stringify({ Config: { Labels: { [CONTENT_HASH_LABEL]: label } } }));
      return;
    }
    assert.equal(url.searchParams.get('repo'), 'knarr/addons');
    assert.equal(url.searchParams.get('fromSrc'), '-');
    label = /LABEL "knarr\.dev\/content-hash"="([0-9a-f]{64})"/.exec(
      url.searchParams.getAll('changes').join('\n'),
    )?.[1];
    let size = 0;
    request.on('data', (chunk: Buffer) => (size += chunk.length));
    request.on('end', () => {
      assert.ok(size > 3_000_000);
      response.end('{"status":"sha256:1234"}\n');
    });
  });
  const docker = dockerImages(socket);
  const first = await importImage({ docker, repository: 'knarr/addons', files, config: CONFIG });
  assert.equal(first.isNew, true);
  assert.equal(first.contentHash, label);
  assert.equal(first.reference, `knarr/addons:${first.contentHash.slice(0, 12)}`);
  const second = await importImage({ docker, repository: 'knarr/addons', files, config: CONFIG });
  assert.equal(second.isNew, false);
  const path = `/images/${first.reference}/json`;
  assert.deepEqual(calls, [`GET ${path}`, 'POST /images/create', `GET ${path}`]);
  await assert.rejects(importImage({ docker, repository: 'a', tag: 'latest', files, config: CONFIG }), /another tag/);
});

test('an error of the engine is told with what was attempted, also when it comes after a 200', async (context) => {
  const late = dockerImages(
    await engine(context, (request, response) =>
      request.resume().on('end', () => response.end('{"error":"no space left"}')),
    ),
  );
  const archive = (): ReturnType<typeof imageArchive> => imageArchive(files);
  await assert.rejects(late.importArchive({ repository: 'a', tag: 'b', config: CONFIG, archive: archive() }), {
    message: 'the Docker Engine cannot import the image a:b: no space left',
  });
  const early = dockerImages(
    await engine(context, (request, response) => {
      request.resume();
      response.statusCode = 500;
      response.end('{"message":"broken"}');
    }),
  );
  await assert.rejects(early.labels('a:b'), {
    message: 'the Docker Engine cannot look at the image a:b: broken (status 500)',
  });
});

test('an engine that does not answer is said in one sentence with the remedy', async () => {
  await assert.rejects(
    dockerImages(`unix://${folder}/absent.sock`).labels('a:b'),
    /does not answer on .*absent\.sock \(ENOENT\): start it with/,
  );
});
