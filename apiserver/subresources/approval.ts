import type { CertificateSigningRequest } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { Clock } from '../../shared/clock/clock.js';
import { readBody } from '../http/body.js';
import { header } from '../http/exchange.js';
import { expectedOf, type ObjectCodec } from '../http/object-codec.js';
import type { ResourceReader } from '../http/resource-reader.js';
import type { SubresourceHandler } from '../http/resource-handler.js';
import { writeOptions } from '../http/write-request.js';
import { checkVersion } from '../registry/preconditions.js';
import { timestamp } from '../registry/object-metadata.js';
import { prepareForApproval, validateApproval } from '../kinds/certificatesigningrequest.js';
import { invalid, methodNotSupported } from '../registry/status-errors.js';

type Request = CertificateSigningRequest & KubernetesObject;

/** Serves certificatesigningrequests/approval: only the conditions may change, and each gets its times. */
export function approvalHandler(codec: ObjectCodec, reader: ResourceReader, clock: Clock): SubresourceHandler {
  return async (exchange, served) => {
    const { info, request } = exchange;
    const expected = expectedOf(served.definition);
    if (info.verb === 'get') return reader.get(exchange, served);
    if (info.verb !== 'update' && info.verb !== 'patch')
      throw methodNotSupported(served.definition.resource, info.verb);
    const options = writeOptions(exchange);
    const bytes = await readBody(exchange);
    const contentType = header(request, 'content-type');
    const patch = info.verb === 'patch' ? codec.parsePatch(bytes, contentType) : undefined;
    // The rules of an ordinary update forbid what this one is for.
    const mode = { subresource: 'approval', skipsValidation: true };
    const result = await served.store.modify(undefined, info.name, options, mode, (current, shared) => {
      const next = patch
        ? codec.applyPatch(patch, structuredClone(current), expected, options)
        : codec.decode(bytes, contentType, expected, options);
      checkVersion(served.definition, next.metadata?.resourceVersion, shared);
      const approved = next as Request;
      const old = current as Request;
      prepareForApproval(approved, old, timestamp(clock.now()));
      const errors = validateApproval(approved, old);
      if (errors.length > 0) throw invalid(served.definition.resource, info.name, errors);
      return { ...old, status: approved.status } as Request;
    });
    reader.sendWritten(exchange, served, 200, result);
  };
}
