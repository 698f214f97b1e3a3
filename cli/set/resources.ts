import { isQuantity } from '../../shared/api/quantity.js';
import { Failure } from '../cluster/failure.js';
import type { FoundObject } from '../found-objects.js';
import { patchOfPodSpec, podSpecOf, selectContainers } from '../pod-template.js';

export interface ResourceChanges {
  readonly limits: Readonly<Record<string, string>>;
  readonly requests: Readonly<Record<string, string>>;
}

const notAQuantity = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** Reads `cpu=200m,memory=512Mi`. @throws Failure */
export function parseQuantities(texts: readonly string[] | undefined): Record<string, string> {
  return Object.fromEntries(
    (texts ?? []).map((text) => {
      const [name = '', quantity = '', ...more] = text.split('=');
      if (name === '' || quantity === '' || more.length > 0)
        throw new Failure(`invalid argument syntax ${text}, expected <resource>=<value>`);
      if (!isQuantity(quantity)) throw new Failure(notAQuantity);
      return [name, quantity];
    }),
  );
}

/** The patch that sets limits and requests of the containers of a name pattern. */
export function resourcesPatch(target: FoundObject, { limits, requests }: ResourceChanges, containers: string): object {
  const selected = selectContainers(podSpecOf(target), containers);
  if (selected.length === 0) throw new Failure(`unable to find container named ${containers}`);
  const resources = {
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
    ...(Object.keys(requests).length > 0 ? { requests } : {}),
  };
  const patch: Record<string, object[]> = {};
  for (const { list, container } of selected) (patch[list] ??= []).push({ name: container.name, resources });
  return patchOfPodSpec(target, patch);
}
