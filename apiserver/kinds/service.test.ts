import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service, ServiceSpec } from '../../shared/api/generated/types.js';
import { serviceDefinition } from './service.js';
import { createErrors, meta, updateErrors } from './testing.js';

const service = (spec: ServiceSpec = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: meta('web'),
  spec: { ports: [{ port: 80 }], ...spec },
});

test('a minimal service gets the defaults of the original', () => {
  const given = service({ type: 'LoadBalancer', selector: { app: 'web' } });
  assert.deepEqual(createErrors(serviceDefinition, given), []);
  assert.deepEqual(given.spec, {
    type: 'LoadBalancer',
    selector: { app: 'web' },
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    sessionAffinity: 'None',
    externalTrafficPolicy: 'Cluster',
    internalTrafficPolicy: 'Cluster',
    allocateLoadBalancerNodePorts: true,
    ipFamilyPolicy: 'SingleStack',
    ipFamilies: ['IPv4'],
  });
  assert.deepEqual(given.status, { loadBalancer: {} });
  const sticky = service({ sessionAffinity: 'ClientIP' });
  createErrors(serviceDefinition, sticky);
  assert.equal(sticky.spec?.sessionAffinityConfig?.clientIP?.timeoutSeconds, 10800);
});

test('a service that breaks a rule is told which', () => {
  const table: [string, ServiceSpec, string[]][] = [
    ['no ports', { ports: [] }, ['spec.ports: Required value']],
    ['headless needs none', { ports: [], clusterIP: 'None' }, []],
    [
      'names of several ports',
      { ports: [{ port: 80 }, { port: 81, name: 'a' }] },
      ['spec.ports[0].name: Required value'],
    ],
    [
      'ports',
      {
        ports: [
          { name: 'a', port: 0 },
          { name: 'a', port: 80, targetPort: 'Bad_Name' },
        ],
      },
      [
        'spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
        'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
        'spec.ports[1].name: Duplicate value: "a"',
        'spec.ports[1].targetPort: Invalid value: "Bad_Name": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      ],
    ],
    [
      'the same port twice',
      {
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 80 },
        ],
      },
      ['spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}'],
    ],
    [
      'type',
      { type: 'Public' },
      [
        'spec.type: Unsupported value: "Public": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    ['no name', { type: 'ExternalName', ports: [] }, ['spec.externalName: Required value']],
    [
      'node port of a cluster service',
      { ports: [{ port: 80, nodePort: 30000 }] },
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      'headless node port',
      { type: 'NodePort', clusterIP: 'None' },
      [`spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services`],
    ],
    [
      'address',
      { clusterIP: '10.0.0' },
      [
        'spec.clusterIPs[0]: Invalid value: "10.0.0": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        'spec.clusterIPs[0]: Invalid value: "10.0.0": expected an IPv4 value as indicated by `ipFamilies[0]`',
      ],
    ],
    [
      'external address',
      { externalIPs: ['127.0.0.1'] },
      ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'],
    ],
    [
      'policy without reach',
      { externalTrafficPolicy: 'Local' },
      ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'],
    ],
  ];
  for (const [title, spec, expected] of table)
    assert.deepEqual(createErrors(serviceDefinition, service(spec)), expected, title);
});

test('a service has a name that can stand in DNS', () => {
  const given = service();
  given.metadata = meta('1web');
  assert.match(
    createErrors(serviceDefinition, given).join(),
    /^metadata\.name: Invalid value: "1web": a DNS-1035 label must/,
  );
});

test('the address of a service stays, its ports may change', () => {
  const allocated = { clusterIP: '10.96.0.5', clusterIPs: ['10.96.0.5'] };
  assert.deepEqual(
    updateErrors(serviceDefinition, service(allocated), ({ spec }) => {
      if (spec) spec.clusterIP = '10.96.0.6';
    }),
    ['spec.clusterIPs[0]: Invalid value: ["10.96.0.6"]: may not change once set'],
  );
  assert.deepEqual(
    updateErrors(serviceDefinition, service(allocated), ({ spec }) => {
      spec?.ports?.push({ name: 'b', port: 81 });
      if (spec?.ports?.[0]) spec.ports[0].name = 'a';
    }),
    [],
  );
});

test('a manifest without the allocated address keeps it', () => {
  const old = service({
    type: 'NodePort',
    clusterIP: '10.96.0.5',
    clusterIPs: ['10.96.0.5'],
    ports: [{ port: 80, nodePort: 30080 }],
  });
  const next = service({ type: 'NodePort' });
  assert.deepEqual(
    updateErrors(serviceDefinition, old, (object) => {
      object.spec = structuredClone(next.spec) ?? {};
    }),
    [],
  );
  serviceDefinition.strategy.defaults?.(next);
  serviceDefinition.strategy.prepareForUpdate?.(next, old);
  assert.equal(next.spec?.clusterIP, '10.96.0.5');
  assert.equal(next.spec?.ports?.[0]?.nodePort, 30080);
});

test('a service that becomes an external name gives its address back', () => {
  const old = service({ clusterIP: '10.96.0.5', clusterIPs: ['10.96.0.5'] });
  assert.deepEqual(
    updateErrors(serviceDefinition, old, ({ spec }) => {
      if (!spec) return;
      spec.type = 'ExternalName';
      spec.externalName = 'example.com';
    }),
    [],
  );
});

test('only a load balancer has an address in its status', () => {
  const given = service();
  given.status = { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } };
  serviceDefinition.strategy.defaults?.(given);
  assert.equal(given.status.loadBalancer?.ingress?.[0]?.ipMode, 'VIP');
  const errors = serviceDefinition.strategy.validateStatusUpdate?.(given, service()) ?? [];
  assert.equal(errors[0]?.message, "Forbidden: may only be used when `spec.type` is 'LoadBalancer'");
});
