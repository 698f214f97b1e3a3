import type { Taint, Toleration } from './generated/types.js';

export type TaintEffect = 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';

/** Whether one toleration answers one taint: empty key with Exists answers all, empty effect every effect. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  const value = toleration.value ?? '';
  switch (toleration.operator || 'Equal') {
    case 'Equal':
      return Boolean(toleration.key) && value === (taint.value ?? '');
    case 'Exists':
      return true;
    case 'Lt':
      return compare(taint.value, value, (a, b) => a < b);
    case 'Gt':
      return compare(taint.value, value, (a, b) => a > b);
    default:
      return false;
  }
}

/** Numeric comparison of the taint's value with the toleration's; anything but whole numbers does not match. */
function compare(taint: string | undefined, toleration: string, holds: (a: bigint, b: bigint) => boolean): boolean {
  const whole = /^-?(0|[1-9][0-9]{0,18})$/;
  return whole.test(taint ?? '') && whole.test(toleration) && holds(BigInt(taint ?? ''), BigInt(toleration));
}

/** The first taint of the given effects that nothing tolerates. */
export function findUntolerated(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly TaintEffect[],
): Taint | undefined {
  return taints?.find(
    (taint) =>
      effects.includes(taint.effect as TaintEffect) && !(tolerations ?? []).some((one) => tolerates(one, taint)),
  );
}

/**
 * How long the pod may stay under the NoExecute taint, in seconds: undefined for ever, 0 not at all. The shortest
 * tolerationSeconds among the tolerations that answer it counts.
 */
export function tolerationSeconds(taint: Taint, tolerations: readonly Toleration[] | undefined): number | undefined {
  const answering = (tolerations ?? []).filter((toleration) => tolerates(toleration, taint));
  if (answering.length === 0) return 0;
  const limits = answering.flatMap((toleration) =>
    toleration.tolerationSeconds === undefined ? [] : [Math.max(0, toleration.tolerationSeconds)],
  );
  return limits.length === 0 ? undefined : Math.min(...limits);
}
