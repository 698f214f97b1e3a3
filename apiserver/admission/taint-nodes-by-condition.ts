import type { Node } from '../../shared/api/generated/types.js';
import type { KubernetesObject } from '../../shared/api/object.js';
import type { AdmissionPlugin } from './admission.js';
import { isFor } from './resource-match.js';

const notReady = 'node.kubernetes.io/not-ready';

/** Nothing is scheduled onto a new node before it has said that it is ready. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  mutate: (request) => {
    if (request.operation !== 'CREATE' || !isFor(request, '', 'nodes')) return;
    const node = request.object as unknown as Node & KubernetesObject;
    const taints = node.spec?.taints ?? [];
    if (taints.some(({ key, effect }) => key === notReady && effect === 'NoSchedule')) return;
    node.spec = { ...node.spec, taints: [...taints, { key: notReady, effect: 'NoSchedule' }] };
  },
};
