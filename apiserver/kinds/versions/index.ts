import type { ResourceDefinition } from '../../registry/definition.js';
import { olderWebhookVersions } from './admission-webhooks.js';
import { olderAppsVersions } from './apps.js';
import { olderCertificateVersions } from './certificatesigningrequest.js';
import { olderDefinitionVersions } from './customresourcedefinition.js';
import { olderEventVersions } from './event.js';
import { horizontalPodAutoscalerVersions } from './horizontalpodautoscaler.js';
import { olderNetworkingVersions } from './ingress.js';
import { olderDeviceVersions } from './devices.js';
import { olderFlowVersions } from './flow-control.js';
import { otherOlderVersions } from './other.js';
import { olderPolicyVersions } from './policy.js';

/** Every version that is served beside the stored one of its kind. */
export const servedVersions: readonly ResourceDefinition[] = [
  ...horizontalPodAutoscalerVersions,
  ...olderAppsVersions,
  ...olderNetworkingVersions,
  ...olderPolicyVersions,
  ...olderFlowVersions,
  ...olderDeviceVersions,
  ...olderWebhookVersions,
  ...olderDefinitionVersions,
  ...olderCertificateVersions,
  ...olderEventVersions,
  ...otherOlderVersions,
];
