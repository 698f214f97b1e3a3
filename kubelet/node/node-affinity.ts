import type { Node, NodeSelectorTerm, PodSpec } from '../../shared/api/generated/types.js';
import { matchesSelector, requirement, type SelectorOperator } from '../../shared/api/selector.js';

const operators: Readonly<Record<string, SelectorOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
  Gt: 'gt',
  Lt: 'lt',
};

/** Whether nodeSelector and the required node affinity let the pod run on this node. */
export function matchesNode(spec: PodSpec, node: Pick<Node, 'metadata'>): boolean {
  const labels = node.metadata.labels ?? {};
  const wanted = Object.entries(spec.nodeSelector ?? {});
  if (!wanted.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)) return false;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || required.nodeSelectorTerms.some((term) => matchesTerm(term, labels, node.metadata.name ?? ''));
}

function matchesTerm(term: NodeSelectorTerm, labels: Readonly<Record<string, string>>, name: string): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  const matches = (all: typeof expressions, values: Readonly<Record<string, string>>): boolean =>
    all.every(({ key, operator, values: wanted = [] }) => {
      const known = operators[operator];
      return known !== undefined && matchesSelector({ requirements: [requirement(key, known, wanted)] }, values);
    });
  return matches(expressions, labels) && matches(fields, { 'metadata.name': name });
}
