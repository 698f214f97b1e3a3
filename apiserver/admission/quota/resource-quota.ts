import type { Pod } from '../../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import { formatQuantity, type Quantity } from '../../../shared/api/quantity.js';
import { quotaIncludes, unstatedAmounts, usageOf, type Usage } from '../../../shared/api/quota-usage.js';
import type { ObjectReader } from '../../registry/object-reader.js';
import { forbidden } from '../../registry/status-errors.js';
import { storageKey } from '../../registry/storage-keys.js';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.js';
import { uncoveredText, type LimitedResource } from './limited-resources.js';
import { QuotaLedgers } from './quota-ledgers.js';
import type { QuotaLedger } from './quota-ledger.js';

/** Nothing is written beyond what the quotas of its namespace leave. The last of all plugins: what it lets through is counted. */
export function resourceQuota(
  objects: ObjectReader,
  now: () => number,
  limited: readonly LimitedResource[] = [],
): AdmissionPlugin {
  const ledgers = new QuotaLedgers(objects, now);
  return {
    name: 'ResourceQuota',
    validate: (request) => {
      const { operation, subresource, definition, namespace, object } = request;
      if (!object || namespace === undefined || !definition.resource.namespaced) return;
      const isResize = subresource === 'resize' && operation === 'UPDATE';
      if (!isResize && (subresource !== '' || (operation !== 'CREATE' && operation !== 'UPDATE'))) return;
      const found = ledgers.of(namespace);
      if (limited.length > 0) assertCovered(limited, found, request, object, now());
      if (found.length > 0) check(found, request, object);
    },
  };
}

function check(ledgers: readonly QuotaLedger[], request: AdmissionRequest, object: KubernetesObject): void {
  const { definition, oldObject } = request;
  const collection = definition.storedAs?.definition.resource ?? definition.resource;
  const due: { readonly ledger: QuotaLedger; readonly usage: Usage }[] = [];
  for (const ledger of ledgers) {
    if (request.operation === 'CREATE') assertStated(ledger, request, object);
    const usage = grown(ledger.share(collection, object), oldObject && ledger.share(collection, oldObject));
    if (usage.size === 0) continue;
    // Pods that should have ended count no more; they are looked for only where that decides.
    if (ledger.exceeded(usage).length > 0) ledger.recount();
    const exceeded = ledger.exceeded(usage);
    if (exceeded.length > 0) throw forbidden(definition.resource, request.name, exceededText(ledger, usage, exceeded));
    due.push({ ledger, usage });
  }
  if (request.isDryRun) return;
  const key = storageKey(collection, request.namespace, request.name);
  const uid = request.operation === 'CREATE' ? object.metadata.uid : undefined;
  // Nothing waits between the check above and this: the next request already sees it.
  for (const { ledger, usage } of due) request.onSettled?.(ledger.reserve(key, uid, usage));
}

/** Where consumption is limited by default, nothing is consumed that no quota of the namespace is about. */
function assertCovered(
  limited: readonly LimitedResource[],
  ledgers: readonly QuotaLedger[],
  request: AdmissionRequest,
  object: KubernetesObject,
  nowMs: number,
): void {
  const { definition, oldObject, name } = request;
  const collection = definition.storedAs?.definition.resource ?? definition.resource;
  const usage = usageOf(collection, object, nowMs);
  if (grown(usage, oldObject && usageOf(collection, oldObject, nowMs)).size === 0) return;
  const quotas = ledgers.map(({ quota }) => quota);
  const why = uncoveredText(limited, quotas, { collection, object, usage });
  if (why !== undefined) throw forbidden(definition.resource, name, why);
}

/** What a pod does not say cannot be counted. */
function assertStated({ quota }: QuotaLedger, { definition, name }: AdmissionRequest, object: KubernetesObject): void {
  const { group, resource } = definition.resource;
  if (group !== '' || resource !== 'pods' || !quotaIncludes(quota, definition.resource, object)) return;
  const missing = unstatedAmounts(quota.spec?.hard ?? {}, object as unknown as Pod);
  if (missing === '') return;
  throw forbidden(definition.resource, name, `failed quota: ${quota.metadata.name}: must specify ${missing}`);
}

/** What is asked for beyond what is counted already. */
function grown(usage: Usage, before: Usage | undefined): Usage {
  const more = new Map<string, Quantity>();
  for (const [name, { nanos, format }] of usage) {
    const grows = nanos - (before?.get(name)?.nanos ?? 0n);
    if (grows > 0n) more.set(name, { nanos: grows, format });
  }
  return more;
}

function exceededText(ledger: QuotaLedger, usage: Usage, exceeded: readonly string[]): string {
  const names = [...exceeded].sort();
  const list = (textOf: (name: string) => string): string => names.map((name) => `${name}=${textOf(name)}`).join(',');
  const amount = (quantity: Quantity | undefined): string => (quantity ? formatQuantity(quantity) : '0');
  return (
    `exceeded quota: ${ledger.quota.metadata.name}, requested: ${list((name) => amount(usage.get(name)))}, ` +
    `used: ${list((name) => ledger.usedText(name))}, limited: ${list((name) => amount(ledger.hard.get(name)))}`
  );
}
