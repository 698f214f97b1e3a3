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
import { validateWebhooks } from '../validation/webhook.js';
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

export const mutatingWebhookConfigurationDefinition = defineKind<MutatingWebhookConfiguration>({
  resource: mutatingwebhookconfigurations,
  categories: ['api-extensions'],
  hasGeneration: true,
  columns: [nameColumn(), webhooksColumn, ageColumn()],
  strategy: {
    defaults: ({ webhooks }) => {
      for (const webhook of webhooks ?? []) {
        setDefaults(webhook);
        webhook.reinvocationPolicy ??= 'Never';
      }
    },
    validate: ({ webhooks }) => validateWebhooks(webhooks),
  },
});

export const validatingWebhookConfigurationDefinition = defineKind<ValidatingWebhookConfiguration>({
  resource: validatingwebhookconfigurations,
  categories: ['api-extensions'],
  hasGeneration: true,
  columns: [nameColumn(), webhooksColumn, ageColumn()],
  strategy: {
    defaults: ({ webhooks }) => webhooks?.forEach(setDefaults),
    validate: ({ webhooks }) => validateWebhooks(webhooks),
  },
});
