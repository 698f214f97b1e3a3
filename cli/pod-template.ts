import type { Container, PodSpec } from '../shared/api/generated/types.js';
import { Failure } from './cluster/failure.js';
import type { FoundObject } from './found-objects.js';

/** Where the spec of the pods stands in an object: a Pod's own, a CronJob's template in a template, else spec.template. */
function podSpecPath({ type }: Pick<FoundObject, 'type'>): readonly string[] {
  if (type.kind === 'Pod') return ['spec'];
  if (type.kind === 'CronJob') return ['spec', 'jobTemplate', 'spec', 'template', 'spec'];
  return ['spec', 'template', 'spec'];
}

/** The spec of an object's pods. @throws Failure when it has none. */
export function podSpecOf(target: FoundObject): PodSpec {
  const spec = podSpecPath(target).reduce<unknown>(
    (value, step) => (value as Record<string, unknown> | undefined)?.[step],
    target.object,
  ) as PodSpec | undefined;
  if (!spec?.containers) {
    const { group, version, kind } = target.type;
    throw new Failure(
      `the object is not a pod or does not have a pod template: ${group ? `${group}/` : ''}${version}, Kind=${kind}`,
    );
  }
  return spec;
}

/** A patch of the pods' spec as a patch of the object. */
export function patchOfPodSpec(target: Pick<FoundObject, 'type'>, patch: object): object {
  return podSpecPath(target).reduceRight<object>((inner, step) => ({ [step]: inner }), patch);
}

/** Containers that a wildcard such as `*` or `web-*` means, init containers included. */
export function selectContainers(
  spec: PodSpec,
  pattern: string,
): { list: 'containers' | 'initContainers'; container: Container }[] {
  const matches = new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  );
  return (['containers', 'initContainers'] as const).flatMap((list) =>
    (spec[list] ?? []).filter(({ name }) => matches.test(name)).map((container) => ({ list, container })),
  );
}
