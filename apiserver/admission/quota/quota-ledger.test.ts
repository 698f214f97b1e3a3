import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ResourceQuota } from '../../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import { EncodedObjects } from '../../cache/cached-object.js';
import { WatchCache } from '../../cache/watch-cache.js';
import { QuotaLedger } from './quota-ledger.js';

const collection = { group: '', resource: 'configmaps' };
const prefix = '/registry/core/configmaps/';
const limit = 3;
const quota = {
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'q', namespace: 'n' },
  spec: { hard: { configmaps: String(limit) } },
} as unknown as ResourceQuota & KubernetesObject;

/** What may happen, in any order: a create is let through, is stored, fails after that; an object is deleted; all is counted anew. */
type Step = { readonly act: 'begin' | 'store' | 'fail' | 'settle' | 'delete' | 'recount'; readonly pick: number };
const steps = fc.array(
  fc.record({
    act: fc.constantFrom<Step['act']>('begin', 'begin', 'begin', 'store', 'fail', 'settle', 'delete', 'recount'),
    pick: fc.nat(7),
  }),
  { maxLength: 60 },
);

describe('QuotaLedger', () => {
  it('never has more stored and under way than the limit, and counts exactly these, whatever happens', () => {
    fc.assert(fc.property(steps, run), { numRuns: 300 });
  });
});

function run(given: readonly Step[]): void {
  const cache = new WatchCache({ prefix, encoded: new EncodedObjects(), revision: 0 });
  const ledger = new QuotaLedger(quota, [{ collection, cache }], () => 0);
  cache.onChange((event) => ledger.follow(collection, event));
  const underWay: { readonly object: KubernetesObject; readonly release: () => void }[] = [];
  const stored: { readonly object: KubernetesObject; readonly release: () => void }[] = [];
  let revision = 0;
  const keyOf = ({ metadata }: KubernetesObject): string => `${prefix}n/${metadata.name}`;
  const apply = (type: 'put' | 'delete', object: KubernetesObject): void => {
    revision += 1;
    cache.apply({ type, key: keyOf(object), value: Buffer.from(JSON.stringify(object)), revision });
  };
  for (const [index, { act, pick }] of given.entries()) {
    const metadata = { name: `m${index}`, namespace: 'n', uid: `u${index}` };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata } as unknown as KubernetesObject;
    const usage = ledger.share(collection, object);
    if (act === 'begin' && ledger.exceeded(usage).length === 0) {
      underWay.push({ object, release: ledger.reserve(keyOf(object), metadata.uid, usage) });
    }
    if (act === 'recount') ledger.recount();
    const [one] = act === 'store' || act === 'fail' ? underWay.splice(pick, 1) : [];
    if (one && act === 'store') {
      apply('put', one.object);
      stored.push(one);
    }
    if (act === 'fail') one?.release();
    // The end of a write is told after its event, and may be told twice.
    if (act === 'settle') stored[pick]?.release();
    const [gone] = act === 'delete' ? stored.splice(pick, 1) : [];
    if (gone) apply('delete', gone.object);
    assert.equal(ledger.used('configmaps'), BigInt(stored.length + underWay.length) * 1_000_000_000n);
    assert.ok(stored.length + underWay.length <= limit);
  }
}
