import type { AdmissionPlugin, AdmissionRequest } from '../admission.js';
import { isExempt } from '../matching/matcher.js';
import type { WebhookCaller } from './webhook-caller.js';
import type { Hook, WebhookSource } from './webhook-source.js';

/** Asks all webhooks that a request concerns at once; the first in order that refuses is the answer. */
export function validatingWebhooks(source: Pick<WebhookSource, 'hooks'>, caller: WebhookCaller): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionWebhook',
    validate: (request) => {
      const hooks = source.hooks();
      if (hooks.length === 0 || isExempt(request) || !caller.concerns(hooks, request)) return undefined;
      return dispatch(hooks, request, caller);
    },
  };
}

async function dispatch(hooks: readonly Hook[], request: AdmissionRequest, caller: WebhookCaller): Promise<void> {
  const invocations = [];
  for (const [index, hook] of hooks.entries()) {
    const reviewed = await caller.invocation(hook, request);
    if (reviewed) invocations.push({ hook, index, reviewed });
  }
  const results = await Promise.allSettled(
    invocations.map(async ({ hook, index, reviewed }) => {
      const answer = await caller.ask(hook, request, reviewed, false);
      if (answer) return;
      const key = `failed-open.validating.webhook.admission.k8s.io/round_0_index_${index}`;
      request.annotate?.(key, hook.webhook.name);
    }),
  );
  const refused = results.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
  if (refused) throw refused.reason;
}
