import { Failure } from '../cluster/failure.js';
import type { FoundObject } from '../found-objects.js';
import { patchOfPodSpec, podSpecOf } from '../pod-template.js';

/** The patch that sets images by container name (`*`: all); undefined when all are as wanted. @throws Failure for a container that is not there. */
export function imagePatch(target: FoundObject, images: ReadonlyMap<string, string>): object | undefined {
  const spec = podSpecOf(target);
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  for (const name of images.keys()) {
    if (name !== '*' && !all.some((container) => container.name === name))
      throw new Failure(`unable to find container named "${name}"`);
  }
  const patch: Record<string, object[]> = {};
  for (const list of ['containers', 'initContainers'] as const) {
    const changed = (spec[list] ?? []).flatMap(({ name, image }) => {
      const wanted = images.get(name) ?? images.get('*');
      return wanted === undefined || wanted === image ? [] : [{ name, image: wanted }];
    });
    if (changed.length > 0) patch[list] = changed;
  }
  return Object.keys(patch).length === 0 ? undefined : patchOfPodSpec(target, patch);
}
