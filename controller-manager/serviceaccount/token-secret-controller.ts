import { secrets, serviceaccounts } from '../../shared/api/generated/resources.js';
import type { AuthenticationV1TokenRequest, Secret } from '../../shared/api/generated/types.js';
import type { Resource } from '../../shared/api/resource.js';
import type { Client } from '../../shared/client/client.js';
import { liveObject } from '../../shared/client/live-object.js';
import { isNotFound } from '../../shared/errors/status-error.js';
import { newController, type ControllerContext, type ControllerDefinition, type Runnable } from '../context.js';
import { accountNameOf, base64, planTokenSecret, TOKEN_SECRET_TYPE } from './plan-token-secret.js';

/** As long as a token can live: these end with their Secret or their account. */
const expirationSeconds = 2 ** 32;

/** Fills Secrets of type kubernetes.io/service-account-token, the long-lived tokens of before TokenRequest. */
export const tokenSecretController: ControllerDefinition = {
  name: 'serviceaccount-token-controller',
  build: (context: ControllerContext): Runnable => {
    const client = context.client('service-account-token-controller');
    const tokens = context.informers.informer(secrets, { fieldSelector: `type=${TOKEN_SECRET_TYPE}` });
    const accounts = context.informers.informer(serviceaccounts);
    const controller = newController(context, {
      name: 'serviceaccount-token',
      informers: [tokens, accounts],
      workers: 2,
      reconcile: async (key, signal) => {
        const secret = tokens.lister.get(key);
        if (!secret) return;
        const name = accountNameOf(secret);
        const known = accounts.lister.get(`${secret.metadata.namespace}/${name}`);
        let plan = planTokenSecret(secret, known, context.options.rootCa);
        if (plan.type === 'delete') {
          // A cache that is behind must not cost a Secret its life: it may know no account yet, or the one before it.
          const account = await liveObject(client, serviceaccounts, name, secret.metadata.namespace, signal);
          plan = planTokenSecret(secret, account, context.options.rootCa);
        }
        // What is gone meanwhile, Secret or account, comes again as an event.
        await carryOut(client, secret, plan, signal).catch(ignoreNotFound);
      },
    });
    tokens.addHandler({
      onAdd: ({ metadata }) => controller.queue.add(`${metadata.namespace}/${metadata.name}`),
      onUpdate: (_, { metadata }) => controller.queue.add(`${metadata.namespace}/${metadata.name}`),
    });
    accounts.addHandler({
      onDelete: (account) => {
        for (const secret of tokens.lister.list()) {
          const { namespace, name } = secret.metadata;
          if (namespace !== account.metadata.namespace || accountNameOf(secret) !== account.metadata.name) continue;
          controller.queue.add(`${namespace}/${name}`);
        }
      },
    });
    return controller;
  },
};

async function carryOut(
  client: Client,
  old: Secret,
  plan: ReturnType<typeof planTokenSecret>,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name, uid } = old.metadata;
  if (plan.type === 'delete') await client.delete(secrets, name, namespace, { preconditions: { uid }, signal });
  if (plan.type !== 'fill') return;
  const data = { ...plan.secret.data };
  if (plan.needsToken) {
    const boundObjectRef = { kind: 'Secret', apiVersion: 'v1', name, uid };
    const request = { metadata: { namespace }, spec: { audiences: [], expirationSeconds, boundObjectRef } };
    const answer = await client.create(
      serviceaccounts as Resource as Resource<AuthenticationV1TokenRequest>,
      { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', ...request },
      { subresource: 'token', name: plan.account, signal },
    );
    data['token'] = base64(answer.status?.token ?? '');
  }
  await client.update(secrets, { ...plan.secret, data }, { signal });
}

function ignoreNotFound(error: unknown): void {
  if (!isNotFound(error)) throw error;
}
