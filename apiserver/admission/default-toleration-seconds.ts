import type { Pod, Toleration } from '../../shared/api/generated/types.js';
import type { AdmissionPlugin } from './admission.js';

/** How long pods that do not say so stay on a node that is not ready, or has fallen silent. */
export interface DefaultTolerations {
  readonly notReadySeconds: number;
  readonly unreachableSeconds: number;
}

const usual: DefaultTolerations = { notReadySeconds: 300, unreachableSeconds: 300 };

/** A pod stays for five minutes on a node that has fallen silent, unless it or the server says otherwise. */
export const defaultTolerationSeconds = (given: DefaultTolerations = usual): AdmissionPlugin => ({
  name: 'DefaultTolerationSeconds',
  mutate: ({ definition, subresource, operation, object }) => {
    const { group, resource } = definition.resource;
    if (group !== '' || resource !== 'pods' || subresource !== '' || !object) return;
    if (operation !== 'CREATE' && operation !== 'UPDATE') return;
    const { spec } = object as unknown as Pod;
    const own = spec.tolerations ?? [];
    const taints = [
      ['node.kubernetes.io/not-ready', given.notReadySeconds],
      ['node.kubernetes.io/unreachable', given.unreachableSeconds],
    ] as const;
    const missing = taints.filter(([taint]) => !own.some((toleration) => covers(toleration, taint)));
    if (missing.length === 0) return;
    spec.tolerations = [
      ...own,
      ...missing.map(([key, seconds]) => ({
        key,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: seconds,
      })),
    ];
  },
});

function covers({ key, effect }: Toleration, taint: string): boolean {
  return (key === undefined || key === '' || key === taint) && (!effect || effect === 'NoExecute');
}
