import { test } from 'node:test';
import type { Host } from '../lab/host.js';

const suites = ['docker-runtime', 'docker-behaviour'].map((name) => `dist/kubelet/runtime/docker/${name}.e2e.test.js`);

/** The kubelet's own tests of its runtime, on a host's engine. */
export function runtimeSuites(find: () => Host): void {
  test("the kubelet's own suites hold on this engine", async () => {
    const argv = [process.execPath, '--test', '--test-concurrency=1', '--test-reporter=spec', ...suites];
    // A runner below a runner would report to that one, and run nothing.
    await find().run([...argv, 'dist/kubelet/kubelet.e2e.test.js'], {
      env: { NODE_TEST_CONTEXT: undefined },
      timeoutMs: 240_000,
    });
  });
}
