import type { ResourceDefinition } from '../../registry/definition.js';
import { controllerRevisionDefinition } from '../controllerrevision.js';
import { daemonSetDefinition, TEMPLATE_GENERATION } from '../daemonset.js';
import { deploymentDefinition } from '../deployment.js';
import { replicaSetDefinition } from '../replicaset.js';
import { statefulSetDefinition } from '../statefulset.js';
import { member, olderVersion, type Json, type Lifecycle, type VersionChange } from './served-version.js';

const MAX_INT32 = 0x7fffffff;
const beta1: Lifecycle = { deprecated: '1.8', removed: '1.16' };
const beta2: Lifecycle = { deprecated: '1.9', removed: '1.16' };

/** Before v1beta2 a workload without a selector selected the labels of its template. */
function selectTemplate(object: Json): Json | undefined {
  const spec = member(object, 'spec');
  if (!spec) return undefined;
  const labels = member(member(member(spec, 'template'), 'metadata'), 'labels');
  const isGiven = spec['selector'] !== undefined && spec['selector'] !== null;
  if (labels && Object.keys(labels).length > 0) {
    if (!isGiven) spec['selector'] = { matchLabels: { ...labels } };
    const metadata = member(object, 'metadata');
    if (metadata && Object.keys(member(metadata, 'labels') ?? {}).length === 0) metadata['labels'] = { ...labels };
  }
  return spec;
}

function setRolling(spec: Json, amount: unknown): void {
  const strategy = (spec['strategy'] ??= {}) as Json;
  strategy['type'] ||= 'RollingUpdate';
  if (strategy['type'] !== 'RollingUpdate') return;
  const rolling = (strategy['rollingUpdate'] ??= {}) as Json;
  rolling['maxUnavailable'] ??= amount;
  rolling['maxSurge'] ??= amount;
}

/** A rollback was done by the server; nobody does it any more, and kubectl rolls back by itself. */
const deploymentBeta1: VersionChange = {
  toStored: (object) => {
    const spec = selectTemplate(object);
    if (!spec) return;
    delete spec['rollbackTo'];
    setRolling(spec, '25%');
    spec['revisionHistoryLimit'] ??= 2;
  },
};
const deploymentExtensions: VersionChange = {
  toStored: (object) => {
    const spec = selectTemplate(object);
    if (!spec) return;
    delete spec['rollbackTo'];
    setRolling(spec, 1);
    spec['revisionHistoryLimit'] ??= MAX_INT32;
    spec['progressDeadlineSeconds'] ??= MAX_INT32;
  },
};
const replicaSetExtensions: VersionChange = { toStored: (object) => void selectTemplate(object) };

function setUpdateStrategy(spec: Json | undefined, type: string): void {
  if (!spec) return;
  const strategy = (spec['updateStrategy'] ??= {}) as Json;
  strategy['type'] ||= type;
}

const statefulSetBeta1: VersionChange = {
  toStored: (object) => setUpdateStrategy(selectTemplate(object), 'OnDelete'),
};

/** The generation of the template was a field; now an annotation carries it. */
const daemonSetExtensions: VersionChange = {
  toStored: (object) => {
    const spec = selectTemplate(object);
    if (!spec) return;
    setUpdateStrategy(spec, 'OnDelete');
    delete spec['templateGeneration'];
  },
  fromStored: (object) => {
    const text = member(member(object, 'metadata'), 'annotations')?.[TEMPLATE_GENERATION];
    const spec = member(object, 'spec');
    if (spec && typeof text === 'string' && /^\d{1,15}$/.test(text)) spec['templateGeneration'] = Number(text);
  },
};

const deployment = deploymentDefinition as unknown as ResourceDefinition;
const replicaSet = replicaSetDefinition as unknown as ResourceDefinition;
const daemonSet = daemonSetDefinition as unknown as ResourceDefinition;
const statefulSet = statefulSetDefinition as unknown as ResourceDefinition;
const revision = controllerRevisionDefinition as unknown as ResourceDefinition;

export const olderAppsVersions: readonly ResourceDefinition[] = [
  olderVersion(deployment, 'apps/v1beta2', beta2),
  olderVersion(replicaSet, 'apps/v1beta2', beta2),
  olderVersion(daemonSet, 'apps/v1beta2', beta2),
  olderVersion(statefulSet, 'apps/v1beta2', beta2),
  olderVersion(revision, 'apps/v1beta2', beta2),
  olderVersion(deployment, 'apps/v1beta1', beta1, deploymentBeta1),
  olderVersion(statefulSet, 'apps/v1beta1', beta1, statefulSetBeta1),
  olderVersion(revision, 'apps/v1beta1', beta1),
  olderVersion(deployment, 'extensions/v1beta1', beta1, deploymentExtensions),
  olderVersion(replicaSet, 'extensions/v1beta1', beta1, replicaSetExtensions),
  olderVersion(daemonSet, 'extensions/v1beta1', beta1, daemonSetExtensions),
];
