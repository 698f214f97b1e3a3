import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Endpoint, EndpointSlice, Pod, Service } from '../../shared/api/generated/types.js';
import { maxAddresses, planEndpoints } from '../endpoints/plan-endpoints.js';
import { maxEndpointsPerSlice, planSlices, type SlicesPlan } from './plan-slices.js';

const time = '2026-01-01T00:00:00Z';

function service(more: Partial<NonNullable<Service['spec']>> = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'web',
      namespace: 'ns',
      uid: 's',
      creationTimestamp: time,
      resourceVersion: '1',
      labels: { team: 'x' },
    },
    spec: {
      clusterIP: '10.96.0.9',
      ipFamilies: ['IPv4'],
      selector: { app: 'web' },
      ports: [{ name: 'http', port: 80, targetPort: 'http' }],
      ...more,
    },
  };
}

interface PodGiven {
  ready?: boolean;
  port?: number;
  terminating?: boolean;
  ip?: string;
  phase?: string;
  hostname?: string;
}

function pod(
  number: number,
  { ready = true, port = 8080, terminating, ip, phase = 'Running', hostname }: PodGiven = {},
): Pod {
  const name = `web-${number}`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'ns',
      uid: name,
      creationTimestamp: time,
      resourceVersion: '1',
      ...(terminating ? { deletionTimestamp: time } : {}),
    },
    spec: {
      nodeName: 'n',
      containers: [{ name: 'c', ports: [{ name: 'http', containerPort: port }] }],
      ...(hostname ? { hostname, subdomain: 'web' } : {}),
    },
    status: {
      phase,
      podIP: ip ?? `10.244.${Math.floor(number / 200)}.${(number % 200) + 1}`,
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: time }],
    },
  };
}

/** Carries a plan out on a set of slices. */
function apply(slices: readonly EndpointSlice[], plan: SlicesPlan, nextName: () => string): EndpointSlice[] {
  const gone = new Set(plan.remove.map(({ metadata }) => metadata.name));
  const updated = new Map(plan.update.map((slice) => [slice.metadata.name, slice]));
  const kept = slices
    .filter(({ metadata }) => !gone.has(metadata.name))
    .map((slice) => updated.get(slice.metadata.name) ?? slice);
  const made = plan.create.map((slice): EndpointSlice => {
    const name = nextName();
    return {
      ...slice,
      metadata: { ...slice.metadata, name, uid: name, creationTimestamp: time, resourceVersion: '1' },
    };
  });
  return [...kept, ...made];
}

function run(
  given: Service,
  pods: readonly Pod[],
  slices: readonly EndpointSlice[] = [],
): { plan: SlicesPlan; slices: EndpointSlice[] } {
  let n = slices.length;
  const plan = planSlices({ service: given, pods, slices, zoneOf: () => undefined });
  return { plan, slices: apply(slices, plan, () => `slice-${n++}-${Math.random()}`) };
}
const range = (from: number, to: number): Pod[] => Array.from({ length: to - from }, (_, i) => pod(from + i));

describe('EndpointSlices', () => {
  it('say which endpoints are ready, serving and terminating', () => {
    const pods = [pod(1), pod(2, { ready: false }), pod(3, { terminating: true }), pod(4, { phase: 'Failed' })];
    const [slice] = run(service(), pods).slices;
    const states = slice?.endpoints?.map(({ targetRef, conditions: c }) => [
      targetRef?.name,
      c?.ready,
      c?.serving,
      c?.terminating,
    ]);
    assert.deepEqual(states, [
      ['web-1', true, true, false],
      ['web-2', false, false, false],
      ['web-3', false, true, true],
    ]);
    assert.deepEqual(slice?.metadata.labels, {
      team: 'x',
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    });
  });

  it('publish what is not ready where the Service asks for it', () => {
    const [slice] = run(service({ publishNotReadyAddresses: true }), [pod(1, { ready: false })]).slices;
    assert.deepEqual(slice?.endpoints?.[0]?.conditions, { ready: true, serving: false, terminating: false });
  });

  it('are apart by the number that a named port has in each pod', () => {
    const { slices } = run(service(), [pod(1), pod(2, { port: 9090 }), pod(3)]);
    assert.deepEqual(
      slices.map(({ ports, endpoints }) => [ports?.[0]?.port, endpoints?.length]),
      [
        [8080, 2],
        [9090, 1],
      ],
    );
  });

  it('of a headless Service are labelled and carry host names', () => {
    const [slice] = run(service({ clusterIP: 'None', ports: [] }), [pod(1, { hostname: 'db-0' })]).slices;
    assert.equal(slice?.metadata.labels?.['service.kubernetes.io/headless'], '');
    assert.equal(slice?.endpoints?.[0]?.hostname, 'db-0');
    assert.deepEqual(slice?.ports, []);
  });

  it('are one empty slice where no pod is selected, and it is filled later', () => {
    const empty = run(service(), []);
    assert.equal(empty.slices.length, 1);
    assert.equal(run(service(), [], empty.slices).plan.create.length, 0);
    const filled = run(service(), [pod(1)], empty.slices);
    assert.deepEqual(
      filled.slices.map(({ endpoints }) => endpoints?.length),
      [1],
    );
  });

  it('change by one write for one pod, whatever their number', () => {
    const { slices } = run(service(), range(0, 250));
    assert.deepEqual(
      slices.map(({ endpoints }) => endpoints?.length),
      [100, 100, 50],
    );
    const more = run(service(), range(0, 251), slices).plan;
    assert.deepEqual([more.create.length, more.update.length, more.remove.length], [0, 1, 0]);
    const fewer = run(service(), range(1, 250), slices).plan;
    assert.deepEqual([fewer.create.length, fewer.update.length, fewer.remove.length], [0, 1, 0]);
  });

  it('property: hold every pod exactly once, never too many, and a second pass changes nothing', () => {
    const step = fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { maxLength: 260 });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 4 }), fc.boolean(), (steps, twoPorts) => {
        let slices: EndpointSlice[] = [];
        for (const numbers of steps) {
          const pods = numbers.map((n) => pod(n, { ready: n % 7 !== 0, port: twoPorts && n % 2 ? 9090 : 8080 }));
          slices = run(service(), pods, slices).slices;
          const all = slices.flatMap(({ endpoints }) => endpoints ?? []).map((e: Endpoint) => e.targetRef?.name ?? '');
          assert.equal(all.length, new Set(all).size);
          assert.deepEqual(new Set(all), new Set(pods.map(({ metadata }) => metadata.name)));
          for (const { endpoints } of slices) assert.ok((endpoints?.length ?? 0) <= maxEndpointsPerSlice);
          const { plan } = run(service(), pods, slices);
          assert.deepEqual([plan.create.length, plan.update.length, plan.remove.length], [0, 0, 0]);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('Endpoints', () => {
  it('know ready and not ready, and nothing that terminates', () => {
    const { subsets, labels } = planEndpoints(service(), [
      pod(2, { ready: false }),
      pod(1),
      pod(3, { terminating: true }),
    ]);
    assert.equal(subsets.length, 1);
    assert.deepEqual(
      subsets[0]?.addresses?.map(({ ip }) => ip),
      ['10.244.0.2'],
    );
    assert.deepEqual(
      subsets[0]?.notReadyAddresses?.map(({ ip }) => ip),
      ['10.244.0.3'],
    );
    assert.deepEqual(subsets[0]?.ports, [{ name: 'http', port: 8080, protocol: 'TCP' }]);
    assert.equal(labels['endpoints.kubernetes.io/managed-by'], 'endpoint-controller');
  });

  it('are cut at 1000 addresses, ready ones first, and say so', () => {
    const pods = [...range(0, 990), ...Array.from({ length: 100 }, (_, i) => pod(2000 + i, { ready: false }))];
    const { subsets, annotations } = planEndpoints(service(), pods);
    const [ready, notReady] = [subsets[0]?.addresses?.length ?? 0, subsets[0]?.notReadyAddresses?.length ?? 0];
    assert.deepEqual([ready, ready + notReady], [990, maxAddresses]);
    assert.equal(annotations['endpoints.kubernetes.io/over-capacity'], 'truncated');
  });
});
