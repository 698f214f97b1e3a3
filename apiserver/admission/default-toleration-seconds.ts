import type { Pod, Toleration } from '../../shared/api/generated/types.js';
import type { AdmissionPlugin } from './admission.js';

const taints = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];
const seconds = 300;

/** A pod stays for five minutes on a node that has fallen silent, unless it says otherwise. */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  mutate: ({ definition, subresource, operation, object }) => {
    const { group, resource } = definition.resource;
    if (group !== '' || resource !== 'pods' || subresource !== '' || !object) return;
    if (operation !== 'CREATE' && operation !== 'UPDATE') return;
    const { spec } = object as unknown as Pod;
    const given = spec.tolerations ?? [];
    const missing = taints.filter((taint) => !given.some((toleration) => covers(toleration, taint)));
    if (missing.length === 0) return;
    spec.tolerations = [
      ...given,
      ...missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: seconds })),
    ];
  },
};

function covers({ key, effect }: Toleration, taint: string): boolean {
  return (key === undefined || key === '' || key === taint) && (!effect || effect === 'NoExecute');
}
