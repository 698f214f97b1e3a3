/** Where a group stands among the groups, and its versions among each other: higher is first. */
interface GroupPriority {
  readonly group: number;
  /** By version; one that is not named has 9. */
  readonly versions: Readonly<Record<string, number>>;
}

const stable = (group: number, more: Readonly<Record<string, number>> = {}): GroupPriority => ({
  group,
  versions: { v1: 15, ...more },
});

/** The priorities of the original's own groups; also the spec of the APIServices that stand for them. */
const PRIORITIES: Readonly<Record<string, GroupPriority>> = {
  '': { group: 18_000, versions: { v1: 1 } },
  apps: stable(17_800, { v1beta2: 9, v1beta1: 1 }),
  'events.k8s.io': stable(17_750, { v1beta1: 5 }),
  'authentication.k8s.io': stable(17_700),
  'authorization.k8s.io': stable(17_600),
  autoscaling: stable(17_500, { v2: 30, v2beta1: 9, v2beta2: 1 }),
  batch: stable(17_400),
  'certificates.k8s.io': stable(17_300),
  'networking.k8s.io': stable(17_200),
  policy: stable(17_100),
  'rbac.authorization.k8s.io': stable(17_000),
  'storage.k8s.io': stable(16_800),
  'admissionregistration.k8s.io': stable(16_700, { v1beta1: 12 }),
  'apiextensions.k8s.io': stable(16_700),
  'scheduling.k8s.io': stable(16_600),
  'coordination.k8s.io': stable(16_500),
  'node.k8s.io': stable(16_300),
  'discovery.k8s.io': stable(16_200),
  'resource.k8s.io': { group: 16_200, versions: { v1: 20, v1beta2: 15 } },
  'flowcontrol.apiserver.k8s.io': { group: 16_100, versions: { v1: 21, v1beta3: 18, v1beta2: 15, v1beta1: 12 } },
  // The original had it before apps, so that `kubectl get deployments` asked for extensions/v1beta1: the stable groups win here.
  extensions: { group: 16_000, versions: { v1beta1: 1 } },
};

/** The group that describes groups stands before all others and is described by none. */
export const REGISTRATION_GROUP = 'apiregistration.k8s.io';
const FIRST = 20_001;
const CUSTOM = { group: 1000, version: 100 };

/** Custom resources come after everything that is built in. */
export function priorityOf(group: string, version: string): { readonly group: number; readonly version: number } {
  const known = Object.hasOwn(PRIORITIES, group) ? PRIORITIES[group] : undefined;
  if (!known) return CUSTOM;
  return { group: known.group, version: known.versions[version] ?? 9 };
}

/** What is known of the places of groups besides the table above; undefined where nothing is. */
export interface GroupOrder {
  readonly groupPriority: (group: string) => number | undefined;
  readonly versionPriority: (group: string, version: string) => number | undefined;
}

export const builtInOrder: GroupOrder = { groupPriority: () => undefined, versionPriority: () => undefined };

/** For sorting the groups of discovery; equals go by name. */
export function compareGroups(a: string, b: string, { groupPriority }: GroupOrder = builtInOrder): number {
  const rank = (group: string): number =>
    group === REGISTRATION_GROUP ? FIRST : (groupPriority(group) ?? priorityOf(group, '').group);
  return rank(b) - rank(a) || (a < b ? -1 : a > b ? 1 : 0);
}
