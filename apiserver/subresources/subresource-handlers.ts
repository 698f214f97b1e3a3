import type { Clock } from '../../shared/clock/clock.js';
import type { TokenIssuer } from '../authentication/token-request.js';
import type { ObjectCodec } from '../http/object-codec.js';
import type { SubresourceHandler } from '../http/resource-handler.js';
import type { ResourceReader } from '../http/resource-reader.js';
import { approvalHandler } from './approval.js';
import { bindingHandler } from './binding.js';
import type { DisruptionBudgets } from './disruption-budgets.js';
import { evictionHandler } from './eviction.js';
import { finalizeHandler } from './finalize.js';
import type { Kubelets } from './kubelet-location.js';
import { logHandler } from './log.js';
import { proxyHandler, type ProxyDependencies } from './proxy.js';
import { scaleHandler } from './scale.js';
import { tokenHandler } from './token.js';
import { upgradeRequired } from './upgrades.js';

export interface SubresourceDependencies {
  readonly codec: ObjectCodec;
  readonly reader: ResourceReader;
  readonly clock: Clock;
  readonly tokens: TokenIssuer;
  readonly kubelets: Kubelets;
  readonly proxy: ProxyDependencies;
  readonly budgets: DisruptionBudgets;
}

/** Who answers which subresource; those that are not here are plain reads and writes of the object. */
export function subresourceHandlers(given: SubresourceDependencies): ReadonlyMap<string, SubresourceHandler> {
  const { codec, reader, clock, tokens, kubelets, proxy, budgets } = given;
  return new Map<string, SubresourceHandler>([
    ['*/scale', scaleHandler(codec)],
    ['pods/binding', bindingHandler(codec)],
    ['pods/eviction', evictionHandler(codec, budgets, clock)],
    ['pods/log', logHandler(kubelets)],
    ['pods/exec', upgradeRequired],
    ['pods/attach', upgradeRequired],
    ['pods/portforward', upgradeRequired],
    ['*/proxy', proxyHandler(proxy)],
    ['namespaces/finalize', finalizeHandler(codec, reader)],
    ['certificatesigningrequests/approval', approvalHandler(codec, reader, clock)],
    ['serviceaccounts/token', tokenHandler(codec, tokens)],
  ]);
}
