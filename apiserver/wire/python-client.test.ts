import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startTestServer } from '../testing/test-server.js';

test("Debian's Python client: objects, patches, watches, pages, the dynamic client, metadata", async () => {
  const server = await startTestServer();
  try {
    // The client that the distribution packages, whatever Python stands first on PATH.
    const run = promisify(execFile)('/usr/bin/python3', [resolve('apiserver/wire/python-client.py')], {
      env: { ...process.env, KUBECONFIG: server.kubeconfigPath },
      timeout: 60_000,
    });
    assert.match((await run).stdout, /python ok/);
  } finally {
    await server.close();
  }
});
