import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { eventually } from '../../shared/clock/eventually.js';
import { FakeClock } from '../../shared/clock/fake-clock.js';
import { silentLog } from '../../shared/log/log.js';
import { MetricsRegistry } from '../../shared/metrics/registry.js';
import { AuthorizationChain } from './authorization-chain.js';
import { readAuthorizationConfiguration, type AuthorizerSettings } from './authorization-configuration.js';
import { allow, noOpinion, type Attributes, type Authorizer, type Decision } from './authorizer.js';
import { ConfiguredAuthorizers } from './configured-authorizers.js';
import { byModes } from './load-authorizers.js';

const head = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthorizationConfiguration' };
let directory: string;
let kubeconfig: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'knarr-authorizers-'));
  kubeconfig = join(directory, 'webhook.conf');
  writeFileSync(kubeconfig, '{}');
});
after(() => rm(directory, { recursive: true, force: true }));

const webhook = (more: object = {}): object => ({
  timeout: '3s',
  subjectAccessReviewVersion: 'v1',
  failurePolicy: 'NoOpinion',
  connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: kubeconfig },
  ...more,
});
const read = (...authorizers: object[]): AuthorizerSettings[] =>
  readAuthorizationConfiguration({ ...head, authorizers });
const hook = (more: object = {}, name = 'hook'): object => ({ type: 'Webhook', name, webhook: webhook(more) });
const attributes = (more: Partial<Attributes> = {}): Attributes => ({
  user: { name: 'jane', groups: ['dev'] },
  verb: 'get',
  isResourceRequest: true,
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: '',
  namespace: 'default',
  name: '',
  path: '',
  ...more,
});

describe('an AuthorizationConfiguration', () => {
  it('has defaults', () => {
    const [rbac, second] = read({ type: 'RBAC', name: 'roles' }, hook({ cacheUnauthorizedRequests: false }));
    assert.deepEqual(rbac, { type: 'RBAC', name: 'roles' });
    assert.deepEqual(second?.webhook, {
      kubeconfigFile: kubeconfig,
      timeoutMs: 3_000,
      authorizedTtlMs: 300_000,
      unauthorizedTtlMs: 0,
      reviewVersion: 'v1',
      deniesOnFailure: false,
      conditions: [],
    });
  });

  const conditions = (...expressions: string[]): object => ({
    matchConditionSubjectAccessReviewVersion: 'v1',
    matchConditions: expressions.map((expression) => ({ expression })),
  });
  const wrong: [authorizers: () => object[], message: string][] = [
    [() => [], 'authorizers: Required value: at least one authorization mode must be defined'],
    [
      () => [{ type: 'ABAC', name: 'a' }],
      'authorizers[0].type: Unsupported value: "ABAC": supported values: "AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook"',
    ],
    [
      () => [{ type: 'RBAC', name: 'a' }, { type: 'RBAC', name: 'b' }, hook({}, 'a')],
      '[authorizers[1].type: Duplicate value: "RBAC", authorizers[2].name: Duplicate value: "a"]',
    ],
    [
      () => [{ type: 'RBAC', name: 'A_' }],
      'authorizers[0].name: Invalid value: "A_": authorizer name is invalid: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters',
    ],
    [() => [{ type: 'RBAC', name: 'a', webhook: {} }], 'may only be specified when type=Webhook'],
    [() => [{ type: 'Webhook', name: 'a' }], 'authorizers[0].webhook: Required value: required when type=Webhook'],
    [() => [hook({ timeout: '31s' })], 'authorizers[0].timeout: Invalid value: "31s": must be > 0s and <= 30s'],
    [() => [hook({ timeout: undefined })], 'authorizers[0].timeout: Required value'],
    [() => [hook({ authorizedTTL: '-1s' })], 'authorizers[0].authorizedTTL: Invalid value: "-1s": must be > 0s'],
    [() => [hook({ failurePolicy: 'Fail' })], 'authorizers[0].failurePolicy: Unsupported value: "Fail"'],
    [
      () => [hook({ connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: 'here' } })],
      'authorizers[0].connectionInfo.kubeConfigFile: Invalid value: "here": must be an absolute path',
    ],
    [
      () => [hook({ matchConditions: [{ expression: 'true' }] })],
      'authorizers[0].matchConditionSubjectAccessReviewVersion: Required value: required if match conditions are specified',
    ],
    [
      () => [hook(conditions('request.user', 'request.nothing', '', "request.user == 'a'", "request.user == 'a'"))],
      'authorizers[0].matchConditions[0].expression: Invalid value: "request.user": must evaluate to bool but got string',
    ],
    [() => [hook(conditions('request.nothing'))], 'compilation failed: ERROR: <input>:1:8: undefined field'],
    [() => [hook({ retries: 3 })], 'strict decoding error: unknown field "authorizers[0].webhook.retries"'],
  ];
  for (const [authorizers, message] of wrong) {
    it(`is refused: ${message.slice(0, 70)}`, () =>
      assert.throws(
        () => read(...authorizers()),
        (error: Error) => error.message.includes(message) || assert.fail(error.message),
      ));
  }
});

describe('the authorizers of a file', () => {
  let file: string;
  let configured: ConfiguredAuthorizers;
  let chain: AuthorizationChain;
  let metrics: MetricsRegistry;
  let answer: () => Promise<{ status?: unknown }>;
  let asked: { spec: Record<string, unknown>; apiVersion: string }[];
  const clock = new FakeClock(1_000_000);
  const roles: Authorizer = {
    authorize: ({ user }) => (user.name === 'jane' ? { ...allow, reason: 'by a role' } : noOpinion),
    rulesFor: () => ({ rules: [] }),
  };
  const nodes: Authorizer = { authorize: () => noOpinion, rulesFor: () => ({ rules: [] }) };
  const content = (...authorizers: object[]): string => JSON.stringify({ ...head, authorizers });
  const rbac = { type: 'RBAC', name: 'rbac' };
  const only = (expression: string, more: object = {}): object =>
    hook({ matchConditionSubjectAccessReviewVersion: 'v1', matchConditions: [{ expression }], ...more });
  const use = async (text: string): Promise<void> => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  const load = (): Promise<ConfiguredAuthorizers> =>
    ConfiguredAuthorizers.load({
      file,
      askOf: () =>
        Promise.resolve((review: object) => {
          asked.push(review as (typeof asked)[number]);
          return answer();
        }),
      clock,
      log: silentLog,
      serverId: 'one',
    });
  const begin = async (text: string): Promise<void> => {
    await writeFile(file, text);
    configured = await load();
    metrics = new MetricsRegistry();
    configured.addMetrics(metrics);
    chain = new AuthorizationChain(configured.current, { Node: nodes, RBAC: roles }, metrics);
    configured.start();
  };
  const decide = (more: Partial<Attributes> = {}): Decision | Promise<Decision> => chain.authorize(attributes(more));
  const shown = (text: string): boolean => metrics.render().includes(text);

  beforeEach(() => {
    file = join(directory, 'authorization.yaml');
    asked = [];
    answer = () => Promise.resolve({ status: { denied: true, reason: 'no' } });
  });
  afterEach(() => configured.stop());

  it('are asked in their order', async () => {
    await begin(content(hook(), rbac));
    assert.deepEqual(await decide(), { verdict: 'deny', reason: 'no' });
    assert.ok(shown('apiserver_authorization_decisions_total{type="Webhook",name="hook",decision="denied"} 1'));
    assert.ok(shown('apiserver_authorization_webhook_evaluations_total{name="hook",result="success"} 1'));
    await use(content(rbac, hook()));
    await eventually(async () => assert.deepEqual(await decide(), { verdict: 'allow', reason: 'by a role' }));
    assert.ok(shown('apiserver_authorization_config_controller_automatic_reloads_total'));
  });

  it('are not asked about what their conditions exclude', async () => {
    const expression =
      "has(request.resourceAttributes) && request.resourceAttributes.namespace == 'kube-system' && 'dev' in request.groups";
    await begin(content(only(expression), rbac));
    assert.equal((await decide()).verdict, 'allow');
    assert.equal((await decide({ isResourceRequest: false, path: '/version' })).verdict, 'allow');
    assert.equal(asked.length, 0);
    assert.ok(shown('apiserver_authorization_match_condition_exclusions_total{type="Webhook",name="hook"} 2'));
    assert.equal((await decide({ namespace: 'kube-system' })).verdict, 'deny');
    assert.equal(asked[0]?.apiVersion, 'authorization.k8s.io/v1');
  });

  it('see the selectors of a request', async () => {
    const expression =
      "request.resourceAttributes.fieldSelector.requirements.exists(r, r.key == 'spec.nodeName' && 'n' in r.values)";
    await begin(content(only(expression), rbac));
    assert.equal((await decide({ verb: 'list', fieldSelector: 'spec.nodeName=n' })).verdict, 'deny');
    // Without one the condition has no value, which under NoOpinion is nobody's opinion.
    assert.equal((await decide()).verdict, 'allow');
    assert.ok(shown('apiserver_authorization_match_condition_evaluation_errors_total{type="Webhook",name="hook"} 1'));
  });

  it('refuse by failurePolicy Deny what they cannot be asked about', async () => {
    const expression = 'request.resourceAttributes.namespace != ""';
    await begin(content(only(expression, { failurePolicy: 'Deny' }), rbac));
    assert.equal((await decide({ isResourceRequest: false, path: '/version' })).verdict, 'deny');
    answer = () => Promise.reject(new Error('gone'));
    assert.equal((await decide()).verdict, 'deny');
    assert.ok(shown('apiserver_authorization_webhook_evaluations_total{name="hook",result="error"} 1'));
    assert.ok(!shown('fail_open_total{'));
  });

  it('are passed over by failurePolicy NoOpinion, and remember nothing where they shall not', async () => {
    await begin(content(hook({ cacheUnauthorizedRequests: false, subjectAccessReviewVersion: 'v1beta1' }), rbac));
    await decide();
    await decide();
    assert.equal(asked.length, 2);
    assert.equal(asked[0]?.apiVersion, 'authorization.k8s.io/v1beta1');
    assert.deepEqual(asked[0].spec['group'], ['dev']);
    answer = () => Promise.reject(new Error('gone'));
    assert.equal((await decide()).verdict, 'allow');
    assert.ok(shown('apiserver_authorization_webhook_evaluations_fail_open_total{name="hook",result="error"} 1'));
  });

  it('stay as they are when the file is wrong or names other types', async () => {
    await begin(content(hook(), rbac));
    const counted = (times: number): boolean =>
      new RegExp(`reloads_total.*failure"} ${times}\n`).test(metrics.render());
    await use(content(hook()));
    await eventually(() => assert.ok(counted(1)));
    await use(content(hook(), rbac, { type: 'Node', name: 'node' }));
    await eventually(() => assert.ok(counted(2)));
    assert.equal((await decide()).verdict, 'deny');
    assert.equal(configured.current().length, 2);
  });

  it('never stand in the way of system:masters', async () => {
    await begin(content({ type: 'AlwaysDeny', name: 'no' }));
    assert.equal((await decide({ user: { name: 'a', groups: ['system:masters'] } })).verdict, 'allow');
    assert.deepEqual(await decide(), { verdict: 'noOpinion', reason: 'Everything is forbidden.' });
  });
});

describe('modes', () => {
  it('are asked in their order and must be known, single and complete', () => {
    assert.deepEqual(byModes(['RBAC', 'Node'], undefined)(), [
      { type: 'RBAC', name: 'rbac' },
      { type: 'Node', name: 'node' },
    ]);
    assert.throws(() => byModes(['ABAC'], undefined), /authorization-mode "ABAC" is not a valid mode/);
    assert.throws(() => byModes(['RBAC', 'RBAC'], undefined), /has mode specified more than once/);
    assert.throws(() => byModes(['Webhook'], undefined), /authorization config file not passed/);
  });
});
