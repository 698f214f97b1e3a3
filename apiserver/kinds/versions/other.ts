import type { ResourceDefinition } from '../../registry/definition.js';
import {
  mutatingAdmissionPolicyBindingDefinition,
  mutatingAdmissionPolicyDefinition,
  validatingAdmissionPolicyBindingDefinition,
  validatingAdmissionPolicyDefinition,
} from '../admission-policies.js';
import { apiServiceDefinition } from '../apiservice.js';
import { clusterRoleDefinition } from '../clusterrole.js';
import { clusterRoleBindingDefinition } from '../clusterrolebinding.js';
import { cronJobDefinition } from '../cronjob.js';
import { csiDriverDefinition } from '../csidriver.js';
import { csiNodeDefinition } from '../csinode.js';
import { csiStorageCapacityDefinition } from '../csistoragecapacity.js';
import { endpointSliceDefinition } from '../endpointslice.js';
import { ipAddressDefinition, serviceCidrDefinition } from '../ipaddress.js';
import { leaseDefinition } from '../lease.js';
import { priorityClassDefinition } from '../priorityclass.js';
import { roleDefinition } from '../role.js';
import { roleBindingDefinition } from '../rolebinding.js';
import { runtimeClassDefinition } from '../runtimeclass.js';
import { storageClassDefinition } from '../storageclass.js';
import { volumeAttachmentDefinition } from '../volumeattachment.js';
import { volumeAttributesClassDefinition } from '../volumeattributesclass.js';
import { member, members, olderVersion, rename, type VersionChange } from './served-version.js';

const ZONE = 'topology.kubernetes.io/zone';
const HOSTNAME = 'kubernetes.io/hostname';

/** Where an endpoint is was a map of labels. */
const topology: VersionChange = {
  toStored: (slice) => {
    for (const endpoint of members(slice, 'endpoints')) {
      const { [ZONE]: zone, [HOSTNAME]: hostname, ...rest } = member(endpoint, 'topology') ?? {};
      delete endpoint['topology'];
      if (zone !== undefined) endpoint['zone'] = zone;
      if (hostname !== undefined) endpoint['nodeName'] ??= hostname;
      if (Object.keys(rest).length > 0) endpoint['deprecatedTopology'] = rest;
    }
  },
  fromStored: (slice) => {
    for (const endpoint of members(slice, 'endpoints')) {
      rename(endpoint, 'deprecatedTopology', 'topology');
      const { zone, nodeName } = endpoint;
      delete endpoint['zone'];
      const labels = {
        ...member(endpoint, 'topology'),
        ...(zone === undefined ? {} : { [ZONE]: zone }),
        ...(nodeName === undefined ? {} : { [HOSTNAME]: nodeName }),
      };
      if (Object.keys(labels).length > 0) endpoint['topology'] = labels;
    }
  },
};

const rbac = [roleDefinition, roleBindingDefinition, clusterRoleDefinition, clusterRoleBindingDefinition];

/** Versions of one kind each; most have the form of their successors. */
export const otherOlderVersions: readonly ResourceDefinition[] = [
  ...rbac.map((definition) =>
    olderVersion(definition as unknown as ResourceDefinition, 'rbac.authorization.k8s.io/v1beta1', {
      deprecated: '1.17',
      removed: '1.22',
    }),
  ),
  olderVersion(cronJobDefinition as unknown as ResourceDefinition, 'batch/v1beta1', {
    deprecated: '1.21',
    removed: '1.25',
  }),
  olderVersion(
    endpointSliceDefinition as unknown as ResourceDefinition,
    'discovery.k8s.io/v1beta1',
    { deprecated: '1.21', removed: '1.25' },
    topology,
  ),
  ...[storageClassDefinition, csiDriverDefinition, csiNodeDefinition, volumeAttachmentDefinition].map((definition) =>
    olderVersion(definition as unknown as ResourceDefinition, 'storage.k8s.io/v1beta1', {
      deprecated: '1.19',
      removed: '1.22',
    }),
  ),
  olderVersion(csiStorageCapacityDefinition as unknown as ResourceDefinition, 'storage.k8s.io/v1beta1', {
    deprecated: '1.24',
    removed: '1.27',
  }),
  olderVersion(volumeAttributesClassDefinition as unknown as ResourceDefinition, 'storage.k8s.io/v1beta1', {
    deprecated: '1.34',
    removed: '1.37',
  }),
  ...[ipAddressDefinition, serviceCidrDefinition].map((definition) =>
    olderVersion(definition as unknown as ResourceDefinition, 'networking.k8s.io/v1beta1', {
      deprecated: '1.34',
      removed: '1.37',
    }),
  ),
  ...[validatingAdmissionPolicyDefinition, validatingAdmissionPolicyBindingDefinition].map((definition) =>
    olderVersion(definition as unknown as ResourceDefinition, 'admissionregistration.k8s.io/v1beta1', {
      deprecated: '1.31',
      removed: '1.34',
    }),
  ),
  // Deprecated in 1.37 only.
  ...[mutatingAdmissionPolicyDefinition, mutatingAdmissionPolicyBindingDefinition].map((definition) =>
    olderVersion(definition as unknown as ResourceDefinition, 'admissionregistration.k8s.io/v1beta1', undefined),
  ),
  olderVersion(runtimeClassDefinition as unknown as ResourceDefinition, 'node.k8s.io/v1beta1', {
    deprecated: '1.22',
    removed: '1.25',
  }),
  olderVersion(apiServiceDefinition as unknown as ResourceDefinition, 'apiregistration.k8s.io/v1beta1', {
    deprecated: '1.19',
    removed: '1.22',
  }),
  olderVersion(priorityClassDefinition as unknown as ResourceDefinition, 'scheduling.k8s.io/v1beta1', {
    deprecated: '1.14',
    removed: '1.22',
  }),
  olderVersion(leaseDefinition as unknown as ResourceDefinition, 'coordination.k8s.io/v1beta1', {
    deprecated: '1.19',
    removed: '1.22',
  }),
];
