import type { KubernetesObject } from '../../shared/api/object.js';
import type { Annotate } from '../audit/request-audit.js';
import type { User } from '../authentication/user.js';
import type { AdmissionMetrics } from './admission-metrics.js';
import type { ResourceDefinition } from '../registry/definition.js';

/** Names a kind of object. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** One write on its way to the store. */
export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly definition: ResourceDefinition;
  /** '' for the object itself. */
  readonly subresource: string;
  readonly namespace: string | undefined;
  readonly name: string;
  /** What is to be written; mutating plugins change it in place. Absent for DELETE; the options for CONNECT. */
  readonly object: KubernetesObject | undefined;
  /** What is stored; absent for CREATE. Never changed. */
  readonly oldObject: KubernetesObject | undefined;
  /** Kind of `object` where a subresource takes another than its resource: Eviction, Binding, PodExecOptions. */
  readonly kind?: GroupVersionKind;
  readonly user: User;
  readonly isDryRun: boolean;
  /** CreateOptions, UpdateOptions or DeleteOptions, as webhooks and policies are shown them. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Adds a Warning header to the answer. */
  readonly warn: (text: string) => void;
  readonly annotate?: Annotate;
  /** `settle` runs once, when the object has been stored or the write has been given up. */
  readonly onSettled?: (settle: () => void) => void;
}

/**
 * What mutating plugins know of each other in one write. When a webhook or policy has changed the object, all plugins
 * get one more round, and those webhooks and policies that ask for it see the object again.
 */
export class MutationRounds {
  /** 0, then 1. */
  round = 0;
  wantsAnother = false;
  #states: Map<string, unknown> | undefined;

  /** What a plugin remembers between the rounds. */
  state<T>(plugin: string, initial: () => T): T {
    const known = this.#states?.get(plugin) as T | undefined;
    if (known !== undefined) return known;
    const made = initial();
    (this.#states ??= new Map()).set(plugin, made);
    return made;
  }
}

/** A rule that writes must pass. `mutate` may change the object; `validate` sees its final form. Both refuse by a StatusError. */
export interface AdmissionPlugin {
  readonly name: string;
  readonly mutate?: (request: AdmissionRequest, rounds: MutationRounds) => void | Promise<void>;
  readonly validate?: (request: AdmissionRequest) => void | Promise<void>;
}

/** All plugins in order: first every mutation, then every check. */
export class AdmissionChain {
  readonly #mutating: readonly Timed<'mutate'>[];
  readonly #validating: readonly Timed<'validate'>[];
  readonly #metrics: AdmissionMetrics;

  constructor(plugins: readonly AdmissionPlugin[], metrics: AdmissionMetrics) {
    this.#metrics = metrics;
    this.#mutating = plugins.flatMap((plugin) =>
      plugin.mutate ? [{ run: plugin.mutate.bind(plugin), observe: metrics.plugin(plugin.name, 'admit') }] : [],
    );
    this.#validating = plugins.flatMap((plugin) =>
      plugin.validate ? [{ run: plugin.validate.bind(plugin), observe: metrics.plugin(plugin.name, 'validate') }] : [],
    );
  }

  /** Undefined when no plugin had to wait: the common write then costs no turn of the event loop. */
  mutate(request: AdmissionRequest): Promise<void> | undefined {
    const rounds = new MutationRounds();
    const runRound = (): Promise<void> | undefined =>
      this.#runAll(this.#mutating, 0, request.operation, ({ run }) => run(request, rounds));
    const again = (): Promise<void> | undefined => {
      if (!rounds.wantsAnother) return undefined;
      rounds.round = 1;
      return runRound();
    };
    return this.#metrics.step('admit', request.operation, () => {
      const first = runRound();
      return first ? first.then(again) : again();
    });
  }

  validate(request: AdmissionRequest): Promise<void> | undefined {
    return this.#metrics.step('validate', request.operation, () =>
      this.#runAll(this.#validating, 0, request.operation, ({ run }) => run(request)),
    );
  }

  #runAll<Step extends 'mutate' | 'validate'>(
    plugins: readonly Timed<Step>[],
    from: number,
    operation: string,
    step: (plugin: Timed<Step>) => void | Promise<void>,
  ): Promise<void> | undefined {
    let beganMs = this.#metrics.now();
    for (let i = from; i < plugins.length; i++) {
      const plugin = plugins[i];
      if (!plugin) continue;
      let pending: void | Promise<void>;
      try {
        pending = step(plugin);
      } catch (error) {
        this.#end(plugin, operation, true, beganMs);
        throw error;
      }
      if (pending) {
        const startMs = beganMs;
        return pending.then(
          () => {
            this.#end(plugin, operation, false, startMs);
            return this.#runAll(plugins, i + 1, operation, step);
          },
          (error: unknown) => {
            this.#end(plugin, operation, true, startMs);
            throw error;
          },
        );
      }
      beganMs = this.#end(plugin, operation, false, beganMs);
    }
    return undefined;
  }

  /** The time at which the plugin was through, when the next one begins. */
  #end({ observe }: Pick<Timed<'mutate'>, 'observe'>, operation: string, isRejected: boolean, beganMs: number): number {
    const nowMs = this.#metrics.now();
    observe(operation, isRejected, nowMs - beganMs);
    return nowMs;
  }
}

interface Timed<Step extends 'mutate' | 'validate'> {
  readonly run: NonNullable<AdmissionPlugin[Step]>;
  readonly observe: ReturnType<AdmissionMetrics['plugin']>;
}
