import type { Counter, MetricsRegistry } from '../../../shared/metrics/registry.js';
import type { AdmissionRequest } from '../admission.js';
import type { LevelVersion, Policy } from './policy.js';

/** The newest rules that are known. */
const newestMinor = 36;

/** What Pod Security counts, under the names of the original. */
export class PodSecurityMetrics {
  readonly #evaluations: Counter;
  readonly #exemptions: Counter;
  readonly #errors: Counter;

  constructor(registry: MetricsRegistry) {
    const request = ['request_operation', 'resource', 'subresource'];
    this.#evaluations = registry.counter({
      name: 'pod_security_evaluations_total',
      help: 'Number of policy evaluations that occurred, not counting ignored or exempt requests.',
      labels: ['decision', 'policy_level', 'policy_version', 'mode', ...request],
    });
    this.#exemptions = registry.counter({
      name: 'pod_security_exemptions_total',
      help: 'Number of exempt requests, not counting ignored or out of scope requests.',
      labels: request,
    });
    this.#errors = registry.counter({
      name: 'pod_security_errors_total',
      help: 'Number of errors preventing normal evaluation. Non-fatal errors may result in the latest restricted profile being used for evaluation.',
      labels: ['fatal', ...request],
    });
  }

  evaluated(decision: 'allow' | 'deny', mode: keyof Policy, policy: LevelVersion, request: AdmissionRequest): void {
    const { level } = policy;
    this.#evaluations.inc([decision, level, versionLabel(policy), mode, ...labelsOf(request)]);
  }

  exempted(request: AdmissionRequest): void {
    this.#exemptions.inc(labelsOf(request));
  }

  failed(isFatal: boolean, request: AdmissionRequest): void {
    this.#errors.inc([String(isFatal), ...labelsOf(request)]);
  }
}

/** What is open to everybody is the same in all versions. */
function versionLabel({ level, minor }: LevelVersion): string {
  if (level === 'privileged' || minor === Infinity) return 'latest';
  return minor <= newestMinor ? `v1.${minor}` : 'future';
}

function labelsOf({ operation, definition, subresource }: AdmissionRequest): [string, string, string] {
  const { group, resource } = definition.resource;
  const kind = group !== '' ? '' : resource;
  const label = kind === 'pods' ? 'pod' : kind === 'namespaces' ? 'namespace' : 'controller';
  return [operation.toLowerCase(), label, subresource];
}
