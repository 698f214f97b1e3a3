import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Column } from '../registry/definition.js';
import { makeTable, partialObjectMetadataList } from './table.js';

const columns: Column<KubernetesObject>[] = [
  { name: 'Name', type: 'string', format: 'name', description: 'n', priority: 0, cell: (o) => o.metadata.name },
  { name: 'Age', type: 'string', description: 'a', priority: 1, cell: (_, nowMs) => `${nowMs / 1000}s` },
];
const metadata = { name: 'a', uid: 'u', resourceVersion: '5', creationTimestamp: '2026-01-01T00:00:00Z' };
const pod = { apiVersion: 'v1', kind: 'Pod', metadata, status: { phase: 'Succeeded' } };
const options = { apiVersion: 'meta.k8s.io/v1', metadata: { resourceVersion: '7' }, nowMs: 5000 };

test('a table has the columns, the cells, and the metadata of each object', () => {
  assert.deepEqual(makeTable({ columns }, [{ ...pod, status: {} } as KubernetesObject], options), {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: '7' },
    columnDefinitions: [
      { name: 'Name', type: 'string', format: 'name', description: 'n', priority: 0 },
      { name: 'Age', type: 'string', format: '', description: 'a', priority: 1 },
    ],
    rows: [
      {
        cells: ['a', '5s'],
        object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata },
      },
    ],
  });
});

test('rows carry the whole object or nothing of it on request; pods that ended are marked', () => {
  type Table = { rows: { object: unknown; conditions?: { reason: string }[] }[]; columnDefinitions: unknown };
  const whole = makeTable({ columns }, [pod], { ...options, includeObject: 'Object', withoutColumns: true }) as Table;
  assert.equal(whole.rows[0]?.object, pod);
  assert.equal(whole.columnDefinitions, null);
  assert.equal(whole.rows[0]?.conditions?.[0]?.reason, 'Succeeded');
  const none = makeTable({ columns }, [pod], { ...options, includeObject: 'None' }) as Table;
  assert.equal(none.rows[0]?.object, null);
});

test('a list of metadata leaves the rest out', () => {
  assert.deepEqual(partialObjectMetadataList([pod], 'meta.k8s.io/v1', { resourceVersion: '7' }), {
    kind: 'PartialObjectMetadataList',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: '7' },
    items: [{ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }],
  });
});
