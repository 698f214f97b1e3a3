import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../shared/api/generated/types.js';
import { eventually } from '../../shared/clock/eventually.js';
import { create, type FindCluster, shell } from './pod.js';

const cgi = (name: string, script: string): string =>
  `printf '%s\\n' '#!/bin/sh' 'echo; ${script}' > /www/cgi-bin/${name}; chmod +x /www/cgi-bin/${name}`;
const serve = (...steps: readonly string[]): string =>
  ['mkdir -p /www/cgi-bin', ...steps, 'exec httpd -f -p 8080 -h /www'].join('\n');

/** Who takes entries, who copies them to be read, and who stands before both. */
const tiers: readonly { readonly tier: string; readonly replicas: number; readonly script: string }[] = [
  {
    tier: 'primary',
    replicas: 1,
    script: serve('touch /www/entries', cgi('add', 'echo "$QUERY_STRING" >> /www/entries; echo stored')),
  },
  {
    tier: 'replica',
    replicas: 2,
    script: serve(
      '(while :; do wget -qO /www/next http://guestbook-primary/entries && mv /www/next /www/entries; sleep 0.3; done) &',
    ),
  },
  {
    tier: 'frontend',
    replicas: 2,
    script: serve(
      cgi('add', 'wget -qO- "http://guestbook-primary/cgi-bin/add?$QUERY_STRING"'),
      cgi('list', 'wget -qO- http://guestbook-replica/entries'),
    ),
  },
];

function objectsOf({ tier, replicas, script }: (typeof tiers)[number]): object[] {
  const labels = { app: 'guestbook', tier };
  const metadata = { name: `guestbook-${tier}`, labels };
  const containers = [shell('main', script, { readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 } })];
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers } };
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { replicas, selector: { matchLabels: labels }, template },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    },
  ];
}

/** The application of several tiers that conformance writes to and reads from. */
export function guestbookTests(cluster: FindCluster): void {
  test('what is written to an application of three tiers is read back through its frontend, until it is stopped', async () => {
    const kubectl = (...args: string[]): Promise<string> => cluster().kubectl(args, { timeoutMs: 100_000 });
    await create(cluster(), ...tiers.flatMap(objectsOf));
    for (const { tier } of tiers) await kubectl('rollout', 'status', `deployment/guestbook-${tier}`, '--timeout=90s');
    const address = await kubectl('get', 'service', 'guestbook-frontend', '-o', 'jsonpath={.spec.clusterIP}');
    const url = `http://${address}/cgi-bin`;
    for (const [entry, all] of [
      ['first', 'first\n'],
      ['second', 'first\nsecond\n'],
    ] as const) {
      await eventually(async () => assert.equal(await cluster().fetch(`${url}/list`), all.slice(0, -entry.length - 1)));
      assert.equal(await cluster().fetch(`${url}/add?${entry}`), 'stored\n');
      await eventually(async () => assert.equal(await cluster().fetch(`${url}/list`), all), 20_000, 200);
    }
    await kubectl('delete', 'deployments,services', '-l', 'app=guestbook');
    const left = async (): Promise<Pod[]> =>
      (await cluster().get<{ items: Pod[] }>('pods', '-l', 'app=guestbook')).items;
    await eventually(async () => assert.deepEqual(await left(), []), 60_000, 500);
  });
}
