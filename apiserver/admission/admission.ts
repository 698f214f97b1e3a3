import type { KubernetesObject } from '../../shared/api/object.js';
import type { User } from '../authentication/user.js';
import type { ResourceDefinition } from '../registry/definition.js';

/** One write on its way to the store. */
export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly definition: ResourceDefinition;
  /** '' for the object itself. */
  readonly subresource: string;
  readonly namespace: string | undefined;
  readonly name: string;
  /** What is to be written; mutating plugins change it in place. Absent for DELETE and CONNECT. */
  readonly object: KubernetesObject | undefined;
  /** What is stored; absent for CREATE. Never changed. */
  readonly oldObject: KubernetesObject | undefined;
  readonly user: User;
  readonly isDryRun: boolean;
  /** Adds a Warning header to the answer. */
  readonly warn: (text: string) => void;
  /** Notes something in the audit log's entry of this request, by a key `DOMAIN/WORD`. */
  readonly annotate?: (key: string, value: string) => void;
}

/** A rule that writes must pass. `mutate` may change the object; `validate` sees its final form. Both refuse by a StatusError. */
export interface AdmissionPlugin {
  readonly name: string;
  readonly mutate?: (request: AdmissionRequest) => void | Promise<void>;
  readonly validate?: (request: AdmissionRequest) => void | Promise<void>;
}

/** All plugins in order: first every mutation, then every check. */
export class AdmissionChain {
  readonly #plugins: readonly AdmissionPlugin[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  /** Undefined when no plugin had to wait: the common write then costs no turn of the event loop. */
  mutate(request: AdmissionRequest): Promise<void> | undefined {
    return runAll(this.#plugins, 0, (plugin) => plugin.mutate?.(request));
  }

  validate(request: AdmissionRequest): Promise<void> | undefined {
    return runAll(this.#plugins, 0, (plugin) => plugin.validate?.(request));
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
