import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, type FindCluster, isReady, pod, podWhere, shell } from '../workloads/pod.js';

/** More than the 10 MB after which the engine begins a new file. */
const lines = 12_000;
const write = `{ p = sprintf("%990s", "x"); for (i = 1; i <= ${lines}; i++) print i, p }`;
const count = '$1 != NR { print "line " $1 " after " NR - 1; exit } END { print NR }';

/** Logs that the engine rotates. */
export function rotationTests(cluster: FindCluster): void {
  test('a log is followed through its rotation, and read whole afterwards', async () => {
    const script = `until [ -e /tmp/go ]; do sleep 0.1; done; awk 'BEGIN ${write}'`;
    await create(cluster(), pod('talkative', { restartPolicy: 'Never', containers: [shell('main', script)] }));
    await podWhere(cluster(), 'talkative', isReady);
    const counted = async (flags: string): Promise<string> => {
      const read = `kubectl logs talkative ${flags} | awk '${count}'`;
      return (await cluster().host.run(['bash', '-c', read])).stdout.trim();
    };
    const following = counted('-f');
    await cluster().kubectl(['exec', 'talkative', '--', 'touch', '/tmp/go']);
    assert.equal(await following, String(lines));
    assert.equal(await counted(''), String(lines));
    assert.equal((await cluster().kubectl(['logs', 'talkative', '--tail=1'])).split(' ')[0], String(lines));
    await cluster().kubectl(['delete', 'pod', 'talkative', '--wait=false']);
  });
}
