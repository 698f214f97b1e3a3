import { certificatesigningrequests, nodes } from '../../shared/api/generated/resources.js';
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
        const message = requested && autoApproval(csr, requested, nodeInformer.lister.list());
        if (!message) return;
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
