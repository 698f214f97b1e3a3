import { Failure } from '../cluster/failure.js';
import type { CommandContext } from '../context.js';
import { ExitError } from '../failures.js';
import { alignColumns } from '../printer/text-table.js';
import { policyRows, type PolicyRule } from './rules.js';

export interface CanIFlags {
  subresource?: string;
  allNamespaces: boolean;
  quiet: boolean;
  list: boolean;
  /** Commander's name of --no-headers: true when it is given. */
  headers: boolean;
}

interface Review {
  readonly status: { readonly allowed: boolean; readonly reason?: string; readonly evaluationError?: string };
}
export interface RulesReview {
  readonly status: {
    readonly resourceRules?: readonly PolicyRule[];
    readonly nonResourceRules?: readonly PolicyRule[];
    readonly incomplete?: boolean;
    readonly evaluationError?: string;
  };
}
const group = '/apis/authorization.k8s.io/v1';
const apiVersion = 'authorization.k8s.io/v1';

export async function runCanI(
  context: CommandContext,
  flags: CanIFlags,
  { words }: { words: readonly string[] },
): Promise<void> {
  if (flags.list) return listRules(context, flags, words);
  const [verb, what = '', name, ...more] = words;
  if (verb === undefined || words.length < 2 || more.length > 0)
    throw new Failure(
      "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'knarr auth can-i -h' for help and examples.",
    );
  const spec = what.startsWith('/')
    ? { nonResourceAttributes: { path: what, verb } }
    : { resourceAttributes: await attributes(context, flags, { verb, what, name }) };
  const api = await context.api();
  const body = { apiVersion, kind: 'SelfSubjectAccessReview', spec };
  const { status } = await api.json<Review>({ method: 'POST', path: `${group}/selfsubjectaccessreviews`, body });
  if (!flags.quiet) {
    const reason = [status.reason, status.evaluationError].filter(Boolean).join(' - ');
    context.print(`${status.allowed ? 'yes' : 'no'}${reason && !status.allowed ? ` - ${reason}` : ''}`);
  }
  if (!status.allowed) throw new ExitError(1);
}

async function attributes(
  context: CommandContext,
  flags: CanIFlags,
  { verb, what, name }: { verb: string; what: string; name: string | undefined },
): Promise<object> {
  const [word = '', slashed] = what.split('/');
  const [mapper, namespace] = await Promise.all([context.mapper(), context.namespace()]);
  const type = mapper.find(word);
  const [resource = '', ...groupParts] = word.toLowerCase().split('.');
  const within = groupParts.length === 0 ? '' : ` in group '${groupParts.join('.')}'`;
  if (!type && word !== '*') context.tell(`Warning: the server doesn't have a resource type '${resource}'${within}\n`);
  if (type && !type.namespaced && !flags.allNamespaces)
    context.tell(
      `Warning: resource '${type.resource}' is not namespace scoped${type.group === '' ? '' : ` in group '${type.group}'`}\n`,
    );
  return {
    verb,
    resource: type?.resource ?? resource,
    ...(type ? { group: type.group, version: type.version } : { group: word === '*' ? '*' : groupParts.join('.') }),
    ...(flags.allNamespaces || type?.namespaced === false ? {} : { namespace }),
    ...(flags.subresource ? { subresource: flags.subresource } : {}),
    ...((slashed ?? name) ? { name: slashed ?? name } : {}),
  };
}

async function listRules(context: CommandContext, flags: CanIFlags, words: readonly string[]): Promise<void> {
  if (words.length > 0) throw new Failure('list option must be specified with no arguments');
  const [api, namespace] = await Promise.all([context.api(), context.namespace()]);
  const body = { apiVersion, kind: 'SelfSubjectRulesReview', spec: { namespace } };
  const review = await api.json<RulesReview>({ method: 'POST', path: `${group}/selfsubjectrulesreviews`, body });
  if (review.status.incomplete)
    context.tell(`warning: the list may be incomplete: ${review.status.evaluationError ?? ''}`);
  context.print(alignColumns(rulesRows(review, !flags.headers)).join('\n'));
}

/** Rows of `auth can-i --list`. */
function rulesRows({ status }: RulesReview, withHead: boolean): string[][] {
  // What several bindings grant alike is told once, except for paths: as kubectl does it.
  const seen = new Set<string>();
  const rows = policyRows([...(status.resourceRules ?? []), ...(status.nonResourceRules ?? [])]).filter((row) => {
    const key = row.join(' ');
    if (row[0] !== '' && seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  return withHead ? [['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs'], ...rows] : rows;
}
