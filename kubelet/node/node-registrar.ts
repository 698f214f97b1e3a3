import { isDeepStrictEqual } from 'node:util';
import { nodes } from '../../shared/api/generated/resources.js';
import type { ContainerImage, Node } from '../../shared/api/generated/types.js';
import type { Client } from '../../shared/client/client.js';
import type { Clock } from '../../shared/clock/clock.js';
import { isAlreadyExists, isConflict, isNotFound } from '../../shared/errors/status-error.js';
import type { EventRecorder } from '../../shared/controller/event-recorder.js';
import type { Log } from '../../shared/log/log.js';
import type { ContainerRuntime } from '../runtime/container-runtime.js';
import { readPressure, type Machine } from './machine.js';
import type { NodeNetwork } from './node-network.js';
import { nodeEvents, nodeReference, statusEvent, type NodeEvent } from './node-events.js';
import { nodeAnnotations, nodeLabels, nodeStatus, type NodeHealth, type NodeIdentity } from './node-object.js';
import type { RuntimeMonitor } from './runtime-monitor.js';

export interface NodeRegistrarOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: EventRecorder;
  readonly identity: NodeIdentity;
  readonly machine: Machine;
  readonly rootDirectory: string;
  readonly runtime: ContainerRuntime;
  readonly monitor: RuntimeMonitor;
  readonly network: NodeNetwork;
  /** Why what runs on the node is not known any more, if so. */
  readonly watchProblem: () => string | undefined;
}

const computeMs = 10_000;
const reportMs = 300_000;
/** An engine that does not answer for so long is a problem to be told. */
const settleMs = 8_000;
const imagesMs = 60_000;
const maxImages = 50;

/**
 * Keeps this node's Node object: registers it, looks at the machine every ten seconds, and writes the status at once when
 * something changed, else every five minutes (the Lease is the heartbeat).
 */
export class NodeRegistrar {
  readonly #options: NodeRegistrarOptions;
  #node: Node | undefined;
  #wake: () => void = () => undefined;
  #isDirty = true;
  #isUnschedulable = false;
  #reportedMs = -Infinity;
  #startedMs: number | undefined;
  #images: { readonly list: readonly ContainerImage[]; readonly atMs: number } = { list: [], atMs: -Infinity };

  constructor(options: NodeRegistrarOptions) {
    this.#options = options;
  }

  get node(): Node | undefined {
    return this.#node;
  }

  /** The watch saw the Node. */
  observe(node: Node): void {
    const before = this.#node;
    this.#node = node;
    this.#options.network.setPodCIDR(node.spec.podCIDR);
    this.#tellOfScheduling(node);
    if (!isDeepStrictEqual(before?.status?.capacity, node.status?.capacity)) this.poke();
  }

  /** The Node was deleted by someone: it is registered again. */
  lost(): void {
    this.#node = undefined;
    this.poke();
  }

  /** Something changed: look now. */
  poke(): void {
    this.#isDirty = true;
    this.#wake();
  }

  /** Runs until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    this.#tell([{ type: 'Normal', reason: 'Starting', message: 'Starting kubelet.' }]);
    for (let failures = 0; !signal.aborted;) {
      this.#isDirty = false;
      let delayMs = computeMs;
      try {
        await this.#report(signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures++;
        if (failures === 3) log.warn('the node cannot be reported yet', { error });
        delayMs = Math.min(100 * 2 ** failures, 5_000);
      }
      await this.#pause(delayMs, clock, signal, failures > 0);
    }
  }

  /** Waits, unless something changed meanwhile; after a failure changes do not cut the wait short. */
  #pause(delayMs: number, clock: Clock, signal: AbortSignal, hasFailed: boolean): Promise<void> {
    if (this.#isDirty && !hasFailed) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        cancel();
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const cancel = clock.schedule(delayMs, finish);
      signal.addEventListener('abort', finish, { once: true });
      this.#wake = hasFailed ? () => undefined : finish;
    });
  }

  async #report(signal: AbortSignal): Promise<void> {
    const node = this.#node ?? (await this.#register(signal));
    if (this.#isSettling()) return;
    const { clock, identity, machine, client } = this.#options;
    const health = await this.#health();
    const status = nodeStatus(node.status, identity, machine, health, clock.now());
    const isDue = clock.monotonic() - this.#reportedMs >= reportMs;
    if (!isDue && isSame(status, node.status)) return;
    try {
      this.#node = await client.updateStatus(nodes, { ...node, status }, { signal });
      this.#reportedMs = clock.monotonic();
      this.#tell(nodeEvents(identity.name, node.status, status));
    } catch (error) {
      if (isNotFound(error)) this.#node = undefined;
      else if (isConflict(error)) this.#node = await client.get(nodes, identity.name, undefined, { signal });
      else throw error;
      this.#isDirty = true;
    }
  }

  /**
   * After a start nothing is known yet of engine and network. To report that as NotReady would take pods that serve out
   * of their Services; what becomes known pokes us.
   */
  #isSettling(): boolean {
    const { monitor, network, clock } = this.#options;
    this.#startedMs ??= clock.monotonic();
    return (!monitor.hasAnswer || network.isPending) && clock.monotonic() - this.#startedMs < settleMs;
  }

  async #register(signal: AbortSignal): Promise<Node> {
    const { client, clock, identity, machine, log } = this.#options;
    const metadata = {
      name: identity.name,
      labels: nodeLabels(identity, machine),
      annotations: nodeAnnotations(identity),
    };
    const status = nodeStatus(undefined, identity, machine, await this.#health(), clock.now());
    try {
      this.#node = await client.create(nodes, { metadata, spec: {}, status }, { signal });
      log.info('registered the node', { node: identity.name });
      this.#tell(nodeEvents(identity.name, undefined, status));
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const change = { metadata: { labels: metadata.labels, annotations: metadata.annotations } };
      this.#node = await client.patch(nodes, identity.name, undefined, 'merge', change, { signal });
    }
    this.#options.network.setPodCIDR(this.#node.spec.podCIDR);
    return this.#node;
  }

  #tellOfScheduling({ spec }: Node): void {
    const isUnschedulable = spec.unschedulable === true;
    if (isUnschedulable === this.#isUnschedulable) return;
    this.#isUnschedulable = isUnschedulable;
    this.#tell([statusEvent(this.#options.identity.name, isUnschedulable ? 'NodeNotSchedulable' : 'NodeSchedulable')]);
  }

  #tell(told: readonly NodeEvent[]): void {
    const { events, identity } = this.#options;
    for (const { type, reason, message } of told) events.event(nodeReference(identity.name), type, reason, message);
  }

  async #health(): Promise<NodeHealth> {
    const { monitor, network, rootDirectory, watchProblem } = this.#options;
    const version = monitor.version;
    return {
      runtimeProblem: monitor.problem,
      runtimeVersion: version ? `${version.name}://${version.version}` : 'docker://',
      watchProblem: watchProblem(),
      networkProblem: network.problem,
      pressure: await readPressure(rootDirectory),
      images: await this.#listImages(),
    };
  }

  /** Names are for the scheduler's liking of nodes that have an image; an old list does no harm. */
  async #listImages(): Promise<readonly ContainerImage[]> {
    const { clock, runtime, monitor } = this.#options;
    const nowMs = clock.monotonic();
    if (monitor.problem !== undefined || nowMs - this.#images.atMs < imagesMs) return this.#images.list;
    const all = await runtime.listImages();
    const list = [...all]
      .sort((a, b) => b.sizeBytes - a.sizeBytes)
      .map(({ tags, digests, sizeBytes }) => ({ names: [...digests, ...tags].slice(0, 5), sizeBytes }))
      .filter(({ names }) => names.length > 0)
      .slice(0, maxImages);
    this.#images = { list, atMs: nowMs };
    return list;
  }
}

/** Apart from the times of the heartbeat. */
function isSame(a: Node['status'], b: Node['status']): boolean {
  const strip = (status: Node['status']): unknown =>
    JSON.parse(
      JSON.stringify({
        ...status,
        conditions: status?.conditions?.map((condition) => ({ ...condition, lastHeartbeatTime: undefined })),
      }),
    );
  return isDeepStrictEqual(strip(a), strip(b));
}
