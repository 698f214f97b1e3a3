import type { PolicyRule } from '../../shared/api/generated/types.js';

const words = (text: string): string[] => text.split(' ').filter((word) => word !== '');

/** `core` is written for the group that has no name. */
const groupNames = (text: string): string[] =>
  words(text)
    .map((group) => (group === 'core' ? '' : group))
    .sort();

/** A rule as tables write it: `rule('get list', 'core apps', 'pods deployments/scale')`. Words are sorted, as the original does. */
export function rule(verbs: string, groups: string, resources: string, ...names: string[]): PolicyRule {
  return {
    verbs: words(verbs).sort(),
    apiGroups: groupNames(groups),
    resources: words(resources).sort(),
    ...(names.length > 0 ? { resourceNames: [...names].sort() } : {}),
  };
}

/** A rule about paths outside the resources. */
export const urlRule = (verbs: string, paths: string): PolicyRule => ({
  verbs: words(verbs).sort(),
  nonResourceURLs: words(paths).sort(),
});

export const READ = 'get list watch';
export const WRITE = 'create update patch delete deletecollection';
export const READ_WRITE = `${READ} ${WRITE}`;

/** Events in both of their groups. */
export const eventsRule = (): PolicyRule => rule('create update patch', 'core events.k8s.io', 'events');

/** The controllers here patch where those of the original update: what may be replaced as a whole may be changed in part. */
export const withPatch = (given: PolicyRule): PolicyRule =>
  given.verbs.includes('update') && !given.verbs.includes('patch')
    ? { ...given, verbs: [...given.verbs, 'patch'].sort() }
    : given;
