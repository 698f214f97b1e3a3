import {
  mutatingwebhookconfigurations,
  validatingwebhookconfigurations,
} from '../../../shared/api/generated/resources.js';
import type { MutatingWebhook, ValidatingWebhook } from '../../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../../shared/api/object.js';
import type { Resource } from '../../../shared/api/resource.js';
import type { ObjectReader } from '../../registry/object-reader.js';
import type { MatchCriteria } from '../matching/matcher.js';

/** One webhook of one configuration. */
export interface Hook {
  /** Tells it from all others, also those of the same name. */
  readonly id: string;
  readonly configuration: string;
  readonly webhook: MutatingWebhook & ValidatingWebhook;
  readonly criteria: MatchCriteria;
}

interface Configuration extends KubernetesObject {
  webhooks?: (MutatingWebhook | ValidatingWebhook)[];
}

const resources: Readonly<Record<'mutating' | 'validating', Resource<Configuration>>> = {
  mutating: mutatingwebhookconfigurations as Resource<Configuration>,
  validating: validatingwebhookconfigurations as Resource<Configuration>,
};

/** All webhooks in the order of the names of their configurations, read anew when a configuration has changed. */
export class WebhookSource {
  readonly #objects: ObjectReader;
  readonly #resource: Resource<Configuration>;
  #hooks: readonly Hook[] = [];
  #readAt = -1;

  constructor(objects: ObjectReader, kind: 'mutating' | 'validating') {
    this.#objects = objects;
    this.#resource = resources[kind];
  }

  hooks(): readonly Hook[] {
    const changedAt = this.#objects.lastChange(this.#resource);
    if (changedAt === this.#readAt) return this.#hooks;
    this.#readAt = changedAt;
    this.#hooks = this.#objects.list(this.#resource).flatMap(({ metadata, webhooks }) =>
      (webhooks ?? []).map((webhook, index) => ({
        id: `${metadata.name}/${webhook.name}/${index}`,
        configuration: metadata.name,
        webhook: webhook as Hook['webhook'],
        criteria: {
          rules: webhook.rules ?? [],
          ...(webhook.matchPolicy ? { matchPolicy: webhook.matchPolicy } : {}),
          ...(webhook.namespaceSelector ? { namespaceSelector: webhook.namespaceSelector } : {}),
          ...(webhook.objectSelector ? { objectSelector: webhook.objectSelector } : {}),
        },
      })),
    );
    return this.#hooks;
  }
}
