import type { AuthenticationV1TokenRequest, ServiceAccount } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import { badRequest } from '../../shared/errors/bad-request.js';
import type { TokenIssuer } from '../authentication/token-request.js';
import { readBody } from '../http/body.js';
import { header } from '../http/exchange.js';
import type { ObjectCodec } from '../http/object-codec.js';
import type { SubresourceHandler } from '../http/resource-handler.js';
import { sendJson } from '../http/respond.js';
import { writeOptions } from '../http/write-request.js';
import { methodNotSupported } from '../registry/status-errors.js';
import { admitCreate } from './admit.js';

const expected = {
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenRequest',
  definition: 'io.k8s.api.authentication.v1.TokenRequest',
};

/** Serves serviceaccounts/token. */
export function tokenHandler(codec: ObjectCodec, issuer: TokenIssuer): SubresourceHandler {
  return async (exchange, served) => {
    const { info, request } = exchange;
    if (info.verb !== 'create') throw methodNotSupported(served.definition.resource, info.verb);
    const options = writeOptions(exchange);
    const bytes = await readBody(exchange);
    const given = codec.decode(bytes, header(request, 'content-type'), expected, options);
    const account = served.store.get(info.namespace, info.name);
    const { name, namespace } = (given.metadata ??= {} as KubernetesObject['metadata']);
    if (name && name !== info.name) throw badRequest(`name in URL does not match name in TokenRequest object`);
    if (namespace && namespace !== info.namespace) {
      throw badRequest('namespace in URL does not match namespace in TokenRequest object');
    }
    const kind = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' };
    await admitCreate(served, 'token', given, options, { namespace: info.namespace, name: info.name, kind });
    const answer = issuer.issue(
      account.object as ServiceAccount & KubernetesObject,
      given as unknown as AuthenticationV1TokenRequest,
    );
    answer.metadata = {
      ...answer.metadata,
      name: info.name,
      ...(info.namespace ? { namespace: info.namespace } : {}),
    } as KubernetesObject['metadata'];
    sendJson(exchange, 201, answer);
  };
}
