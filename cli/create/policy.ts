import { Failure } from '../cluster/failure.js';
import { parseSelector } from '../../shared/api/selector-parser.js';
import { booleanFlag, integerFlag, listFlag } from '../flags.js';
import type { AnyObject } from '../server-api.js';
import { generator, keyValues, oneName, type Generator } from './generator.js';

interface QuotaFlags {
  hard?: string[];
  scopes?: string[];
}
interface BudgetFlags {
  selector?: string;
  minAvailable?: string;
  maxUnavailable?: string;
}
interface PriorityClassFlags {
  value: number;
  globalDefault: boolean;
  description: string;
  preemptionPolicy: string;
}

function quota(words: readonly string[], { hard, scopes }: QuotaFlags): AnyObject {
  const spec = { ...(hard ? { hard: keyValues(hard, 'argument') } : {}), ...(scopes ? { scopes } : {}) };
  const metadata = { name: oneName(words, 'quota') };
  return { apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec, status: {} };
}

const countOrPercent = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text);

/** The selector of an object for the text of -l: equality is all that it holds most of the time. */
export function labelSelector(text: string): object {
  const { requirements } = parseSelector(text);
  const matchLabels: Record<string, string> = {};
  const matchExpressions: object[] = [];
  const operators: Readonly<Record<string, string>> = {
    '!=': 'NotIn',
    in: 'In',
    notin: 'NotIn',
    exists: 'Exists',
    '!': 'DoesNotExist',
  };
  for (const { key, operator, values } of requirements) {
    const [only] = values;
    if (operator === '=' && only !== undefined) matchLabels[key] = only;
    else
      matchExpressions.push({
        key,
        operator: operators[operator] ?? operator,
        ...(values.length > 0 ? { values: [...values] } : {}),
      });
  }
  return {
    ...(Object.keys(matchLabels).length > 0 ? { matchLabels } : {}),
    ...(matchExpressions.length > 0 ? { matchExpressions } : {}),
  };
}

function budget(words: readonly string[], { selector, minAvailable, maxUnavailable }: BudgetFlags): AnyObject {
  const name = oneName(words, 'poddisruptionbudget');
  if (!selector) throw new Failure('a selector must be specified');
  if (minAvailable === undefined && maxUnavailable === undefined)
    throw new Failure('one of min-available or max-unavailable must be specified');
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    throw new Failure('min-available and max-unavailable cannot be both specified');
  const limit =
    minAvailable === undefined
      ? { maxUnavailable: countOrPercent(maxUnavailable ?? '') }
      : { minAvailable: countOrPercent(minAvailable) };
  const status = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };
  const spec = { ...limit, selector: labelSelector(selector) };
  return { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name }, spec, status };
}

function priorityClass(words: readonly string[], flags: PriorityClassFlags): AnyObject {
  const name = oneName(words, 'priorityclass');
  const { value, globalDefault, description, preemptionPolicy } = flags;
  return {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name },
    ...(description === '' ? {} : { description }),
    ...(globalDefault ? { globalDefault } : {}),
    preemptionPolicy,
    value,
  };
}

export const policyGenerators: readonly Generator[] = [
  generator<QuotaFlags>({
    path: ['quota'],
    aliases: ['resourcequota'],
    description: 'a ResourceQuota',
    flags: (command) =>
      command
        .addOption(listFlag('--hard <resource=quantity>', 'what may be used at most'))
        .addOption(listFlag('--scopes <scopes>', 'what the limits are about')),
    object: ({ words, flags }) => quota(words, flags),
  }),
  generator<BudgetFlags>({
    path: ['poddisruptionbudget'],
    aliases: ['pdb'],
    description: 'a PodDisruptionBudget',
    flags: (command) =>
      command
        .option('--selector <query>', 'labels of the pods')
        .option('--min-available <count>', 'number or percentage that must stay')
        .option('--max-unavailable <count>', 'number or percentage that may go'),
    object: ({ words, flags }) => budget(words, flags),
  }),
  generator<PriorityClassFlags>({
    path: ['priorityclass'],
    aliases: ['pc'],
    description: 'a PriorityClass',
    flags: (command) =>
      command
        .addOption(integerFlag('--value <number>', 'the priority', 0))
        .addOption(booleanFlag('--global-default', 'for pods that name no class'))
        .option('--description <text>', 'what it is for', '')
        .option('--preemption-policy <policy>', 'PreemptLowerPriority or Never', 'PreemptLowerPriority'),
    object: ({ words, flags }) => priorityClass(words, flags),
  }),
];
