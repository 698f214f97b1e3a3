import { Agent } from 'node:https';
import { nodes } from '../../shared/api/generated/resources.js';
import type { KeyPair } from '../../shared/pki/certificate.js';
import { StatusError } from '../../shared/errors/status-error.js';
import type { ObjectReader } from '../registry/object-reader.js';
import { internalError, notFound } from '../registry/status-errors.js';

/** Where the API of a kubelet is reached. */
export interface KubeletAddress {
  readonly host: string;
  readonly port: number;
}

const defaultPort = 10_250;
/** Long streams hold a socket each. */
const maxSockets = 512;

/** Finds kubelets and speaks to them with the server's own certificate; they are known by the cluster's authority. */
export class Kubelets {
  readonly #objects: ObjectReader;
  readonly #agent: Agent | undefined;

  constructor(objects: ObjectReader, client: KeyPair | undefined, ca: string) {
    this.#objects = objects;
    this.#agent =
      client &&
      new Agent({ cert: client.certificate, key: client.key, ca, keepAlive: true, maxSockets, maxFreeSockets: 16 });
  }

  get agent(): Agent {
    if (!this.#agent) {
      throw new StatusError(501, 'NotImplemented', 'this server has no credentials for the API of kubelets');
    }
    return this.#agent;
  }

  /** The InternalIP of the node, since certificates of kubelets are issued for it. */
  addressOf(nodeName: string): KubeletAddress {
    const node = this.#objects.find(nodes, undefined, nodeName);
    if (!node) throw notFound(nodes, nodeName);
    const addresses = node.status?.addresses ?? [];
    const found =
      addresses.find(({ type }) => type === 'InternalIP') ?? addresses.find(({ type }) => type === 'ExternalIP');
    if (!found) {
      const known = addresses.map(({ type, address }) => `${type}:${address}`).join(' ');
      throw internalError(`no preferred addresses found; known addresses: [${known}]`);
    }
    return { host: found.address, port: node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? defaultPort };
  }

  close(): void {
    this.#agent?.destroy();
  }
}
