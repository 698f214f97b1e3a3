import type { ResourceDefinition } from '../../registry/definition.js';
import { deviceClassDefinition } from '../deviceclass.js';
import { resourceClaimDefinition } from '../resourceclaim.js';
import { resourceClaimTemplateDefinition } from '../resourceclaimtemplate.js';
import { resourceSliceDefinition } from '../resourceslice.js';
import { member, members, olderVersion, type Json, type Lifecycle, type VersionChange } from './served-version.js';

const v1beta1: Lifecycle = { deprecated: '1.35', removed: '1.38' };
const v1beta2: Lifecycle = { deprecated: '1.36', removed: '1.39' };

/** In v1beta1 what is asked for exactly stands in the request itself. */
const exact = ['deviceClassName', 'selectors', 'allocationMode', 'count', 'adminAccess', 'tolerations', 'capacity'];

function nestRequests(spec: Json | undefined): void {
  for (const request of members(member(spec, 'devices'), 'requests')) {
    const given = exact.filter((field) => request[field] !== undefined);
    if (given.length === 0) continue;
    request['exactly'] = Object.fromEntries(given.map((field) => [field, request[field]]));
    for (const field of given) delete request[field];
  }
}

function flattenRequests(spec: Json | undefined): void {
  for (const request of members(member(spec, 'devices'), 'requests')) {
    const exactly = member(request, 'exactly');
    delete request['exactly'];
    Object.assign(request, exactly);
  }
}

const claim: VersionChange = {
  toStored: (object) => nestRequests(member(object, 'spec')),
  fromStored: (object) => flattenRequests(member(object, 'spec')),
};
const template: VersionChange = {
  toStored: (object) => nestRequests(member(member(object, 'spec'), 'spec')),
  fromStored: (object) => flattenRequests(member(member(object, 'spec'), 'spec')),
};

/** In v1beta1 all but the name of a device stands in `basic`. */
const slice: VersionChange = {
  toStored: (object) => {
    for (const device of members(member(object, 'spec'), 'devices')) {
      const basic = member(device, 'basic');
      delete device['basic'];
      Object.assign(device, basic);
    }
  },
  fromStored: (object) => {
    for (const device of members(member(object, 'spec'), 'devices')) {
      const { name: _name, ...basic } = device;
      for (const field of Object.keys(basic)) delete device[field];
      if (Object.keys(basic).length > 0) device['basic'] = basic;
    }
  },
};

const kinds: readonly (readonly [base: unknown, change: VersionChange])[] = [
  [deviceClassDefinition, {}],
  [resourceClaimDefinition, claim],
  [resourceClaimTemplateDefinition, template],
  [resourceSliceDefinition, slice],
];

/** Devices in the versions that drivers and documents of 1.32 and 1.33 use. */
export const olderDeviceVersions: readonly ResourceDefinition[] = kinds.flatMap(([base, change]) => [
  olderVersion(base as ResourceDefinition, 'resource.k8s.io/v1beta2', v1beta2),
  olderVersion(base as ResourceDefinition, 'resource.k8s.io/v1beta1', v1beta1, change),
]);
