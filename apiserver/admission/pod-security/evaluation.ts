import * as baseline from './baseline-checks.js';
import type { Check, PodShape, Violation } from './offenders.js';
import type { LevelVersion } from './policy.js';
import * as restricted from './restricted-checks.js';

/** One rule of a level. `since` tells from which minor version on which form of it holds, oldest first. */
interface Rule {
  readonly id: string;
  readonly since: readonly (readonly [minor: number, check: Check])[];
  /** The baseline rule that this one includes, and takes the place of. */
  readonly overrides?: string;
}

const { hasOwnUsers, seLinuxTypes, safeSysctls } = baseline;
const { unlessWindows } = restricted;

/** Pods with users of their own may be root in them. */
const relaxed =
  (check: Check): Check =>
  (pod) =>
    hasOwnUsers(pod) ? undefined : check(pod);

/** In the order in which messages name them, as the next table. */
const baselineRules: readonly Rule[] = [
  { id: 'appArmorProfile', since: [[0, baseline.appArmorProfile]] },
  { id: 'capabilities_baseline', since: [[0, baseline.capabilities]] },
  { id: 'hostNamespaces', since: [[0, baseline.hostNamespaces]] },
  { id: 'hostPathVolumes', since: [[0, baseline.hostPathVolumes]] },
  { id: 'hostPorts', since: [[0, baseline.hostPorts]] },
  { id: 'hostProbesAndHostLifecycle', since: [[34, baseline.hostProbesAndHostLifecycle]] },
  { id: 'privileged', since: [[0, baseline.privileged]] },
  {
    id: 'procMount',
    since: [
      [0, baseline.procMount],
      [35, relaxed(baseline.procMount)],
    ],
  },
  {
    id: 'seLinuxOptions',
    since: [
      [0, baseline.seLinuxOptions(seLinuxTypes.v0)],
      [31, baseline.seLinuxOptions(seLinuxTypes.v31)],
    ],
  },
  {
    id: 'seccompProfile_baseline',
    since: [
      [0, baseline.seccompAnnotations],
      [19, baseline.seccompProfile],
    ],
  },
  {
    id: 'sysctls',
    since: [
      [0, baseline.sysctls(safeSysctls.v0)],
      [27, baseline.sysctls(safeSysctls.v27)],
      [29, baseline.sysctls(safeSysctls.v29)],
      [32, baseline.sysctls(safeSysctls.v32)],
    ],
  },
  { id: 'windowsHostProcess', since: [[0, baseline.windowsHostProcess]] },
];

const restrictedRules: readonly Rule[] = [
  {
    id: 'allowPrivilegeEscalation',
    since: [
      [8, restricted.allowPrivilegeEscalation],
      [25, unlessWindows(restricted.allowPrivilegeEscalation)],
    ],
  },
  {
    id: 'capabilities_restricted',
    overrides: 'capabilities_baseline',
    since: [
      [22, restricted.capabilities],
      [25, unlessWindows(restricted.capabilities)],
    ],
  },
  { id: 'procMount_restricted', overrides: 'procMount', since: [[35, baseline.procMount]] },
  { id: 'restrictedVolumes', overrides: 'hostPathVolumes', since: [[0, restricted.restrictedVolumes]] },
  {
    id: 'runAsNonRoot',
    since: [
      [0, restricted.runAsNonRoot],
      [35, relaxed(restricted.runAsNonRoot)],
    ],
  },
  {
    id: 'runAsUser',
    since: [
      [23, restricted.runAsUser],
      [35, relaxed(restricted.runAsUser)],
    ],
  },
  {
    id: 'seccompProfile_restricted',
    overrides: 'seccompProfile_baseline',
    since: [
      [19, restricted.seccompProfile],
      [25, unlessWindows(restricted.seccompProfile)],
    ],
  },
];

const checkOf = ({ since }: Rule, minor: number): Check | undefined => since.findLast(([from]) => from <= minor)?.[1];

/** What about the pod breaks the rules of a level in one version of them. */
export function violationsOf({ level, minor }: LevelVersion, pod: PodShape): Violation[] {
  if (level === 'privileged') return [];
  const stricter = level === 'restricted' ? restrictedRules.filter((rule) => checkOf(rule, minor)) : [];
  const overridden = new Set(stricter.map(({ overrides }) => overrides));
  const rules = [...baselineRules.filter(({ id }) => !overridden.has(id)), ...stricter];
  return rules.flatMap((rule) => checkOf(rule, minor)?.(pod) ?? []);
}

export const detailText = (violations: readonly Violation[]): string =>
  violations.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ');

export const reasonText = (violations: readonly Violation[]): string =>
  violations.map(({ reason }) => reason).join(', ');
