import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CronJob, Ingress, Job, JobSpec, NetworkPolicy, StatefulSet } from '../../shared/api/generated/types.js';
import { cronJobDefinition } from './cronjob.js';
import { ingressDefinition } from './ingress.js';
import { jobDefinition } from './job.js';
import { networkPolicyDefinition } from './networkpolicy.js';
import { statefulSetDefinition } from './statefulset.js';
import { createErrors, meta, row, updateErrors } from './testing.js';

const template = (): JobSpec['template'] => ({
  spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] },
});
const job = (spec: Partial<JobSpec> = {}): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: meta('j'),
  spec: { template: template(), ...spec },
});

test('a job finds its pods by labels that the server makes', () => {
  const given = job();
  assert.deepEqual(createErrors(jobDefinition, given), []);
  assert.deepEqual(given.spec?.selector, { matchLabels: { 'batch.kubernetes.io/controller-uid': 'uid-1' } });
  const labels = {
    'batch.kubernetes.io/controller-uid': 'uid-1',
    'batch.kubernetes.io/job-name': 'j',
    'controller-uid': 'uid-1',
    'job-name': 'j',
  };
  assert.deepEqual(given.spec.template.metadata?.labels, labels);
  assert.deepEqual(given.metadata.labels, labels);
  assert.equal(given.spec.backoffLimit, 6);
  assert.equal(row(jobDefinition, given, 0)['Completions'], '0/1');
});

test('a job that breaks a rule is told which', () => {
  const table: [Partial<JobSpec>, string[]][] = [
    [
      { template: { spec: { containers: [{ name: 'c', image: 'i' }] } } },
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      { completionMode: 'Indexed', parallelism: 1 },
      ['spec.completions: Required value: when completion mode is Indexed'],
    ],
    [
      { maxFailedIndexes: 1 },
      [
        'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified',
        'spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode',
      ],
    ],
    [
      { podFailurePolicy: { rules: [{ action: 'Ignore' }] } },
      ['spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required'],
    ],
    [
      { completionMode: 'Indexed', completions: 3, successPolicy: { rules: [{ succeededIndexes: '0,5' }] } },
      [
        'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0,5": error parsing succeededIndexes: too large index: "5"',
      ],
    ],
    [
      { selector: { matchLabels: { a: 'b' } } },
      [
        'spec.selector: Invalid value: {"matchLabels":{"a":"b","batch.kubernetes.io/controller-uid":"uid-1"}}: `selector` not auto-generated',
        'spec.template.metadata.labels: Invalid value: {"job-name":"j","batch.kubernetes.io/job-name":"j","controller-uid":"uid-1","batch.kubernetes.io/controller-uid":"uid-1"}: `selector` does not match template `labels`',
      ],
    ],
  ];
  for (const [spec, expected] of table) assert.deepEqual(createErrors(jobDefinition, job(spec)), expected);
});

test('a suspended job may still be sent elsewhere, a running one may not', () => {
  const move = (given: Job): void => {
    if (given.spec) given.spec.template.spec.nodeSelector = { disk: 'ssd' };
  };
  assert.deepEqual(updateErrors(jobDefinition, job({ suspend: true }), move), []);
  const [error] = updateErrors(jobDefinition, job(), move);
  assert.match(error ?? '', /^spec\.template: Invalid value: .*: field is immutable$/);
  const grow = (given: Job): void => {
    if (given.spec) given.spec.completions = 5;
  };
  const indexed: Partial<JobSpec> = { completionMode: 'Indexed', completions: 2, parallelism: 2 };
  assert.deepEqual(updateErrors(jobDefinition, job(indexed), grow), [
    'spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism',
  ]);
});

test('a cron job has a schedule, a time zone and a short name', () => {
  const cron = (name: string, spec: Partial<CronJob['spec']>): CronJob => ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: meta(name),
    spec: { schedule: '* * * * *', jobTemplate: { spec: { template: template() } }, ...spec },
  });
  assert.deepEqual(createErrors(cronJobDefinition, cron('good', { timeZone: 'Europe/Berlin' })), []);
  assert.deepEqual(
    createErrors(cronJobDefinition, cron('c', { schedule: 'TZ=UTC 61 * * * *', timeZone: 'No/Where' })),
    [
      'spec.schedule: Invalid value: "TZ=UTC 61 * * * *": end of range (61) above maximum (59): 61',
      'spec.schedule: Invalid value: "TZ=UTC 61 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
      'spec.timeZone: Invalid value: "No/Where": unknown time zone No/Where',
    ],
  );
  assert.deepEqual(createErrors(cronJobDefinition, cron('c'.repeat(53), {})), [
    `metadata.name: Invalid value: "${'c'.repeat(53)}": must be no more than 52 characters`,
  ]);
});

test('of a stateful set only the scale, the pods and the way of their update may change', () => {
  const labels = { app: 'db' };
  const spec = {
    selector: { matchLabels: labels },
    serviceName: 'db',
    template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  };
  const set: StatefulSet = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: meta('db'), spec };
  const change = (given: StatefulSet): void => {
    if (given.spec) Object.assign(given.spec, { replicas: 3, serviceName: 'other' });
  };
  assert.deepEqual(updateErrors(statefulSetDefinition, set, change), [
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  ]);
});

test('the claims of a stateful set must be such that they can be made', () => {
  const labels = { app: 'db' };
  const set = (claim: object): StatefulSet => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: meta('db'),
    spec: {
      selector: { matchLabels: labels },
      serviceName: 'db',
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      volumeClaimTemplates: [
        {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: meta('data'),
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...claim },
        },
      ],
    },
  });
  assert.deepEqual(createErrors(statefulSetDefinition, set({})), []);
  const wrong = set({ accessModes: [], resources: {} });
  assert.deepEqual(createErrors(statefulSetDefinition, wrong), [
    'spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required',
    'spec.volumeClaimTemplates[0].spec.resources[storage]: Required value',
  ]);
  const grow = (given: StatefulSet): void => {
    if (given.spec) given.spec.replicas = 3;
  };
  assert.deepEqual(updateErrors(statefulSetDefinition, wrong, grow), [], 'what is stored stays usable');
});

test('rules of ingresses and network policies name what is wrong', () => {
  const ingress = (spec: Ingress['spec']): Ingress => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: meta('i'),
    spec,
  });
  const path = { path: 'a', pathType: 'Prefix', backend: { service: { name: 's' } } };
  assert.deepEqual(createErrors(ingressDefinition, ingress({})), [
    'spec: Invalid value: []: either `defaultBackend` or `rules` must be specified',
  ]);
  assert.deepEqual(
    createErrors(ingressDefinition, ingress({ rules: [{ host: '1.2.3.4', http: { paths: [path] } }] })),
    [
      'spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
      'spec.rules[0].http.paths[0].path: Invalid value: "a": must be an absolute path',
      'spec.rules[0].http.paths[0].backend: Required value: port name or number is required',
    ],
  );
  const policy: NetworkPolicy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: meta('n'),
    spec: {
      podSelector: {},
      egress: [
        { ports: [{ port: 5, endPort: 3 }], to: [{}, { ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16'] } }] },
      ],
    },
  };
  assert.deepEqual(createErrors(networkPolicyDefinition, policy), [
    'spec.egress[0].ports[0].endPort: Invalid value: 5: must be greater than or equal to `port`',
    'spec.egress[0].to[0]: Required value: must specify a peer',
    'spec.egress[0].to[1].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
  ]);
  assert.deepEqual(policy.spec.policyTypes, ['Ingress', 'Egress']);
});
