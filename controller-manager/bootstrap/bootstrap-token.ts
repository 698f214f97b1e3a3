import { secrets } from '../../shared/api/generated/resources.js';
import type { Secret } from '../../shared/api/generated/types.js';
import { NAMESPACE_SYSTEM } from '../../shared/api/well-known.js';
import type { SharedInformer } from '../../shared/cache/shared-informer.js';
import type { ControllerContext } from '../context.js';

/** The bootstrap tokens, with which hosts join. */
export function bootstrapTokens(context: ControllerContext): SharedInformer<Secret> {
  const fieldSelector = 'type=bootstrap.kubernetes.io/token';
  return context.informers.informer(secrets, { namespace: NAMESPACE_SYSTEM, fieldSelector });
}

/** When a token ends, in milliseconds since the epoch; undefined: never. An unreadable time has passed. */
export function expirationMs(data: Readonly<Record<string, string>> | undefined): number | undefined {
  const encoded = data?.['expiration'];
  if (!encoded) return undefined;
  const ms = Date.parse(Buffer.from(encoded, 'base64').toString('utf8'));
  return Number.isNaN(ms) ? 0 : ms;
}
