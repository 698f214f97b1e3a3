import type { CertificateSigningRequest } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Clock } from '../../shared/clock/clock.js';
import { readBody } from '../http/body.js';
import { header } from '../http/exchange.js';
import { expectedOf, type ObjectCodec } from '../http/object-codec.js';
import type { ResourceReader } from '../http/resource-reader.js';
import type { SubresourceHandler } from '../http/resource-handler.js';
import { writeOptions } from '../http/write-request.js';
import { timestamp } from '../registry/object-metadata.js';
import { methodNotSupported } from '../registry/status-errors.js';

type Request = CertificateSigningRequest & KubernetesObject;
type Conditions = NonNullable<NonNullable<CertificateSigningRequest['status']>['conditions']>;

/** Serves certificatesigningrequests/approval: only the conditions may change, and each gets its times. */
export function approvalHandler(codec: ObjectCodec, reader: ResourceReader, clock: Clock): SubresourceHandler {
  return async (exchange, served) => {
    const { info, request } = exchange;
    const expected = expectedOf(served.definition);
    if (info.verb === 'get') {
      reader.get(exchange, served);
      return;
    }
    if (info.verb !== 'update' && info.verb !== 'patch')
      throw methodNotSupported(served.definition.resource, info.verb);
    const options = writeOptions(exchange);
    const bytes = await readBody(request);
    const contentType = header(request, 'content-type');
    const patch = info.verb === 'patch' ? codec.parsePatch(bytes, contentType) : undefined;
    const mode = { subresource: 'approval' };
    const result = await served.store.modify(undefined, info.name, options, mode, (current, shared) => {
      const next = patch
        ? codec.applyPatch(patch, structuredClone(current), expected, options)
        : codec.decode(bytes, contentType, expected, options);
      served.store.assertVersion(next.metadata?.resourceVersion, shared);
      const conditions = (next as Request).status?.conditions ?? [];
      const old = (current as Request).status?.conditions ?? [];
      const approved = current as Request;
      approved.status = { ...approved.status, conditions: stamped(conditions, old, timestamp(clock.now())) };
      return approved;
    });
    reader.sendWritten(exchange, served, 200, result);
  };
}

/** lastUpdateTime is the client's or now; lastTransitionTime is kept while the status is the same. */
function stamped(conditions: Conditions, old: Conditions, now: string): Conditions {
  return conditions.map((condition) => {
    const before = old.find(({ type }) => type === condition.type);
    const isSame = before !== undefined && before.status === condition.status;
    return {
      ...condition,
      lastUpdateTime: condition.lastUpdateTime ?? now,
      lastTransitionTime: condition.lastTransitionTime ?? (isSame ? before.lastTransitionTime : undefined) ?? now,
    };
  });
}
