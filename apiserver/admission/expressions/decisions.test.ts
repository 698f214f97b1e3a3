import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { eventually } from '../../../shared/clock/eventually.js';
import { usualAuthorizers } from '../../authorization/authorization-chain.js';
import type { Attributes, Authorizer, Decision } from '../../authorization/authorizer.js';
import type { RawAnswer } from '../../testing/raw-client.js';
import { serverWorld } from '../../testing/server-world.js';
import { DecisionFailure, withDecisions } from './decisions.js';

const noOpinion: Decision = { verdict: 'noOpinion', reason: '' };
const attributes = (verb: string): Attributes => ({
  user: { name: 'u', groups: [] },
  verb,
  isResourceRequest: false,
  group: '',
  version: '',
  resource: '',
  subresource: '',
  namespace: undefined,
  name: '',
  path: '/',
});

describe('decisions for expressions', () => {
  it('are there at once where nobody outside is asked', () => {
    const authorizer = { authorize: (): Decision => noOpinion };
    const found = withDecisions(authorizer, (decisions) => decisions.decide(attributes('get')).verdict);
    assert.equal(found, 'noOpinion');
  });

  it('are waited for, one after the other, and each is asked for once', async () => {
    const asked: string[] = [];
    let runs = 0;
    const authorizer = {
      authorize: async ({ verb }: Attributes): Promise<Decision> => {
        asked.push(verb);
        await turn();
        return { verdict: 'allow', reason: verb };
      },
    };
    const found = await withDecisions(authorizer, (decisions) => {
      runs += 1;
      return ['a', 'b', 'a'].map((verb) => decisions.decide(attributes(verb)).reason);
    });
    assert.deepEqual(found, ['a', 'b', 'a']);
    assert.deepEqual(asked, ['a', 'b']);
    assert.equal(runs, 3);
  });

  it('that fail are errors with the reason', async () => {
    const authorizer = { authorize: () => Promise.reject(new Error('no answer')) };
    const found = withDecisions(authorizer, (decisions) => decisions.decide(attributes('get')));
    await assert.rejects(Promise.resolve(found), (error) => {
      assert.ok(error instanceof DecisionFailure);
      assert.equal(error.message, 'no answer');
      return true;
    });
  });
});

describe('policies that ask an authorizer outside', () => {
  const outside: Authorizer = {
    authorize: ({ user, verb }) => {
      if (user.name !== 'system:serviceaccount:default:robot') return noOpinion;
      return turn().then((): Decision => ({ verdict: verb === 'get' ? 'allow' : 'deny', reason: 'said outside' }));
    },
    rulesFor: () => ({ rules: [] }),
  };
  const { admin } = serverWorld({ identity: { authorizers: usualAuthorizers(outside) } });
  const group = '/apis/admissionregistration.k8s.io/v1';
  const core = '/api/v1/namespaces/default';
  const check = (verb: string): string =>
    `authorizer.serviceAccount('default', 'robot').group('').resource('secrets').check('${verb}')`;
  const matchConstraints = {
    resourceRules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }],
  };
  const send = async (path: string, name: string, spec: object): Promise<void> => {
    const answer = await admin.send(`${group}/${path}`, { body: { metadata: { name }, spec } });
    assert.equal(answer.code, 201, answer.text);
  };
  const make = (name: string): Promise<RawAnswer> =>
    admin.send(`${core}/configmaps`, { body: { metadata: { name }, data: { n: '0' } } });

  it('are judged by its answer, and change an object once however often they wait', async () => {
    const add = (verb: string): object => ({
      patchType: 'JSONPatch',
      jsonPatch: {
        expression: `[JSONPatch{op: 'replace', path: '/data/n', value: object.data.n + (${check(verb)}.allowed() ? '+' : '-')}]`,
      },
    });
    const mutations = [add('get'), add('list'), add('get')];
    await send('mutatingadmissionpolicies', 'm', { matchConstraints, reinvocationPolicy: 'Never', mutations });
    await send('mutatingadmissionpolicybindings', 'm', { policyName: 'm' });
    let count = 0;
    await eventually(async () => {
      const answer = await make(`mutated-${count++}`);
      assert.equal((answer.json as { data: { n: string } }).data.n, '0+-+');
    });
    const validations = [
      { expression: `${check('get')}.allowed()`, message: 'may not get' },
      { expression: `!${check('list')}.allowed()`, message: 'may list' },
      { expression: `${check('list')}.allowed()`, message: 'refused' },
    ];
    await send('validatingadmissionpolicies', 'v', { matchConstraints, validations });
    await send('validatingadmissionpolicybindings', 'v', { policyName: 'v', validationActions: ['Deny'] });
    await eventually(async () => {
      const answer = await make(`judged-${count++}`);
      assert.equal(answer.code, 422, answer.text);
      assert.match(String(answer.json?.['message']), /denied request: refused$/);
    });
  });
});
