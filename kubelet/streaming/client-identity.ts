import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

import { StatusError } from '../../shared/errors/status-error.js';

/** The one client of the kubelet's API. */
const APISERVER_USER = 'kube-apiserver-kubelet-client';
const ADMIN_GROUP = 'system:masters';

/** Lets the apiserver and cluster admins pass, by the certificate of the connection; throws 401 or 403 for others. */
export function authorize(request: IncomingMessage): void {
  const socket = request.socket as TLSSocket;
  if (!socket.authorized) throw new StatusError(401, 'Unauthorized', 'Unauthorized');
  const { CN, O } = (socket.getPeerCertificate().subject ?? {}) as { CN?: string; O?: string | string[] };
  const groups = Array.isArray(O) ? O : [O];
  if (CN === APISERVER_USER || groups.includes(ADMIN_GROUP)) return;
  const verb = request.method === 'GET' ? 'get' : 'create';
  const words = `Forbidden (user=${CN}, verb=${verb}, resource=nodes, subresource(s)=[proxy])`;
  throw new StatusError(403, 'Forbidden', words);
}
