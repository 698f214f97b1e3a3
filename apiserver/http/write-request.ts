import { badRequest } from '../../shared/errors/bad-request.js';
import type { Annotate } from '../audit/request-audit.js';
import { isQueryFlagSet } from '../../shared/api/query.js';
import { invalid } from '../registry/status-errors.js';
import { mediaTypeOf } from '../decode/errors.js';
import {
  forbidden,
  invalid as invalidField,
  notSupported,
  required,
  tooLong,
  type FieldError,
} from '../validation/field-error.js';
import type { DeleteOptions, WriteOptions } from '../registry/write-options.js';
import { header, type Exchange } from './exchange.js';
import { patchMediaTypes } from './schema-codec.js';

const maxManagerLength = 128;
const fieldValidations = ['Ignore', 'Strict', 'Warn'] as const;

/** What the query of a write says, checked. */
export function writeOptions(exchange: Exchange): WriteOptions {
  const { query, user, warnings, audit } = exchange;
  const annotate: Annotate | undefined = audit && ((key, value, level) => audit.annotate(key, value, level));
  const warn = (text: string): void => void warnings.push(text);
  // Most writes say nothing of how they are to be done.
  if (query.size === 0 && exchange.info.verb !== 'patch') {
    const fieldManager = agentName(exchange);
    return { user, isDryRun: false, fieldManager, force: false, fieldValidation: 'Warn', warn, annotate };
  }
  const errors: FieldError[] = [];
  const dryRun = query.getAll('dryRun');
  errors.push(...dryRunErrors(dryRun));
  const validation = query.get('fieldValidation') ?? '';
  const fieldValidation = fieldValidations.find((known) => known === validation);
  if (validation !== '' && !fieldValidation) {
    errors.push(notSupported('fieldValidation', validation, ['', ...fieldValidations]));
  }
  const manager = query.get('fieldManager') ?? '';
  if (exchange.info.verb === 'patch') errors.push(...patchErrors(exchange, manager));
  errors.push(...managerErrors(manager));
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: optionsKind(exchange) }, '', errors);
  return {
    user,
    isDryRun: dryRun.length > 0,
    fieldManager: manager || agentName(exchange),
    force: isQueryFlagSet(query, 'force'),
    fieldValidation: fieldValidation ?? 'Warn',
    warn,
    annotate,
  };
}

const dryRunErrors = (values: readonly unknown[]): FieldError[] =>
  values.every((value) => value === 'All') ? [] : [notSupported('dryRun', values, ['All'])];

/** An apply says on whose behalf; nothing else can take fields by force. */
function patchErrors({ request, query }: Exchange, manager: string): FieldError[] {
  const mediaType = mediaTypeOf(header(request, 'content-type'));
  // What is no patch at all is refused for that alone: a client may take another form then.
  if (!patchMediaTypes.includes(mediaType)) return [];
  if (mediaType === 'application/apply-patch+yaml')
    return manager === '' ? [required('fieldManager', 'is required for apply patch')] : [];
  return query.has('force') ? [forbidden('force', 'may not be specified for non-apply patch')] : [];
}

function managerErrors(manager: string): FieldError[] {
  if (Buffer.byteLength(manager) > maxManagerLength) return [tooLong('fieldManager', maxManagerLength)];
  for (const [position, character] of Array.from(manager).entries()) {
    if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) continue;
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    return [invalidField('fieldManager', manager, `invalid character U+${code} (at position ${position})`)];
  }
  return [];
}

function optionsKind({ info }: Exchange): string {
  return { create: 'CreateOptions', patch: 'PatchOptions' }[info.verb as string] ?? 'UpdateOptions';
}

/** The first word of the User-Agent, as in managedFields of the original. */
function agentName(exchange: Exchange): string {
  const agent = header(exchange.request, 'user-agent') ?? '';
  const slash = agent.indexOf('/');
  const name = agent
    .slice(0, slash < 0 ? maxManagerLength : Math.min(slash, maxManagerLength))
    .replace(/[^\x20-\x7e]/g, '');
  return name === '' ? 'unknown' : name;
}

interface DeleteBody {
  kind?: string;
  gracePeriodSeconds?: unknown;
  orphanDependents?: unknown;
  propagationPolicy?: unknown;
  preconditions?: { uid?: unknown; resourceVersion?: unknown } | null;
  dryRun?: unknown;
}

/** DeleteOptions of the body, else of the query. `dryRun` may stand in either. */
export function deleteOptions(exchange: Exchange, body: unknown): { deletion: DeleteOptions; isDryRun: boolean } {
  const { query } = exchange;
  const given = (body ?? {}) as DeleteBody;
  if (typeof given !== 'object' || Array.isArray(given)) throw badRequest('the body of a delete must be DeleteOptions');
  if (given.kind !== undefined && given.kind !== 'DeleteOptions') {
    throw badRequest(`the body of a delete must be of kind DeleteOptions, not ${JSON.stringify(given.kind)}`);
  }
  const errors: FieldError[] = [];
  const grace = seconds(given.gracePeriodSeconds ?? query.get('gracePeriodSeconds') ?? undefined);
  const policy = propagation(given, query, errors);
  const dryRun: unknown[] = Array.isArray(given.dryRun) ? given.dryRun : [];
  errors.push(...dryRunErrors(dryRun));
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
  const { uid, resourceVersion } = given.preconditions ?? {};
  return {
    deletion: {
      ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
      ...(policy === undefined ? {} : { propagationPolicy: policy }),
      preconditions: {
        ...(typeof uid === 'string' && uid !== '' ? { uid } : {}),
        ...(typeof resourceVersion === 'string' && resourceVersion !== '' ? { resourceVersion } : {}),
      },
    },
    isDryRun: dryRun.includes('All'),
  };
}

function seconds(value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const number = Number(value);
  if (!Number.isSafeInteger(number)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  }
  return number;
}

function propagation(
  given: DeleteBody,
  query: URLSearchParams,
  errors: FieldError[],
): DeleteOptions['propagationPolicy'] {
  const orphan = given.orphanDependents ?? query.get('orphanDependents') ?? undefined;
  const policy = given.propagationPolicy ?? query.get('propagationPolicy') ?? undefined;
  if (orphan !== undefined && policy !== undefined) {
    errors.push({
      type: 'FieldValueInvalid',
      path: 'propagationPolicy',
      message: `Invalid value: ${JSON.stringify(policy)}: orphanDependents and deletionPropagation cannot be both set`,
    });
  }
  if (policy === 'Foreground' || policy === 'Background' || policy === 'Orphan') return policy;
  if (policy !== undefined && policy !== '') {
    errors.push(notSupported('propagationPolicy', policy, ['Foreground', 'Background', 'Orphan', 'nil']));
  }
  if (orphan === undefined) return undefined;
  return orphan === true || orphan === 'true' ? 'Orphan' : 'Background';
}
