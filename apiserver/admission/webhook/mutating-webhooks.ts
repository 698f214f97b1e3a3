import type { KubernetesObject } from '../../../shared/api/object.js';
import { StatusError } from '../../../shared/errors/status-error.js';
import { expectedOf, type ObjectCodec } from '../../http/object-codec.js';
import { hasSameEncoding } from '../../registry/encoding.js';
import { internalError } from '../../registry/status-errors.js';
import type { AdmissionPlugin, AdmissionRequest, MutationRounds } from '../admission.js';
import { isExempt } from '../matching/matcher.js';
import { takeOver, type Reviewed } from '../matching/reviewed.js';
import type { ReviewAnswer } from './admission-review.js';
import type { WebhookCaller } from './webhook-caller.js';
import type { Hook, WebhookSource } from './webhook-source.js';

const mutationPrefix = 'mutation.webhook.admission.k8s.io/';
const patchPrefix = 'patch.webhook.admission.k8s.io/';

/** What is remembered between the two rounds of one write. */
interface Memory {
  /** The object as the last webhook left it. */
  output: string;
  /** Webhooks that want to see the object again when it has changed since. */
  readonly called: Set<string>;
  readonly due: Set<string>;
}

/** Asks webhooks one after the other, each of which may change the object. */
export function mutatingWebhooks(
  source: Pick<WebhookSource, 'hooks'>,
  caller: WebhookCaller,
  codec: Pick<ObjectCodec, 'applyPatch'>,
): AdmissionPlugin {
  return {
    name: 'MutatingAdmissionWebhook',
    mutate: (request, rounds) => {
      const hooks = source.hooks();
      if (hooks.length === 0 || isExempt(request) || !caller.concerns(hooks, request)) return undefined;
      return dispatch(hooks, request, rounds, caller, codec);
    },
  };
}

async function dispatch(
  hooks: readonly Hook[],
  request: AdmissionRequest,
  rounds: MutationRounds,
  caller: WebhookCaller,
  codec: Pick<ObjectCodec, 'applyPatch'>,
): Promise<void> {
  const memory = rounds.state<Memory>('webhooks', () => ({ output: '', called: new Set(), due: new Set() }));
  const isSecond = rounds.round > 0;
  if (isSecond && JSON.stringify(request.object) !== memory.output) schedule(memory);
  for (const [index, hook] of hooks.entries()) {
    const reviewed = await caller.invocation(hook, request);
    if (!reviewed || (isSecond && !memory.due.has(hook.id))) continue;
    const answer = await caller.ask(hook, request, reviewed, true);
    const isChanged =
      answer !== undefined && answer.patch.length > 0 && (await apply(answer.patch, hook, request, reviewed, codec));
    annotate(request, hook, `round_${rounds.round}_index_${index}`, { isChanged, answer });
    if (isChanged) {
      schedule(memory);
      rounds.wantsAnother = true;
    }
    memory.due.delete(hook.id);
    if (hook.webhook.reinvocationPolicy === 'IfNeeded') memory.called.add(hook.id);
  }
  memory.output = JSON.stringify(request.object);
}

/** Whoever saw the object before this change sees it again. */
function schedule(memory: Memory): void {
  for (const id of memory.called) memory.due.add(id);
  memory.called.clear();
}

/** True when the object is another afterwards; it is checked against its structure and defaulted again. */
async function apply(
  patch: readonly unknown[],
  { webhook }: Hook,
  request: AdmissionRequest,
  reviewed: Reviewed,
  codec: Pick<ObjectCodec, 'applyPatch'>,
): Promise<boolean> {
  const { object } = reviewed;
  if (!object) {
    throw internalError(
      `admission webhook ${JSON.stringify(webhook.name)} attempted to modify the object, which is not supported for this operation`,
    );
  }
  const parsed = { type: 'json' as const, value: patch, text: '', faults: [] };
  const isOwn = reviewed.kind.kind === reviewed.definition.resource.kind;
  const expected = isOwn ? expectedOf(reviewed.definition) : { apiVersion: object.apiVersion, kind: object.kind };
  let changed: KubernetesObject;
  try {
    const options = { fieldValidation: 'Ignore' as const, warn: request.warn };
    changed = codec.applyPatch(parsed, structuredClone(object), expected, options);
  } catch (error) {
    if (error instanceof StatusError) throw internalError(error.message);
    throw error;
  }
  if (isOwn && !reviewed.definition.storedAs) reviewed.definition.strategy.defaults?.(changed);
  if (hasSameEncoding(changed, object)) return false;
  takeOver(reviewed.shown?.request ?? request, reviewed, changed);
  await reviewed.shown?.takeBack();
  return true;
}

function annotate(
  request: AdmissionRequest,
  { configuration, webhook }: Hook,
  call: string,
  { isChanged, answer }: { readonly isChanged: boolean; readonly answer: ReviewAnswer | undefined },
): void {
  const who = { configuration, webhook: webhook.name };
  request.annotate?.(`${mutationPrefix}${call}`, JSON.stringify({ ...who, mutated: isChanged }));
  // The patch tells what is in the object, so it is written down only where the object is.
  if (isChanged) {
    const patch = { ...who, patch: answer?.patch, patchType: 'JSONPatch' };
    request.annotate?.(`${patchPrefix}${call}`, JSON.stringify(patch), 'Request');
  }
  if (!answer) request.annotate?.(`failed-open.${mutationPrefix}${call}`, webhook.name);
}
