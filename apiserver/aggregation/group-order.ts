import { apiservices } from '../../shared/api/generated/resources.js';
import type { ObjectReader } from '../registry/object-reader.js';
import type { GroupOrder } from '../discovery/priorities.js';

/** The order that the stored APIServices ask for: a group stands where its highest priority puts it. */
export function groupOrder(objects: ObjectReader): GroupOrder {
  const groups = new Map<string, number>();
  const versions = new Map<string, number>();
  for (const { spec } of objects.list(apiservices)) {
    const { group = '', version = '' } = spec;
    groups.set(group, Math.max(groups.get(group) ?? 0, spec.groupPriorityMinimum));
    versions.set(`${group}/${version}`, spec.versionPriority);
  }
  return {
    groupPriority: (group) => groups.get(group),
    versionPriority: (group, version) => versions.get(`${group}/${version}`),
  };
}
