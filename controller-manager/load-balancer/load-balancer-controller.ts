import { nodes, services } from '../../shared/api/generated/resources.js';
import type { Service } from '../../shared/api/generated/types.js';
import { objectKey } from '../../shared/api/object.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { newController, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';
import { type Addresses, planAddresses } from './plan-addresses.js';

/** All load balancers are planned together: they compete for the hosts' ports. */
const everything = 'load-balancers';

/** Gives Services of type LoadBalancer the addresses of the cluster's hosts, as a cloud's service controller would. */
export const loadBalancerController: ControllerDefinition = {
  name: 'service-lb-controller',
  build: (context: ControllerContext): Runnable => {
    const client = context.client('service-controller');
    const recorder = context.recorder('service-controller');
    const serviceInformer = context.informers.informer(services);
    const nodeInformer = context.informers.informer(nodes);
    /** What was last told of a Service, so that a plan that stays the same is told once. */
    const told = new Map<string, string>();

    const report = (service: Service, { holders }: Addresses): void => {
      const message = holders.join('; ');
      const key = service.metadata.uid;
      if (message !== '' && told.get(key) !== message)
        recorder.event(service, 'Warning', 'SyncLoadBalancerFailed', message);
      if (message === '') told.delete(key);
      else told.set(key, message);
    };

    const write = async (service: Service, addresses: readonly string[], signal: AbortSignal): Promise<void> => {
      const present = (service.status?.loadBalancer?.ingress ?? []).map((i) => i.ip ?? i.hostname ?? '');
      if (JSON.stringify(present) === JSON.stringify(addresses)) return;
      const ingress = addresses.map((ip) => ({ ip, ipMode: 'VIP' }));
      const loadBalancer = ingress.length > 0 ? { ingress } : {};
      const updated = { ...service, status: { ...service.status, loadBalancer } };
      try {
        await client.updateStatus(services, updated, { signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    };

    const controller = newController(context, {
      name: 'service-lb',
      informers: [serviceInformer, nodeInformer],
      workers: 1,
      reconcile: async (_, signal) => {
        const all = serviceInformer.lister.list();
        const plan = planAddresses(all, nodeInformer.lister.list());
        for (const service of all) {
          const wanted = plan.get(objectKey(service));
          if (wanted) report(service, wanted);
          const isLeft =
            service.spec.type !== 'LoadBalancer' && (service.status?.loadBalancer?.ingress ?? []).length > 0;
          if (wanted || isLeft) await write(service, wanted?.ips ?? [], signal);
        }
      },
    });

    const enqueue = (): void => controller.queue.add(everything);
    const concerns = (service: Service): boolean =>
      service.spec.type === 'LoadBalancer' || (service.status?.loadBalancer?.ingress ?? []).length > 0;
    serviceInformer.addHandler({
      onAdd: (service) => concerns(service) && enqueue(),
      onUpdate: (previous, service) => (concerns(previous) || concerns(service)) && enqueue(),
      onDelete: (service) => {
        told.delete(service.metadata.uid);
        if (concerns(service)) enqueue();
      },
    });
    nodeInformer.addHandler({ onAdd: enqueue, onUpdate: enqueue, onDelete: enqueue });
    return controller;
  },
};
