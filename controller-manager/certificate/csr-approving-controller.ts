import { certificatesigningrequests, nodes, subjectaccessreviews } from '../../shared/api/generated/resources.js';
import type { CertificateSigningRequest } from '../../shared/api/generated/types.js';
import type { Client } from '../../shared/client/client.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { newController, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';
import { timestamp } from '../replicaset/plan-replicas.js';
import { autoApproval, isApproved, isDenied, isFailed, isOurSigner } from './plan-approval.js';
import { readRequest } from './request.js';

/** Approves what nodes may have without asking people. */
export const csrApprovingController: ControllerDefinition = {
  name: 'certificatesigningrequest-approving-controller',
  build: (context: ControllerContext): Runnable => {
    const client = context.client('certificate-controller');
    const requests = context.informers.informer(certificatesigningrequests);
    const nodeInformer = context.informers.informer(nodes);
    const controller = newController(context, {
      name: 'csrapproving',
      informers: [requests, nodeInformer],
      workers: 2,
      reconcile: async (key, signal) => {
        const csr = requests.lister.get(key);
        if (!csr || csr.status?.certificate || isApproved(csr) || isDenied(csr) || isFailed(csr)) return;
        if (!isOurSigner(csr.spec.signerName)) return;
        const requested = await readRequest(csr);
        const approval = requested && autoApproval(csr, requested, nodeInformer.lister.list());
        if (!approval) return;
        const { message, permission } = approval;
        if (permission !== undefined && !(await isAllowed(client, csr, permission, signal))) return;
        const now = timestamp(context.clock.now());
        const condition = {
          type: 'Approved',
          status: 'True',
          reason: 'AutoApproved',
          message,
          lastUpdateTime: now,
          lastTransitionTime: now,
        };
        const conditions = [...(csr.status?.conditions ?? []), condition];
        const approved = { ...csr, status: { ...csr.status, conditions } };
        try {
          await client.update(certificatesigningrequests, approved, { subresource: 'approval', signal });
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      },
    });
    requests.addHandler({
      onAdd: ({ metadata }) => controller.queue.add(metadata.name),
      onUpdate: (_, { metadata }) => controller.queue.add(metadata.name),
    });
    return controller;
  },
};

/** Whether the requester may have such a certificate. */
async function isAllowed(
  client: Client,
  { spec }: CertificateSigningRequest,
  subresource: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { username: user = '', uid, groups, extra } = spec;
  const resourceAttributes = {
    group: certificatesigningrequests.group,
    resource: certificatesigningrequests.resource,
    version: '*',
    verb: 'create',
    subresource,
  };
  const review = {
    metadata: {},
    spec: {
      user,
      resourceAttributes,
      ...(uid ? { uid } : {}),
      ...(groups ? { groups } : {}),
      ...(extra ? { extra } : {}),
    },
  };
  const { status } = await client.create(subjectaccessreviews, review, { signal });
  return status?.allowed === true;
}
