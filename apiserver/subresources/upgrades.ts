import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { badRequest } from '../../shared/errors/bad-request.js';
import { StatusError } from '../../shared/errors/status-error.js';
import type { Exchange } from '../http/exchange.js';
import type { SubresourceHandler } from '../http/resource-handler.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import { unknownResource } from '../registry/status-errors.js';
import { admitConnect } from './connect.js';
import { LogSocket } from './log-socket.js';
import { podStreamTarget } from './pod-streams.js';
import { proxyTunnelTarget, type ProxyDependencies } from './proxy.js';
import { tunnel } from './stream-tunnel.js';

const podStreams = new Set(['exec', 'attach', 'portforward']);

/** Serves upgrade requests: streams of pods, and whatever a proxied backend speaks. */
export class Upgrades {
  readonly #registry: ResourceRegistry;
  readonly #given: ProxyDependencies;
  readonly #log: LogSocket;

  constructor(registry: ResourceRegistry, given: ProxyDependencies) {
    this.#registry = registry;
    this.#given = given;
    this.#log = new LogSocket(given.kubelets);
  }

  async handle(exchange: Exchange, socket: Duplex, head: Buffer): Promise<void> {
    const { info } = exchange;
    const served = this.#registry.find(info.group, info.version, info.resource);
    const isOffered = served?.definition.subresources.some((known) => known === info.subresource) === true;
    if (!served || !isOffered) throw unknownResource();
    if (info.resource === 'pods' && info.subresource === 'log') {
      await this.#log.serve(exchange, served, socket, head);
      return;
    }
    const isPodStream = podStreams.has(info.subresource) && info.resource === 'pods';
    if (!isPodStream && info.subresource !== 'proxy') {
      throw badRequest(`${info.subresource} cannot be upgraded to another protocol`);
    }
    await admitConnect(exchange, served);
    const target = isPodStream
      ? podStreamTarget(exchange, served, this.#given.kubelets)
      : proxyTunnelTarget(exchange, this.#given);
    await tunnel(exchange.request as IncomingMessage, socket, head, target);
  }
}

/** Answers a stream request that does not ask for an upgrade. */
export const upgradeRequired: SubresourceHandler = () => {
  throw new StatusError(400, 'BadRequest', 'Upgrade request required');
};
