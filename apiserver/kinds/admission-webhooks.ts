import {
  mutatingwebhookconfigurations,
  validatingwebhookconfigurations,
} from '../../shared/api/generated/resources.js';
import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  ValidatingWebhook,
  ValidatingWebhookConfiguration,
} from '../../shared/api/generated/types.js';
import type { Strategy } from '../registry/definition.js';
import { leniencyOf, undemanding, validateWebhooks } from '../validation/webhook.js';
import { ageColumn, column, nameColumn } from './column.js';
import { defineKind } from './kind.js';

const webhooksColumn = column<{ webhooks?: readonly unknown[] }>('Webhooks', ({ webhooks }) => webhooks?.length ?? 0, {
  type: 'integer',
  description: 'Webhooks indicates the number of webhooks registered in this configuration',
});

function setDefaults(webhook: MutatingWebhook | ValidatingWebhook): void {
  webhook.failurePolicy ??= 'Fail';
  webhook.matchPolicy ??= 'Equivalent';
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  for (const rule of webhook.rules ?? []) rule.scope ??= '*';
  if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= 443;
}

type Hooked = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;

/** What both kinds check; `isOlder`: in a version that asked for less. */
const checks = (isOlder: boolean): Pick<Strategy<Hooked>, 'validate' | 'validateUpdate'> => ({
  validate: ({ webhooks }) => validateWebhooks(webhooks, isOlder ? undemanding : {}),
  validateUpdate: ({ webhooks }, old) =>
    validateWebhooks(webhooks, isOlder ? undemanding : leniencyOf(old.webhooks ?? [])),
});

/** The rules of v1, or of the version before it. */
export const mutatingStrategy = (isOlder: boolean): Strategy<MutatingWebhookConfiguration> => ({
  defaults: ({ webhooks }) => {
    for (const webhook of webhooks ?? []) {
      setDefaults(webhook);
      webhook.reinvocationPolicy ??= 'Never';
    }
  },
  ...checks(isOlder),
});

/** The rules of v1, or of the version before it. */
export const validatingStrategy = (isOlder: boolean): Strategy<ValidatingWebhookConfiguration> => ({
  defaults: ({ webhooks }) => webhooks?.forEach(setDefaults),
  ...checks(isOlder),
});

export const mutatingWebhookConfigurationDefinition = defineKind<MutatingWebhookConfiguration>({
  resource: mutatingwebhookconfigurations,
  categories: ['api-extensions'],
  hasGeneration: true,
  columns: [nameColumn(), webhooksColumn, ageColumn()],
  strategy: mutatingStrategy(false),
});

export const validatingWebhookConfigurationDefinition = defineKind<ValidatingWebhookConfiguration>({
  resource: validatingwebhookconfigurations,
  categories: ['api-extensions'],
  hasGeneration: true,
  columns: [nameColumn(), webhooksColumn, ageColumn()],
  strategy: validatingStrategy(false),
});
