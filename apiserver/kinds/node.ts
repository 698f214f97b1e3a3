import { getCondition } from '../../shared/api/condition.js';
import { nodes } from '../../shared/api/generated/resources.js';
import type { Node } from '../../shared/api/generated/types.js';
import { LABEL_NODE_ROLE, LABEL_NODE_ROLE_PREFIX } from '../../shared/api/well-known.js';
import { validateNode, validateNodeUpdate } from '../validation/node.js';
import { ageColumn, column, nameColumn, orNone, wideColumn } from './column.js';
import { canonicalizeQuantities } from './container-defaults.js';
import { defineKind } from './kind.js';

export const nodeDefinition = defineKind<Node>({
  resource: nodes,
  shortNames: ['no'],
  subresources: ['status', 'proxy'],
  keepsStatusOnCreate: true,
  columns: [
    nameColumn(),
    column('Status', statusText, { description: 'The status of the node' }),
    column('Roles', (node) => orNone(roles(node).join(',')), { description: 'The roles of the node' }),
    ageColumn(),
    column('Version', ({ status }) => status?.nodeInfo?.kubeletVersion ?? '', {
      description: 'Kubelet Version reported by the node.',
    }),
    wideColumn('Internal-IP', (node) => address(node, 'InternalIP'), { description: 'Address within the cluster.' }),
    wideColumn('External-IP', (node) => address(node, 'ExternalIP'), { description: 'Address outside the cluster.' }),
    wideColumn('OS-Image', ({ status }) => orUnknown(status?.nodeInfo?.osImage), {
      description: 'OS Image reported by the node from /etc/os-release (e.g. Debian GNU/Linux 7 (wheezy)).',
    }),
    wideColumn('Kernel-Version', ({ status }) => orUnknown(status?.nodeInfo?.kernelVersion), {
      description: "Kernel Version reported by the node from 'uname -r' (e.g. 3.16.0-0.bpo.4-amd64).",
    }),
    wideColumn('Container-Runtime', ({ status }) => orUnknown(status?.nodeInfo?.containerRuntimeVersion), {
      description:
        'ContainerRuntime Version reported by the node through runtime remote API (e.g. containerd://1.4.2).',
    }),
  ],
  selectableFields: { 'spec.unschedulable': ({ spec }) => String(spec?.unschedulable ?? false) },
  strategy: {
    defaults: (node) => {
      const spec = (node.spec ??= {});
      // The old field for one range is kept equal to the first of the new one.
      if (spec.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0];
      else if (spec.podCIDR) spec.podCIDRs = [spec.podCIDR];
      if (!node.status) return;
      if (node.status.capacity && !node.status.allocatable) node.status.allocatable = { ...node.status.capacity };
      canonicalizeQuantities(node.status.capacity);
      canonicalizeQuantities(node.status.allocatable);
    },
    validate: validateNode,
    validateUpdate: validateNodeUpdate,
    validateStatusUpdate: validateNodeUpdate,
    prepareForUpdate: (node, old) => {
      node.status = old.status;
    },
    prepareForStatusUpdate: (node, old) => {
      node.spec = old.spec;
    },
  },
});

const orUnknown = (text: string | undefined): string => text || '<unknown>';

function statusText({ spec, status }: Node): string {
  const ready = getCondition(status?.conditions, 'Ready');
  const text = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return spec?.unschedulable ? `${text},SchedulingDisabled` : text;
}

function roles({ metadata }: Node): string[] {
  const found = Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(LABEL_NODE_ROLE_PREFIX)) return [key.slice(LABEL_NODE_ROLE_PREFIX.length)];
    return key === LABEL_NODE_ROLE ? [value] : [];
  });
  return [...new Set(found)].filter((role) => role !== '').sort();
}

function address({ status }: Node, type: string): string {
  return orNone(status?.addresses?.find((candidate) => candidate.type === type)?.address);
}
