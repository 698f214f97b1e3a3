import type { ResourceDefinition } from '../../registry/definition.js';
import {
  mutatingStrategy,
  mutatingWebhookConfigurationDefinition,
  validatingStrategy,
  validatingWebhookConfigurationDefinition,
} from '../admission-webhooks.js';
import { members, olderVersion, type Json } from './served-version.js';

/** Before v1 a webhook that fell silent was passed over, had half a minute, and needed not say what it does. */
function fillIn(configuration: Json): void {
  for (const webhook of members(configuration, 'webhooks')) {
    webhook['failurePolicy'] ??= 'Ignore';
    webhook['matchPolicy'] ??= 'Exact';
    webhook['sideEffects'] ??= 'Unknown';
    webhook['timeoutSeconds'] ??= 30;
    webhook['admissionReviewVersions'] ??= ['v1beta1'];
  }
}

const apiVersion = 'admissionregistration.k8s.io/v1beta1';
const lifecycle = { deprecated: '1.16', removed: '1.22' };

export const olderWebhookVersions: readonly ResourceDefinition[] = [
  olderVersion(mutatingWebhookConfigurationDefinition as unknown as ResourceDefinition, apiVersion, lifecycle, {
    toStored: fillIn,
    strategy: mutatingStrategy(true),
  }),
  olderVersion(validatingWebhookConfigurationDefinition as unknown as ResourceDefinition, apiVersion, lifecycle, {
    toStored: fillIn,
    strategy: validatingStrategy(true),
  }),
];
