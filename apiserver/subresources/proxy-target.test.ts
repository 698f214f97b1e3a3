import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Resource } from '../../shared/api/resource.js';
import { StatusError } from '../../shared/errors/status-error.js';
import type { RequestInfo } from '../http/request-info.js';
import type { ObjectReader } from '../registry/object-reader.js';
import { proxyTarget } from './proxy-target.js';

const named = (name: string, rest: object, labels?: Record<string, string>): object => ({
  metadata: { name, ...(labels ? { labels } : {}) },
  ...rest,
});
const containers = [
  { name: 'a' },
  { name: 'b', ports: [{ name: 'web', containerPort: 8080 }, { containerPort: 9090 }] },
];
const slice = (service: string, ports: object[], endpoints: object[]): object =>
  named(`${service}-1`, { ports, endpoints }, { 'kubernetes.io/service-name': service });
const twoPorts = [
  { name: 'web', port: 80 },
  { name: 'tls', port: 443 },
];
const stored: Readonly<Record<string, readonly object[]>> = {
  nodes: [named('n', {})],
  pods: [
    named('p', { spec: { containers }, status: { podIP: '10.0.0.1' } }),
    named('bare', { spec: { containers: [{ name: 'a' }] }, status: { podIP: '10.0.0.2' } }),
  ],
  services: [
    named('one', { spec: { ports: [{ port: 80 }] } }),
    named('two', { spec: { ports: twoPorts } }),
    named('idle', { spec: { ports: [{ port: 80 }] } }),
  ],
  endpointslices: [
    slice('one', [{ port: 8080 }], [{ addresses: ['10.0.0.3'] }]),
    slice(
      'two',
      [
        { name: 'web', port: 8080 },
        { name: 'tls', port: 8443 },
      ],
      [
        { addresses: ['10.0.0.4'], conditions: { ready: false } },
        { addresses: ['10.0.0.5'], conditions: { ready: true } },
      ],
    ),
    slice('idle', [{ port: 8080 }], [{ addresses: ['10.0.0.6'], conditions: { ready: false } }]),
  ],
};
const listOf = (resource: Pick<Resource, 'resource'>): KubernetesObject[] =>
  (stored[resource.resource] ?? []) as KubernetesObject[];
const objects = {
  find: (resource: Resource, _namespace: string | undefined, name: string) =>
    listOf(resource).find(({ metadata }) => metadata.name === name),
  list: listOf,
} as unknown as Pick<ObjectReader, 'find' | 'list'>;
const kubelets = { addressOf: () => ({ host: '192.0.2.1', port: 10_250 }) };

/** `scheme://host:port`, or the code of the refusal. */
function where(resource: string, name: string): string {
  try {
    const info = { resource, namespace: 'default', name } as RequestInfo;
    const { scheme, host, port } = proxyTarget(info, objects, kubelets, () => 0);
    return `${scheme}://${host}:${port}`;
  } catch (error) {
    if (error instanceof StatusError) return String(error.code);
    throw error;
  }
}

describe('a proxy request', () => {
  const cases: readonly (readonly [resource: string, name: string, target: string])[] = [
    ['pods', 'p', 'http://10.0.0.1:8080'],
    ['pods', 'p:9090', 'http://10.0.0.1:9090'],
    ['pods', 'p:web', 'http://10.0.0.1:8080'],
    ['pods', 'https:p:', 'https://10.0.0.1:8080'],
    ['pods', 'https:p:8443', 'https://10.0.0.1:8443'],
    ['pods', ':p:', 'http://10.0.0.1:8080'],
    ['pods', 'bare', 'http://10.0.0.2:80'],
    ['pods', 'https:bare:', 'https://10.0.0.2:443'],
    ['pods', 'ftp:p:80', '400'],
    ['pods', 'http:p:80:1', '400'],
    ['pods', 'p:70000', '400'],
    ['pods', 'none', '404'],
    ['services', 'one', 'http://10.0.0.3:8080'],
    ['services', 'one:80', 'http://10.0.0.3:8080'],
    ['services', 'https:one:', 'https://10.0.0.3:8080'],
    ['services', 'two:web', 'http://10.0.0.5:8080'],
    ['services', 'two:443', 'http://10.0.0.5:8443'],
    ['services', 'https:two:tls', 'https://10.0.0.5:8443'],
    ['services', 'https:two:443', 'https://10.0.0.5:8443'],
    ['services', 'two', '503'],
    ['services', 'two:8443', '503'],
    ['services', 'idle', '503'],
    ['services', 'none', '404'],
    ['nodes', 'n', 'https://192.0.2.1:10250'],
    ['nodes', 'n:10250', 'https://192.0.2.1:10250'],
    ['nodes', 'n:9100', 'http://192.0.2.1:9100'],
    ['nodes', 'https:n:9100', 'https://192.0.2.1:9100'],
    ['nodes', 'none', '404'],
  ];
  for (const [resource, name, target] of cases) {
    it(`for ${resource}/${name} goes to ${target}`, () => assert.equal(where(resource, name), target));
  }
});
