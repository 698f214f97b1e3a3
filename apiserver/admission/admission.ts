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
  readonly #mutating: readonly AdmissionPlugin[];
  readonly #validating: readonly AdmissionPlugin[];

  readonly #metrics: AdmissionMetrics;

  constructor(plugins: readonly AdmissionPlugin[], metrics: AdmissionMetrics) {
    this.#metrics = metrics;
    this.#mutating = plugins.filter(({ mutate }) => mutate);
    this.#validating = plugins.filter(({ validate }) => validate);
  }

  /** Undefined when no plugin had to wait: the common write then costs no turn of the event loop. */
  mutate(request: AdmissionRequest): Promise<void> | undefined {
    const rounds = new MutationRounds();
    const runRound = (): Promise<void> | undefined =>
      runAll(this.#mutating, 0, (plugin) => plugin.mutate?.(request, rounds));
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
      runAll(this.#validating, 0, (plugin) => plugin.validate?.(request)),
    );
  }
}

function runAll(
  plugins: readonly AdmissionPlugin[],
  from: number,
  step: (plugin: AdmissionPlugin) => void | Promise<void>,
): Promise<void> | undefined {
  for (let i = from; i < plugins.length; i++) {
    const plugin = plugins[i];
    const pending = plugin && step(plugin);
    if (pending) return pending.then(() => runAll(plugins, i + 1, step));
  }
  return undefined;
}
