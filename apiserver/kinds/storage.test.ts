import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeSpec,
  StorageClass,
  VolumeAttachment,
  VolumeAttributesClass,
} from '../../shared/api/generated/types.js';
import { csiDriverDefinition } from './csidriver.js';
import { csiNodeDefinition } from './csinode.js';
import { csiStorageCapacityDefinition } from './csistoragecapacity.js';
import { persistentVolumeDefinition } from './persistentvolume.js';
import { persistentVolumeClaimDefinition } from './persistentvolumeclaim.js';
import { storageClassDefinition } from './storageclass.js';
import { createErrors, meta, row, updateErrors } from './testing.js';
import { volumeAttachmentDefinition } from './volumeattachment.js';
import { volumeAttributesClassDefinition } from './volumeattributesclass.js';

const NOW = Date.parse('2024-01-01T00:05:00Z');
const cluster = (name: string, annotations?: Record<string, string>) => {
  const { namespace: _namespace, ...rest } = meta(name);
  return annotations ? { ...rest, annotations } : rest;
};
const volume = (spec: PersistentVolumeSpec): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: cluster('v'),
  spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], ...spec },
});
const claim = (spec: PersistentVolumeClaimSpec = {}): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: meta('c'),
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});
const csi = { driver: 'example.com', volumeHandle: 'h' };

test('a volume has one source, a capacity and access modes', () => {
  const table: [PersistentVolumeSpec, string[]][] = [
    [{ hostPath: { path: '/data' } }, []],
    [{}, ['spec: Required value: must specify a volume type']],
    [{ hostPath: { path: '/a' }, csi }, ['spec.csi: Forbidden: may not specify more than 1 volume type']],
    [{ csi, accessModes: [] }, ['spec.accessModes: Required value']],
    [
      { csi, accessModes: ['ReadWriteOncePod', 'ReadOnlyMany'] },
      ['spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes'],
    ],
    [{ csi, capacity: { storage: '0' } }, ['spec.capacity[storage]: Invalid value: "0": must be greater than zero']],
    [{ csi, capacity: { cpu: '1' } }, ['spec.capacity: Unsupported value: {"cpu":"1"}: supported values: "storage"']],
    [
      { hostPath: { path: '/x/..' }, persistentVolumeReclaimPolicy: 'Recycle' },
      [
        'spec.hostPath.path: Invalid value: "/x/..": must not contain \'..\'',
        "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
      ],
    ],
    [{ local: { path: '/d' } }, ['spec.nodeAffinity: Required value: Local volume requires node affinity']],
    [
      { nfs: { server: '', path: 'a' } },
      ['spec.nfs.server: Required value', 'spec.nfs.path: Invalid value: "a": must be an absolute path'],
    ],
    [
      { csi: { driver: 'BAD_', volumeHandle: '', nodePublishSecretRef: { name: 's' } } },
      [
        "spec.csi.driver: Invalid value: \"BAD_\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        'spec.csi.volumeHandle: Required value',
        'spec.csi.nodePublishSecretRef.namespace: Required value',
      ],
    ],
    [
      { iscsi: { targetPortal: 't', iqn: 'x', lun: 300, chapAuthSession: true } },
      [
        'spec.iscsi.iqn: Invalid value: "x": must be valid format',
        'spec.iscsi.lun: Invalid value: 300: must be between 0 and 255, inclusive',
        'spec.iscsi.secretRef: Required value',
      ],
    ],
    [{ rbd: { image: 'i', monitors: [] } }, ['spec.rbd.monitors: Required value']],
    [
      { hostPath: { path: '/a' }, volumeAttributesClassName: 'gold' },
      ['spec.csi: Required value: has to be specified when using volumeAttributesClassName'],
    ],
  ];
  for (const [spec, expected] of table)
    assert.deepEqual(createErrors(persistentVolumeDefinition, volume(spec)), expected, JSON.stringify(spec));
});

test('where the bytes of a volume are stays; an affinity may be added, and follow renamed labels', () => {
  const change = (spec: PersistentVolumeSpec, to: (spec: PersistentVolumeSpec) => void): string[] =>
    updateErrors(persistentVolumeDefinition, volume(spec), (next) => to(next.spec));
  const affinity = (key: string) => ({
    required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'Exists' }] }] },
  });
  const moved = change({ csi }, (spec) => {
    spec.csi = { ...csi, volumeHandle: 'other' };
  });
  assert.match(
    moved[0] ?? '',
    /^spec\.persistentvolumesource: Forbidden: spec\.persistentvolumesource is immutable after/,
  );
  assert.deepEqual(
    change({ csi }, (spec) => {
      spec.csi = { ...csi, controllerExpandSecretRef: { name: 's', namespace: 'n' } };
      spec.nodeAffinity = affinity('a');
      spec.capacity = { storage: '2Gi' };
    }),
    [],
  );
  const old = { csi, nodeAffinity: affinity('beta.kubernetes.io/os') };
  assert.deepEqual(
    change(old, (spec) => {
      spec.nodeAffinity = affinity('kubernetes.io/os');
    }),
    [],
  );
  assert.match(
    change(old, (spec) => {
      spec.nodeAffinity = affinity('b');
    }).join(),
    /^nodeAffinity: Invalid value: .*: field is immutable$/,
  );
});

test('the phase of a volume has a time, the one given or that of the write', () => {
  const old = volume({ csi });
  old.status = { phase: 'Pending', lastPhaseTransitionTime: '2024-01-01T00:00:00Z' };
  const write = (status: PersistentVolume['status']): string | undefined => {
    const next = structuredClone(old);
    next.status = { ...old.status, ...status };
    persistentVolumeDefinition.strategy.prepareForStatusUpdate?.(next, old, '2024-02-02T00:00:00Z');
    return next.status.lastPhaseTransitionTime;
  };
  assert.equal(write({ phase: 'Bound' }), '2024-02-02T00:00:00Z');
  assert.equal(write({ phase: 'Pending', message: 'm' }), '2024-01-01T00:00:00Z');
  assert.equal(write({ phase: 'Bound', lastPhaseTransitionTime: '2024-03-03T00:00:00Z' }), '2024-03-03T00:00:00Z');
});

test('a volume and a claim are shown as kubectl shows them', () => {
  const given = volume({ csi, claimRef: { namespace: 'n', name: 'c' }, storageClassName: 's' });
  given.status = { phase: 'Bound' };
  persistentVolumeDefinition.strategy.defaults?.(given);
  assert.deepEqual(row(persistentVolumeDefinition, given, NOW), {
    Name: 'v',
    Capacity: '1Gi',
    'Access Modes': 'RWO',
    'Reclaim Policy': 'Retain',
    Status: 'Bound',
    Claim: 'n/c',
    StorageClass: 's',
    VolumeAttributesClass: '<unset>',
    Reason: '',
    Age: '5m',
    VolumeMode: 'Filesystem',
  });
  const asked = claim();
  persistentVolumeClaimDefinition.strategy.defaults?.(asked);
  asked.status = { phase: 'Pending' };
  const pending = row(persistentVolumeClaimDefinition, asked, NOW);
  assert.deepEqual(Object.values(pending), ['c', 'Pending', '', '', '', '', '<unset>', '5m', 'Filesystem']);
  asked.spec.volumeName = 'v';
  asked.status = { phase: 'Bound', capacity: { storage: '2Gi' }, accessModes: ['ReadWriteMany', 'ReadOnlyMany'] };
  asked.metadata.deletionTimestamp = '2024-01-01T00:01:00Z';
  const bound = row(persistentVolumeClaimDefinition, asked, NOW);
  assert.deepEqual(Object.values(bound).slice(1, 5), ['Terminating', 'v', '2Gi', 'ROX,RWX']);
});

test('a claim asks for storage with good modes', () => {
  const table: [PersistentVolumeClaimSpec, string[]][] = [
    [{}, []],
    [{ accessModes: [] }, ['spec.accessModes: Required value: at least 1 access mode is required']],
    [{ resources: {} }, ['spec.resources[storage]: Required value']],
    [{ volumeMode: 'Tape' }, ['spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"']],
    [
      { accessModes: ['Sometimes'] },
      [
        'spec.accessModes: Unsupported value: "Sometimes": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
      ],
    ],
    [
      { dataSourceRef: { kind: 'Pod', name: 'p' } },
      [
        'spec.dataSource: Invalid value: "Pod": must be \'PersistentVolumeClaim\' when referencing the default apiGroup',
        'spec.dataSourceRef: Invalid value: "Pod": must be \'PersistentVolumeClaim\' when referencing the default apiGroup',
      ],
    ],
    [
      {
        dataSource: { kind: 'PersistentVolumeClaim', name: 'a' },
        dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'b' },
      },
      ['spec: Invalid value: "spec.dataSource": must match dataSourceRef'],
    ],
  ];
  for (const [spec, expected] of table)
    assert.deepEqual(createErrors(persistentVolumeClaimDefinition, claim(spec)), expected, JSON.stringify(spec));
});

test('the two fields for the source of a claim say the same, and the old one drops what it cannot name', () => {
  const settled = (spec: PersistentVolumeClaimSpec): PersistentVolumeClaimSpec => {
    const given = claim(spec);
    persistentVolumeClaimDefinition.strategy.prepareForCreate?.(given);
    return given.spec;
  };
  const snapshot = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' };
  assert.deepEqual(settled({ dataSource: snapshot }).dataSourceRef, snapshot);
  assert.deepEqual(settled({ dataSourceRef: { ...snapshot, kind: 'Book' } }).dataSource, { ...snapshot, kind: 'Book' });
  assert.equal(settled({ dataSourceRef: { ...snapshot, namespace: 'n' } }).dataSource, undefined);
  const dropped = settled({ dataSource: { apiGroup: 'example.com', kind: 'Book', name: 'b' } });
  assert.equal(dropped.dataSource ?? dropped.dataSourceRef, undefined);
});

test('a bound claim grows, shrinks no further than it is, and changes nothing else', () => {
  const old = claim({ storageClassName: 's', volumeName: 'v' });
  const change = (to: (spec: PersistentVolumeClaimSpec) => void): string[] => {
    const before = structuredClone(old);
    persistentVolumeClaimDefinition.strategy.defaults?.(before);
    before.status = { phase: 'Bound', capacity: { storage: '1Gi' } };
    const next = structuredClone(before);
    to(next.spec);
    return (persistentVolumeClaimDefinition.strategy.validateUpdate?.(next, before) ?? []).map(
      ({ path, message }) => `${path}: ${message}`,
    );
  };
  const size = (storage: string) => (spec: PersistentVolumeClaimSpec) => {
    spec.resources = { requests: { storage } };
  };
  assert.deepEqual(change(size('2Gi')), []);
  assert.deepEqual(change(size('512Mi')), [
    'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
  ]);
  const immutable =
    'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
  assert.deepEqual(
    change((spec) => {
      spec.accessModes = ['ReadWriteMany'];
    }),
    [immutable],
  );
  assert.deepEqual(
    change((spec) => {
      delete spec.storageClassName;
    }),
    [immutable],
  );
  assert.deepEqual(
    change((spec) => {
      spec.volumeAttributesClassName = 'gold';
    }),
    [],
  );
});

test('a claim that waits takes a volume and a class once, and does not grow', () => {
  assert.deepEqual(
    updateErrors(persistentVolumeClaimDefinition, claim(), ({ spec }) => {
      spec.volumeName = 'v';
      spec.storageClassName = 's';
    }),
    [],
  );
  const grown = updateErrors(persistentVolumeClaimDefinition, claim(), ({ spec }) => {
    spec.resources = { requests: { storage: '2Gi' } };
  });
  assert.equal(grown.length, 1);
});

test('a storage class keeps what its volumes were made with', () => {
  const given = (more: Partial<StorageClass> = {}): StorageClass => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: cluster('s', { 'storageclass.kubernetes.io/is-default-class': 'true' }),
    provisioner: 'example.com/x',
    ...more,
  });
  assert.deepEqual(createErrors(storageClassDefinition, given({ provisioner: '', reclaimPolicy: 'Recycle' })), [
    'provisioner: Required value',
    'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
  ]);
  const term = { matchLabelExpressions: [{ key: 'zone', values: ['a', 'a'] }] };
  assert.deepEqual(createErrors(storageClassDefinition, given({ allowedTopologies: [term, term] })), [
    'allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: "a"',
    'allowedTopologies[1].matchLabelExpressions[0].values[1]: Duplicate value: "a"',
    'allowedTopologies[1].matchLabelExpressions: Duplicate value: ""',
  ]);
  assert.deepEqual(
    updateErrors(storageClassDefinition, given({ parameters: { a: 'b' } }), (next) => {
      next.parameters = {};
      next.provisioner = 'example.com/y';
      next.reclaimPolicy = 'Retain';
      next.volumeBindingMode = 'WaitForFirstConsumer';
      next.allowVolumeExpansion = true;
    }),
    [
      'parameters: Forbidden: updates to parameters are forbidden.',
      'provisioner: Forbidden: updates to provisioner are forbidden.',
      'reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.',
      'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
    ],
  );
  assert.deepEqual(Object.values(row(storageClassDefinition, given(), NOW)), [
    's (default)',
    'example.com/x',
    'Delete',
    'Immediate',
    false,
    '5m',
  ]);
});

test('attributes of volumes have parameters and stay', () => {
  const given = (parameters: Record<string, string>): VolumeAttributesClass => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttributesClass',
    metadata: cluster('a'),
    driverName: 'example.com',
    parameters,
  });
  assert.deepEqual(createErrors(volumeAttributesClassDefinition, given({})), [
    'parameters: Required value: must contain at least one key/value pair',
  ]);
  assert.deepEqual(
    updateErrors(volumeAttributesClassDefinition, given({ a: 'b' }), (next) => {
      next.driverName = 'other.com';
    }),
    ['driverName: Forbidden: updates to driverName are forbidden.'],
  );
});

test('an attachment names one volume and stays', () => {
  const given = (spec: Partial<VolumeAttachment['spec']>): VolumeAttachment => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: cluster('a'),
    spec: { attacher: 'example.com', nodeName: 'n', source: { persistentVolumeName: 'v' }, ...spec },
  });
  assert.deepEqual(createErrors(volumeAttachmentDefinition, given({ attacher: '', source: {} })).slice(0, 2), [
    'spec.attacher: Required value',
    'spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName',
  ]);
  assert.deepEqual(
    createErrors(
      volumeAttachmentDefinition,
      given({ source: { inlineVolumeSpec: { csi, accessModes: ['ReadWriteOnce'], capacity: { storage: '1' } } } }),
    ),
    ['spec.source.inlineVolumeSpec.capacity: Forbidden: may not be specified in the context of inline volumes'],
  );
  const changed = updateErrors(volumeAttachmentDefinition, given({}), ({ spec }) => {
    spec.nodeName = 'm';
  });
  assert.match(changed.join(), /^spec: Invalid value: .*: field is immutable$/);
});

test('drivers, nodes and capacities of CSI are checked as in the original', () => {
  const driver = (spec: CSIDriver['spec']): CSIDriver => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSIDriver',
    metadata: cluster('example.com'),
    spec,
  });
  const given = driver({ tokenRequests: [{ audience: '' }] });
  assert.deepEqual(createErrors(csiDriverDefinition, given), []);
  assert.deepEqual(Object.values(row(csiDriverDefinition, given, NOW)).slice(1, 7), [
    true,
    false,
    false,
    '<default>',
    false,
    'Persistent',
  ]);
  assert.deepEqual(
    createErrors(
      csiDriverDefinition,
      driver({ tokenRequests: [{ audience: 'a', expirationSeconds: 1 }], volumeLifecycleModes: ['Once'] }),
    ),
    [
      'spec.tokenRequests[0].expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes',
      'spec.volumeLifecycleModes: Unsupported value: "Once": supported values: "Persistent", "Ephemeral"',
    ],
  );
  assert.deepEqual(
    updateErrors(csiDriverDefinition, driver({}), ({ spec }) => {
      spec.attachRequired = false;
      spec.requiresRepublish = true;
    }),
    ['spec.attachedRequired: Invalid value: false: field is immutable'],
  );
  const node = (drivers: CSINode['spec']['drivers']): CSINode => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSINode',
    metadata: cluster('n'),
    spec: { drivers },
  });
  assert.deepEqual(
    createErrors(
      csiNodeDefinition,
      node([
        { name: 'd', nodeID: '' },
        { name: 'd', nodeID: 'n', allocatable: { count: -1 } },
      ]),
    ),
    [
      'spec.drivers[0].nodeID: Required value',
      'spec.drivers[1].allocatable.count: Invalid value: -1: must be greater than or equal to 0',
      'spec.drivers[1].name: Duplicate value: "d"',
    ],
  );
  const grown = updateErrors(csiNodeDefinition, node([{ name: 'd', nodeID: 'n' }]), ({ spec }) => {
    spec.drivers = [
      { name: 'd', nodeID: 'n', allocatable: { count: 3 } },
      { name: 'e', nodeID: 'n' },
    ];
  });
  assert.deepEqual(grown, []);
  const capacity: CSIStorageCapacity = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSIStorageCapacity',
    metadata: meta('c'),
    storageClassName: 's',
    capacity: '-1',
  };
  assert.deepEqual(createErrors(csiStorageCapacityDefinition, capacity), [
    'capacity: Invalid value: "-1": must be greater than or equal to 0',
  ]);
});
