import type { Clock } from '../../shared/clock/clock.js';
import type { Log } from '../../shared/log/log.js';
import type { ContainerRuntime } from '../runtime/container-runtime.js';

export interface NodeNetworkOptions {
  readonly runtime: Pick<ContainerRuntime, 'ensureNetwork'>;
  readonly clock: Clock;
  readonly log: Log;
  /** The network became usable, or stopped being so. */
  readonly onChange: () => void;
}

const noCidr = 'docker: network plugin is not ready: the node has no podCIDR yet';

/** The node's pod network, made as soon as the node has been given its podCIDR. */
export class NodeNetwork {
  readonly #options: NodeNetworkOptions;
  #podCIDR: string | undefined;
  #problem: string | undefined = noCidr;
  #isWorking = false;
  #wasTried = false;

  constructor(options: NodeNetworkOptions) {
    this.#options = options;
  }

  /** Why pods cannot be given addresses, if so. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Whether the network for a known podCIDR has not been tried yet: the problem is then only assumed. */
  get isPending(): boolean {
    return this.#podCIDR !== undefined && !this.#wasTried;
  }

  /** Called with what the Node object says, whenever it is seen. */
  setPodCIDR(podCIDR: string | undefined): void {
    if (!podCIDR || podCIDR === this.#podCIDR) return;
    this.#podCIDR = podCIDR;
    this.#wasTried = false;
    this.#problem = `docker: network plugin is not ready: the network for ${podCIDR} is being made`;
    this.ensure();
  }

  /** Makes or checks the network again, e.g. after the engine came back. */
  ensure(): void {
    if (this.#isWorking) return;
    this.#isWorking = true;
    void this.#ensure().finally(() => {
      this.#isWorking = false;
    });
  }

  async #ensure(): Promise<void> {
    const { runtime, log, onChange, clock } = this.#options;
    const podCIDR = this.#podCIDR;
    if (podCIDR === undefined) return;
    const before = this.#problem;
    try {
      await runtime.ensureNetwork(podCIDR);
      this.#problem = undefined;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#problem = `docker: network plugin is not ready: ${why}`;
      if (before !== this.#problem) log.warn('the pod network cannot be made yet', { podCIDR, why });
      clock.schedule(2_000, () => this.ensure());
    }
    this.#wasTried = true;
    if (before !== this.#problem) onChange();
  }
}
