/** What all conditions of the API have in common. */
export interface AnyCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export function getCondition<C extends AnyCondition>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isConditionTrue(conditions: readonly AnyCondition[] | undefined, type: string): boolean {
  return getCondition(conditions, type)?.status === 'True';
}

/**
 * The conditions with `condition` added, or in the place of the one of its type. lastTransitionTime changes only when the
 * status does, and is `nowIso` then unless the condition brings its own. Returns the same array when nothing changes.
 */
export function setCondition<C extends AnyCondition>(
  conditions: readonly C[] | undefined,
  condition: C,
  nowIso: string,
): readonly C[] {
  const present = conditions ?? [];
  const index = present.findIndex(({ type }) => type === condition.type);
  const old = present[index];
  if (old === undefined) return [...present, stamped(condition, condition.lastTransitionTime ?? nowIso)];
  const next =
    old.status === condition.status
      ? stamped(condition, old.lastTransitionTime ?? nowIso)
      : stamped(condition, condition.lastTransitionTime ?? nowIso);
  if (isSame(old, next)) return present;
  return present.map((other, at) => (at === index ? next : other));
}

/** The conditions without that of the given type; the same array where there is none. */
export function removeCondition<C extends AnyCondition>(
  conditions: readonly C[] | undefined,
  type: string,
): readonly C[] {
  const present = conditions ?? [];
  return present.some((condition) => condition.type === type)
    ? present.filter((condition) => condition.type !== type)
    : present;
}

function stamped<C extends AnyCondition>(condition: C, lastTransitionTime: string): C {
  return { ...condition, lastTransitionTime };
}

function isSame(a: AnyCondition, b: AnyCondition): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof AnyCondition>;
  return [...keys].every((key) => a[key] === b[key]);
}
