import type { Namespace } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { readBody } from '../http/body.js';
import { header } from '../http/exchange.js';
import { expectedOf, type ObjectCodec } from '../http/object-codec.js';
import type { ResourceReader } from '../http/resource-reader.js';
import type { SubresourceHandler } from '../http/resource-handler.js';
import { writeOptions } from '../http/write-request.js';
import { checkVersion } from '../registry/preconditions.js';
import { methodNotSupported } from '../registry/status-errors.js';

/** Serves namespaces/finalize: only spec.finalizers may change; without any the deleted namespace goes. */
export function finalizeHandler(codec: ObjectCodec, reader: ResourceReader): SubresourceHandler {
  return async (exchange, served) => {
    const { info, request } = exchange;
    if (info.verb !== 'update') throw methodNotSupported(served.definition.resource, info.verb);
    const options = writeOptions(exchange);
    const bytes = await readBody(exchange);
    const given = codec.decode(bytes, header(request, 'content-type'), expectedOf(served.definition), options);
    const mode = { subresource: 'finalize', skipsValidation: true };
    const wanted = (given as unknown as Namespace).spec?.finalizers ?? [];
    const { resourceVersion } = given.metadata ?? {};
    const result = await served.store.modify(undefined, info.name, options, mode, (current, shared) => {
      checkVersion(served.definition, resourceVersion, shared);
      const namespace = current as unknown as Namespace & KubernetesObject;
      namespace.spec = { ...namespace.spec, finalizers: wanted };
      return namespace;
    });
    reader.sendWritten(exchange, served, 200, result);
  };
}
