import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from '../../shared/api/generated/types.js';
import { isConflict } from '../../shared/errors/status-error.js';
import { Failure } from '../cluster/failure.js';
import type { FileFlags } from '../command-flags.js';
import type { CommandContext } from '../context.js';
import { throwCollected } from '../failures.js';
import { findObjects, getNamed, referenceName, referencePath, type FoundObject } from '../found-objects.js';
import { objectWriter, type PrintFlags } from '../print-flags.js';
import type { AnyObject } from '../server-api.js';

/** `certificate approve` or `certificate deny`. */
export interface Decision {
  readonly command: 'approve' | 'deny';
  readonly type: 'Approved' | 'Denied';
  readonly opposite: 'Approved' | 'Denied';
  readonly done: string;
}

export interface DecisionFlags extends FileFlags, PrintFlags {
  force: boolean;
}

const group = 'certificates.k8s.io';
const maxConflicts = 10;

/** Notes the decision at every request that is named. One that has it already is told of as well, and left alone. */
export async function decideRequests(
  context: CommandContext,
  flags: DecisionFlags,
  words: readonly string[],
  decision: Decision,
): Promise<void> {
  const { filename: files, recursive: isRecursive } = flags;
  if (words.length === 0 && !files) throw new Failure('one or more CSRs must be specified as <name> or -f <filename>');
  const write = objectWriter(context, flags);
  const errors: unknown[] = [];
  let count = 0;
  const named = words.map((word) => (word.includes('/') ? word : `certificatesigningrequests.${group}/${word}`));
  const queries = [...(files ? [{ words: [], files, isRecursive }] : []), ...named.map((word) => ({ words: [word] }))];
  for (const query of queries) {
    const { found, errors: missing } = await findObjects(context, query);
    errors.push(...missing);
    for (const target of found) {
      try {
        const object = await decide(context, target, decision, flags.force);
        count++;
        await write(object, `${referenceName(target)} ${decision.done}`);
      } catch (error) {
        errors.push(error);
      }
    }
  }
  if (count === 0 && errors.length === 0) context.print('No resources found');
  throwCollected(errors);
}

/** Resolves with the request as it is then; tries again where somebody else changed it meanwhile. */
async function decide(
  context: CommandContext,
  target: FoundObject,
  decision: Decision,
  isForced: boolean,
): Promise<AnyObject> {
  const { kind } = target.type;
  if (target.type.group !== group || kind !== 'CertificateSigningRequest')
    throw new Failure(`can only handle CertificateSigningRequest.${group} objects, got ${kind}`);
  const api = await context.api();
  let current = target.object;
  for (let attempt = 1; ; attempt++) {
    const decided = withDecision(current, decision, new Date(context.clock.now()));
    if (!decided.isNew && !isForced) return current;
    try {
      const body = decided.object;
      return await api.json({ method: 'PUT', path: referencePath(target, 'approval'), body });
    } catch (error) {
      if (!isConflict(error) || attempt > maxConflicts) throw error;
      current = await getNamed(api, target);
    }
  }
}

/** The request with the condition of the decision. @throws Failure where it has the opposite one. */
export function withDecision(
  object: AnyObject,
  { command, type, opposite, done }: Decision,
  now: Date,
): { readonly object: AnyObject; readonly isNew: boolean } {
  const { status } = object as unknown as CertificateSigningRequest;
  const conditions = status?.conditions ?? [];
  if (conditions.some((each) => each.type === opposite)) {
    const name = JSON.stringify(object.metadata.name ?? '');
    throw new Failure(`certificate signing request ${name} is already ${opposite}`);
  }
  if (conditions.some((each) => each.type === type)) return { object, isNew: false };
  const condition: CertificateSigningRequestCondition = {
    type,
    status: 'True',
    reason: `Kubectl${command === 'approve' ? 'Approve' : 'Deny'}`,
    message: `This CSR was ${done} by kubectl certificate ${command}.`,
    lastUpdateTime: now.toISOString().replace(/\.\d+Z$/, 'Z'),
  };
  return { object: { ...object, status: { ...status, conditions: [...conditions, condition] } }, isNew: true };
}
