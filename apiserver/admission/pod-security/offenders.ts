import type { Container, ObjectMeta, PodSpec, SecurityContext } from '../../../shared/api/generated/types.js';

/** The part of a pod, or of a template of pods, that the checks look at. */
export interface PodShape {
  readonly metadata: Pick<ObjectMeta, 'annotations'>;
  readonly spec: PodSpec;
}

/** Why a pod may not run, and what about it. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

/** Undefined: nothing is wrong. */
export type Check = (pod: PodShape) => Violation | undefined;

/** All containers: the init containers first, ephemeral ones last. */
export function containersOf({ spec }: PodShape): readonly Container[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])];
}

/** Names of the containers that `isBad` holds for. */
export function namesOf(pod: PodShape, isBad: (container: Container) => boolean): string[] {
  return containersOf(pod)
    .filter(isBad)
    .map(({ name }) => name);
}

export const plural = (count: number, one: string, many: string): string => (count === 1 ? one : many);
export const quoted = (texts: readonly string[]): string => texts.map((text) => JSON.stringify(text)).join(', ');
export const sorted = (texts: Iterable<string>): string[] => [...new Set(texts)].sort();

/** `container "a"`, `containers "a", "b"`. */
export const containersText = (names: readonly string[]): string =>
  `${plural(names.length, 'container', 'containers')} ${quoted(names)}`;

/** `pod and containers "a", "b"`: who set what he may not set. */
export function settersText(isPod: boolean, names: readonly string[]): string {
  return [...(isPod ? ['pod'] : []), ...(names.length > 0 ? [containersText(names)] : [])].join(' and ');
}

/** A field that both the pod and its containers have, with the values that are not allowed. */
export function badSetters(
  pod: PodShape,
  valueOf: (context: SecurityContext) => string | undefined,
  isAllowed: (value: string) => boolean,
): { setters: string; values: string[] } {
  const isBad = (context: SecurityContext | undefined): boolean => {
    const value = context && valueOf(context);
    return value !== undefined && !isAllowed(value);
  };
  const podContext = pod.spec.securityContext as SecurityContext | undefined;
  const contexts = [podContext, ...containersOf(pod).map(({ securityContext }) => securityContext)];
  const values = contexts.filter(isBad).map((context) => (context && valueOf(context)) ?? '');
  const names = namesOf(pod, ({ securityContext }) => isBad(securityContext));
  return { setters: settersText(isBad(podContext), names), values: sorted(values) };
}
