import { version } from '../shared/api/version.js';
import { dropManagedFields, InformerFactory } from '../shared/cache/informer-factory.js';
import { clientFromAccess, waitForServer } from '../shared/client/connect.js';
import { clientMetrics } from '../shared/controller/client-metrics.js';
import type { ClusterAccess } from '../shared/client/kubeconfig.js';
import type { Clock } from '../shared/clock/clock.js';
import { ApiEventRecorder } from '../shared/controller/event-recorder.js';
import { LeaderElector } from '../shared/controller/leader-election.js';
import { Group, task, type Member } from '../shared/lifecycle/group.js';
import type { Log } from '../shared/log/log.js';
import { HealthServer } from '../shared/metrics/health-server.js';
import { addProcessMetrics } from '../shared/metrics/process-metrics.js';
import { MetricsRegistry } from '../shared/metrics/registry.js';
import { ControllerAccounts } from './accounts.js';
import type { ControllerContext, ControllerDefinition, ControllerManagerOptions } from './context.js';

export interface BuildOptions extends ControllerManagerOptions {
  readonly access: ClusterAccess;
  readonly controllers: readonly ControllerDefinition[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Distinct for every process that may be alive at the same time. */
  readonly identity: string;
  readonly leaderElect: boolean;
  /** Every controller under its own account; false: all under the identity of `access`. */
  readonly useServiceAccounts: boolean;
  /** Undefined: no health server. */
  readonly healthPort: number | undefined;
}

/** The controller-manager: health server, leader election, and under it informers and controllers. */
export function build(options: BuildOptions): Group {
  const { access, clock, random, log } = options;
  const metrics = new MetricsRegistry();
  addProcessMetrics(metrics, version);
  const onAnswer = clientMetrics(metrics);
  const client = clientFromAccess(access, { clock, userAgent: 'kube-controller-manager', onAnswer });
  const elector = new LeaderElector({
    client,
    clock,
    random,
    log,
    namespace: 'kube-system',
    name: 'kube-controller-manager',
    identity: options.identity,
  });
  let unready: () => string | undefined = () => 'waiting for the API server';
  const lead = async (signal: AbortSignal): Promise<void> => {
    const led = new Led(options, client, metrics);
    unready = () => led.unready();
    await led.run(signal);
  };
  const run = async (signal: AbortSignal): Promise<void> => {
    const onWaiting = (reason: string): void =>
      log.info('waiting for the API server', { server: client.server, reason });
    await waitForServer(client, { clock, signal, onWaiting });
    unready = () => undefined; // a process that waits for leadership is ready to take over
    await (options.leaderElect ? elector.run(signal, lead) : lead(signal));
  };
  const connections: Member = { name: 'connections', start: () => undefined, stop: () => client.close() };
  const group = new Group().add(connections);
  if (options.healthPort !== undefined) {
    const server = new HealthServer({ port: options.healthPort, metrics, readyz: { controllers: () => unready() } });
    group.add(server.asMember('health', (port) => log.info('serves its health', { port })));
  }
  return group.add(task('controllers', run));
}

/** What runs while this process leads. */
class Led {
  readonly #options: BuildOptions;
  readonly #accounts: Pick<ControllerAccounts, 'client' | 'close'>;
  readonly #informers: InformerFactory;
  readonly #recorders: ApiEventRecorder[] = [];
  readonly #context: ControllerContext;

  constructor(options: BuildOptions, client: ReturnType<typeof clientFromAccess>, metrics: MetricsRegistry) {
    const { access, clock, random, log } = options;
    this.#options = options;
    this.#accounts = options.useServiceAccounts
      ? new ControllerAccounts(client, access.connection, clock, clientMetrics(metrics))
      : { client: () => client, close: () => undefined };
    this.#informers = new InformerFactory(client, { clock, random, log, transform: dropManagedFields });
    this.#context = {
      informers: this.#informers,
      options,
      clock,
      random,
      log,
      metrics,
      client: (account) => this.#accounts.client(account),
      recorder: (account, component = account) => {
        const recorder = new ApiEventRecorder({ client: this.#accounts.client(account), clock, log, component });
        this.#recorders.push(recorder);
        return recorder;
      },
    };
  }

  unready(): string | undefined {
    const waiting = this.#informers.unsynced();
    return waiting.length === 0 ? undefined : `waiting for ${waiting.join(', ')}`;
  }

  /** Informers outlive the controllers that read them; events of the last moment are still written. */
  async run(signal: AbortSignal): Promise<void> {
    const built = this.#options.controllers.map(({ name, build: make }) =>
      task(name, keepRunning(make(this.#context))),
    );
    const group = new Group().add(
      { name: 'accounts', start: () => undefined, stop: () => this.#accounts.close() },
      { name: 'events', start: () => undefined, stop: () => this.#stopRecorders() },
      task('informers', (inner) => this.#informers.run(inner)),
      ...built,
    );
    await group.run(signal);
  }

  async #stopRecorders(): Promise<void> {
    await Promise.all(this.#recorders.map((recorder) => recorder.stop()));
  }
}

/** A controller that has nothing to do (an option is missing) ends at once, which must not end the process. */
function keepRunning(runnable: { run(signal: AbortSignal): Promise<void> }): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    await runnable.run(signal);
    if (!signal.aborted)
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  };
}
