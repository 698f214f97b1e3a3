import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodTemplateSpec } from '../../shared/api/generated/types.js';
import type { AnyObject } from '../server-api.js';
import { isSameTemplate, revisionToRestore, withoutHash } from './revisions.js';
import { rolloutState } from './status.js';
import { restoredAnnotations } from './undo.js';

const revisions = [{ number: 2 }, { number: 5 }, { number: 6 }];
const named = (kind: string): { type: { kind: string }; name: string } => ({ type: { kind }, name: 'web' });

test('an undo goes to the revision before the newest, or to the one that is named', () => {
  assert.equal(revisionToRestore(named('Deployment'), revisions, 0).number, 5);
  assert.equal(revisionToRestore(named('StatefulSet'), revisions, 2).number, 2);
});

test('an undo without such a revision is refused in the words of its kind', () => {
  const only = [{ number: 1 }];
  assert.throws(
    () => revisionToRestore(named('Deployment'), only, 0),
    /^Failure: no rollout history found for deployment "web"$/,
  );
  assert.throws(() => revisionToRestore(named('DaemonSet'), only, 0), /^Failure: no last revision to roll back to$/);
  for (const kind of ['Deployment', 'DaemonSet', 'StatefulSet'])
    assert.throws(() => revisionToRestore(named(kind), only, 4), /unable to find specified revision 4 in history$/);
});

const template = (labels: object, more: object = {}): PodTemplateSpec =>
  ({
    metadata: { labels, ...more },
    spec: { containers: [{ name: 'a', image: 'x:1' }] },
  }) as unknown as PodTemplateSpec;

test("a ReplicaSet's template is its Deployment's but for the hash; order and a null time of creation say nothing", () => {
  const ofSet = template({ 'pod-template-hash': 'h', app: 'web', tier: 'front' }, { creationTimestamp: null });
  const ofDeployment = template({ tier: 'front', app: 'web' });
  assert.ok(isSameTemplate(ofDeployment, withoutHash(ofSet)));
  assert.ok(!isSameTemplate(template({ tier: 'back', app: 'web' }), withoutHash(ofSet)));
  assert.equal(ofSet.metadata?.labels?.['pod-template-hash'], 'h');
});

test('a Deployment that goes back gets the annotations of then, and keeps those that tell of itself', () => {
  const now = { 'deployment.kubernetes.io/revision': '3', 'kubernetes.io/change-cause': 'new', own: 'x' };
  const then = {
    'deployment.kubernetes.io/revision': '2',
    'kubernetes.io/change-cause': 'old',
    'deployment.kubernetes.io/desired-replicas': '4',
  };
  assert.deepEqual(restoredAnnotations(now, then), {
    'deployment.kubernetes.io/revision': '3',
    'kubernetes.io/change-cause': 'old',
  });
});

const workload = (kind: string, spec: object, status: object, more: object = {}): AnyObject =>
  ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name: 'web', generation: 2, ...more },
    spec,
    status: { observedGeneration: 2, ...status },
  }) as AnyObject;

const states: readonly (readonly [string, AnyObject, string, boolean])[] = [
  [
    'Deployment',
    workload('Deployment', { replicas: 3 }, { observedGeneration: 1 }),
    'Waiting for deployment spec update to be observed...',
    false,
  ],
  [
    'Deployment',
    workload('Deployment', { replicas: 3 }, { replicas: 3, updatedReplicas: 1 }),
    'Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...',
    false,
  ],
  [
    'Deployment',
    workload('Deployment', { replicas: 3 }, { replicas: 4, updatedReplicas: 3 }),
    'Waiting for deployment "web" rollout to finish: 1 old replicas are pending termination...',
    false,
  ],
  [
    'Deployment',
    workload('Deployment', { replicas: 3 }, { replicas: 3, updatedReplicas: 3, availableReplicas: 2 }),
    'Waiting for deployment "web" rollout to finish: 2 of 3 updated replicas are available...',
    false,
  ],
  [
    'Deployment',
    workload('Deployment', { replicas: 3 }, { replicas: 3, updatedReplicas: 3, availableReplicas: 3 }),
    'deployment "web" successfully rolled out',
    true,
  ],
  [
    'DaemonSet',
    workload(
      'DaemonSet',
      { updateStrategy: { type: 'RollingUpdate' } },
      { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 1 },
    ),
    'Waiting for daemon set "web" rollout to finish: 1 of 2 updated pods are available...',
    false,
  ],
  [
    'DaemonSet',
    workload(
      'DaemonSet',
      { updateStrategy: { type: 'RollingUpdate' } },
      { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 },
    ),
    'daemon set "web" successfully rolled out',
    true,
  ],
  [
    'StatefulSet',
    workload('StatefulSet', { replicas: 2, updateStrategy: { type: 'RollingUpdate' } }, { readyReplicas: 1 }),
    'Waiting for 1 pods to be ready...',
    false,
  ],
  [
    'StatefulSet',
    workload(
      'StatefulSet',
      { replicas: 2, updateStrategy: { type: 'RollingUpdate' } },
      { readyReplicas: 2, updatedReplicas: 1, updateRevision: 'b', currentRevision: 'a' },
    ),
    'waiting for statefulset rolling update to complete 1 pods at revision b...',
    false,
  ],
  [
    'StatefulSet',
    workload(
      'StatefulSet',
      { replicas: 2, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } },
      { readyReplicas: 2, updatedReplicas: 1 },
    ),
    'partitioned roll out complete: 1 new pods have been updated...',
    true,
  ],
];
for (const [kind, object, message, isDone] of states) {
  test(`the status of a ${kind}: ${message}`, () => {
    assert.deepEqual(rolloutState(object), { message, isDone });
  });
}

test('a rollout that cannot succeed any more, or is another one, fails', () => {
  const late = workload(
    'Deployment',
    {},
    { conditions: [{ type: 'Progressing', reason: 'ProgressDeadlineExceeded' }] },
  );
  assert.throws(() => rolloutState(late), /deployment "web" exceeded its progress deadline$/);
  const third = workload('Deployment', {}, {}, { annotations: { 'deployment.kubernetes.io/revision': '3' } });
  assert.throws(() => rolloutState(third, 2), /desired revision \(2\) is different from the running revision \(3\)$/);
  const byHand = workload('DaemonSet', { updateStrategy: { type: 'OnDelete' } }, {});
  assert.throws(() => rolloutState(byHand), /rollout status is only available for RollingUpdate strategy type$/);
  assert.throws(
    () => rolloutState({ ...byHand, apiVersion: 'batch/v1', kind: 'Job' }),
    /no status viewer has been implemented for Job.batch$/,
  );
});
