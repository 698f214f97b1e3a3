import type { ResourceDefinition } from '../../registry/definition.js';
import { flowSchemaDefinition } from '../flowschema.js';
import { priorityLevelConfigurationDefinition } from '../prioritylevelconfiguration.js';
import { member, olderVersion, rename, type Lifecycle, type VersionChange } from './served-version.js';

const group = 'flowcontrol.apiserver.k8s.io';
const lifecycles: Readonly<Record<string, Lifecycle>> = {
  v1beta3: { deprecated: '1.29', removed: '1.32' },
  v1beta2: { deprecated: '1.26', removed: '1.29' },
  v1beta1: { deprecated: '1.23', removed: '1.26' },
};

/** What nominal shares were called before v1beta3. */
const assured: VersionChange = {
  toStored: (level) => {
    const limited = member(member(level, 'spec'), 'limited');
    if (limited) rename(limited, 'assuredConcurrencyShares', 'nominalConcurrencyShares');
  },
  fromStored: (level) => {
    const limited = member(member(level, 'spec'), 'limited');
    if (limited) rename(limited, 'nominalConcurrencyShares', 'assuredConcurrencyShares');
  },
};

export const olderFlowVersions: readonly ResourceDefinition[] = Object.entries(lifecycles).flatMap(
  ([version, lifecycle]) => [
    olderVersion(flowSchemaDefinition as unknown as ResourceDefinition, `${group}/${version}`, lifecycle),
    olderVersion(
      priorityLevelConfigurationDefinition as unknown as ResourceDefinition,
      `${group}/${version}`,
      lifecycle,
      version === 'v1beta3' ? {} : assured,
    ),
  ],
);
