import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  Device,
  DeviceClass,
  DeviceRequest,
  ResourceClaimStatus,
  ResourceSlice,
  ResourceSliceSpec,
  ResourceV1ResourceClaim,
} from '../../shared/api/generated/types.js';
import { deviceClassDefinition } from './deviceclass.js';
import { resourceClaimDefinition } from './resourceclaim.js';
import { resourceClaimTemplateDefinition } from './resourceclaimtemplate.js';
import { resourceSliceDefinition } from './resourceslice.js';
import { createErrors, meta, row, updateErrors } from './testing.js';

const NOW = Date.parse('2024-01-01T00:05:00Z');
const claim = (...requests: DeviceRequest[]): ResourceV1ResourceClaim => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaim',
  metadata: meta('c'),
  spec: { devices: { requests } },
});
const one: DeviceRequest = { name: 'r', exactly: { deviceClassName: 'c' } };

test('a request for devices asks for one of a class unless it says more', () => {
  const given = claim(structuredClone(one));
  assert.deepEqual(createErrors(resourceClaimDefinition, given), []);
  assert.deepEqual(given.spec.devices?.requests?.[0]?.exactly, {
    deviceClassName: 'c',
    allocationMode: 'ExactCount',
    count: 1,
  });
});

test('requests, constraints and configurations of a claim fit together', () => {
  const either = 'exactly one of `exactly` or `firstAvailable` is required';
  const table: [DeviceRequest[], string[]][] = [
    [[{ name: 'r' }], [`spec.devices.requests[0]: Required value: ${either}`]],
    [
      [{ ...one, firstAvailable: [{ name: 'a', deviceClassName: 'c' }] }],
      [`spec.devices.requests[0]: Invalid value: null: ${either}, but multiple fields are set`],
    ],
    [[one, one], ['spec.devices.requests[1]: Duplicate value: "r"']],
    [
      [{ name: 'r', exactly: { deviceClassName: '', allocationMode: 'All', count: 2 } }],
      [
        'spec.devices.requests[0].exactly.deviceClassName: Required value',
        "spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'",
      ],
    ],
  ];
  for (const [requests, expected] of table)
    assert.deepEqual(createErrors(resourceClaimDefinition, claim(...structuredClone(requests))), expected);
  const given = claim(structuredClone(one));
  given.spec.devices = {
    ...given.spec.devices,
    constraints: [{ requests: ['r/x'], matchAttribute: 'plain' }],
    config: [{ requests: ['r'], opaque: { driver: 'example.com', parameters: [] } }],
  };
  assert.deepEqual(createErrors(resourceClaimDefinition, given), [
    'spec.devices.constraints[0].requests[0]: Invalid value: "r/x": must be the name of a request in the claim or the name of a request and a subrequest separated by \'/\'',
    'spec.devices.constraints[0].matchAttribute: Invalid value: "plain": a fully qualified name must be a domain and a name separated by a slash',
    'spec.devices.config[0].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object',
  ]);
});

test('what a claim asks for stays', () => {
  const changed = updateErrors(resourceClaimDefinition, claim(structuredClone(one)), ({ spec }) => {
    spec.devices = {};
  });
  assert.match(changed.join(), /^spec: Invalid value: .*: field is immutable$/);
});

test('a claim is allocated once, and reserved only then', () => {
  const result = { request: 'r', driver: 'example.com', pool: 'p', device: 'd' };
  const allocated: ResourceClaimStatus = { allocation: { devices: { results: [result] } } };
  const consumer = { resource: 'pods', name: 'p', uid: 'u' };
  const write = (before: ResourceClaimStatus, after: ResourceClaimStatus): string[] => {
    const old = { ...claim(one), status: before };
    const next = { ...claim(one), status: structuredClone(after) };
    resourceClaimDefinition.strategy.prepareForStatusUpdate?.(next, old);
    return (resourceClaimDefinition.strategy.validateStatusUpdate?.(next, old) ?? []).map(
      ({ path, message }) => `${path}: ${message}`,
    );
  };
  assert.deepEqual(write({}, allocated), []);
  assert.deepEqual(write({}, { reservedFor: [consumer] }), [
    'status.reservedFor: Forbidden: may not be specified when `allocated` is not set',
  ]);
  assert.deepEqual(write(allocated, { ...allocated, reservedFor: [consumer, consumer] }), [
    'status.reservedFor[1]: Duplicate value: "u"',
  ]);
  assert.match(
    write(allocated, { allocation: { devices: { results: [{ ...result, device: 'e' }] } } }).join(),
    /^status\.allocation: Invalid value: .*: field is immutable$/,
  );
  const device = { driver: 'example.com', pool: 'p', device: 'd' };
  assert.deepEqual(write(allocated, { ...allocated, devices: [device] }), []);
  assert.deepEqual(write({}, { devices: [device] }), [
    'status.devices[0]: Invalid value: "example.com/p/d": must be an allocated device in the claim',
  ]);
  // What a driver reported goes with the device.
  assert.deepEqual(write({ ...allocated, devices: [device] }, { devices: [device] }), []);
});

test('the state of a claim is told in words', () => {
  const state = (status: ResourceClaimStatus, deletionTimestamp?: string): unknown => {
    const metadata = meta('c', deletionTimestamp ? { deletionTimestamp } : {});
    return row(resourceClaimDefinition, { ...claim(one), metadata, status }, NOW)['State'];
  };
  assert.equal(state({}), 'pending');
  assert.equal(state({ allocation: {} }), 'allocated');
  const used = { allocation: {}, reservedFor: [{ resource: 'pods', name: 'p', uid: 'u' }] };
  assert.equal(state(used), 'allocated,reserved');
  assert.equal(state(used, '2024-01-01T00:01:00Z'), 'deleted,allocated,reserved');
});

test('a template of claims carries labels and annotations only', () => {
  const errors = createErrors(resourceClaimTemplateDefinition, {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaimTemplate',
    metadata: meta('t'),
    spec: { metadata: { name: 'x', labels: { a: '-' } }, spec: { devices: { requests: [structuredClone(one)] } } },
  });
  assert.equal(errors.length, 2);
  assert.match(errors[0] ?? '', /^spec\.metadata\.labels: Invalid value: "-"/);
  assert.equal(errors[1], 'spec.metadata.name: Forbidden: cannot be set');
});

test('a class of devices selects by expressions', () => {
  const given = (spec: DeviceClass['spec']): DeviceClass => ({
    apiVersion: 'resource.k8s.io/v1',
    kind: 'DeviceClass',
    metadata: { ...meta('c'), namespace: '' },
    spec,
  });
  assert.deepEqual(
    createErrors(deviceClassDefinition, given({ selectors: [{}], config: [{}], extendedResourceName: 'cpu' })),
    [
      'spec.selectors[0].cel: Required value',
      'spec.config[0].opaque: Required value',
      'spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name',
    ],
  );
  const deep =
    'device.attributes.all(a, device.attributes.all(b, device.attributes.all(c, device.attributes.all(d, a == b))))';
  const table: [expression: string, problem: RegExp | undefined][] = [
    ['device.attributes["a.example"].model == "m" && device.allowMultipleAllocations', undefined],
    ['device.capacity["a.example"].memory.compareTo(quantity("1Gi")) >= 0', undefined],
    [
      'cel.bind(a, device.attributes["a.example"], has(a.version) && a.version.isGreaterThan(semver("1.0.0")))',
      undefined,
    ],
    ['device.driver', /Invalid value: "device.driver": must evaluate to bool or the unknown type, not string$/],
    ['device.nope', /Invalid value: "device.nope": compilation failed: ERROR: <input>:1:7: undefined field 'nope'/],
    [deep, /Forbidden: too complex, exceeds cost limit$/],
    ['x'.repeat(10_241), /Too long: may not be more than 10240 bytes$/],
  ];
  for (const [expression, problem] of table) {
    const [error = ''] = createErrors(deviceClassDefinition, given({ selectors: [{ cel: { expression } }] }));
    if (problem) assert.match(error, problem);
    else assert.equal(error, '', expression);
  }
});

const slice = (devices: Device[], more: Partial<ResourceSliceSpec> = {}): ResourceSlice => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceSlice',
  metadata: { ...meta('s'), namespace: '' },
  spec: {
    driver: 'example.com',
    pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
    nodeName: 'n',
    devices,
    ...more,
  },
});

test('a slice stands on one node, on some, or on all', () => {
  const text = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
  const { nodeName: _nodeName, ...nowhere } = slice([]).spec;
  assert.deepEqual(createErrors(resourceSliceDefinition, { ...slice([]), spec: nowhere }), [
    `spec: Required value: ${text}`,
  ]);
  assert.deepEqual(createErrors(resourceSliceDefinition, slice([], { allNodes: true })), [
    `spec: Invalid value: "{\`nodeName\`, \`allNodes\`}": ${text}, but multiple fields are set`,
  ]);
  const changed = updateErrors(resourceSliceDefinition, slice([]), ({ spec }) => {
    spec.nodeName = 'm';
    spec.driver = 'other.com';
  });
  assert.deepEqual(changed, [
    'spec.driver: Invalid value: "other.com": field is immutable',
    'spec.nodeName: Invalid value: "m": field is immutable',
  ]);
});

test('the devices of a slice are described by attributes and capacities of one kind each', () => {
  const table: [Partial<Device>, string[]][] = [
    [{ attributes: { model: { string: 'm' }, 'example.com/version': { version: '1.2.3-rc.1' } } }, []],
    [
      { attributes: { a: {} } },
      ['spec.devices[0].attributes[a]: Invalid value: "": exactly one value must be specified'],
    ],
    [
      { attributes: { a: { version: '1' } } },
      [
        'spec.devices[0].attributes[a].version: Invalid value: "1": must be a string compatible with semver.org spec 2.0.0',
      ],
    ],
    [
      { attributes: { a: { string: 'x'.repeat(65) } } },
      ['spec.devices[0].attributes[a].string: Too long: may not be more than 64 bytes'],
    ],
    [
      { capacity: { memory: { value: '10', requestPolicy: { default: '1' } } } },
      ['spec.devices[0].capacity[memory].requestPolicy: Forbidden: allowMultipleAllocations must be true'],
    ],
    [
      {
        allowMultipleAllocations: true,
        capacity: { memory: { value: '10', requestPolicy: { default: '5', validRange: { min: '2', step: '2' } } } },
      },
      [
        'spec.devices[0].capacity[memory].requestPolicy.validRange.step: Invalid value: "5": value is not a multiple of a given step (2) from (2)',
      ],
    ],
    [
      { taints: [{ key: 'k', effect: 'Later' }] },
      [
        'spec.devices[0].taints[0].effect: Unsupported value: "Later": supported values: "NoExecute", "NoSchedule", "None"',
      ],
    ],
    [
      { bindingConditions: ['a'] },
      [
        'spec.devices[0].bindingFailureConditions: Invalid value: []: bindingFailureConditions are required to use bindingConditions',
      ],
    ],
    [
      { nodeName: 'n' },
      [
        'spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
      ],
    ],
  ];
  for (const [device, expected] of table)
    assert.deepEqual(createErrors(resourceSliceDefinition, slice([{ name: 'd', ...device }])), expected);
  const many = Array.from({ length: 129 }, (_, index) => ({ name: `d${index}` }));
  assert.deepEqual(createErrors(resourceSliceDefinition, slice(many)), [
    'spec.devices: Too many: 129: must have at most 128 items',
  ]);
});

test('a taint says since when it is there', () => {
  const given = slice([{ name: 'd', taints: [{ key: 'k', effect: 'None' }] }]);
  resourceSliceDefinition.strategy.prepareForCreate?.(given);
  assert.equal(given.spec.devices?.[0]?.taints?.[0]?.timeAdded, '2024-01-01T00:00:00Z');
  given.spec.devices?.[0]?.taints?.push({ key: 'l', effect: 'None' });
  resourceSliceDefinition.strategy.prepareForUpdate?.(given, given, '2024-02-02T00:00:00Z');
  assert.equal(given.spec.devices?.[0]?.taints?.[1]?.timeAdded, '2024-02-02T00:00:00Z');
});
