import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { usualAuthorizers } from '../authorization/authorization-chain.js';
import type { Attributes, Authorizer } from '../authorization/authorizer.js';
import type { RawAnswer } from '../testing/raw-client.js';
import { serverWorld } from '../testing/server-world.js';

const group = '/apis/authorization.k8s.io/v1';

describe('reviews of access', () => {
  const asked: Attributes[] = [];
  const witness: Authorizer = {
    authorize: (attributes) => {
      if (attributes.user.name === 'asked') asked.push(attributes);
      return { verdict: 'noOpinion', reason: '' };
    },
    rulesFor: () => ({ rules: [] }),
  };
  const { admin } = serverWorld({ identity: { authorizers: usualAuthorizers(witness) } });
  const review = (resourceAttributes: object, more: object = {}): Promise<RawAnswer> =>
    admin.send(`${group}/subjectaccessreviews`, { body: { spec: { user: 'asked', resourceAttributes, ...more } } });
  const status = ({ json }: RawAnswer): unknown => json?.['status'];
  const causes = ({ json }: RawAnswer): unknown =>
    (json?.['details'] as { causes?: { field: string; message: string }[] } | undefined)?.causes?.map(
      ({ field, message }) => `${field}: ${message}`,
    );

  it('ask about the objects of a selector, however it is written', async () => {
    const pods = { verb: 'list', resource: 'pods' };
    const raw = { fieldSelector: { rawSelector: 'spec.nodeName==a' }, labelSelector: { rawSelector: 'b in (c,d),!e' } };
    const fields = [{ key: 'spec.nodeName', operator: 'In', values: ['a'] }];
    const labels = [
      { key: 'b', operator: 'In', values: ['c', 'd'] },
      { key: 'e', operator: 'DoesNotExist' },
    ];
    const listed = { fieldSelector: { requirements: fields }, labelSelector: { requirements: labels } };
    for (const selectors of [raw, listed]) {
      assert.deepEqual(status(await review({ ...pods, ...selectors })), { allowed: false });
      const last = asked.at(-1);
      assert.equal(last?.fieldSelector, 'spec.nodeName=a');
      assert.equal(last.labelSelector, 'b in (c,d),!e');
      assert.equal(last.version, '*');
    }
  });

  it('tell what of a selector they could not understand', async () => {
    const requirements = [
      { key: 'a', operator: 'In', values: ['b'] },
      { key: 'c', operator: 'Exists' },
    ];
    const answer = await review({
      verb: 'list',
      resource: 'pods',
      fieldSelector: { requirements },
      labelSelector: { rawSelector: 'a in' },
    });
    assert.deepEqual(status(answer), {
      allowed: false,
      evaluationError:
        'spec.resourceAttributes.fieldSelector partially ignored due to parse error; spec.resourceAttributes.labelSelector ignored due to parse error',
    });
  });

  it('are refused in the words of the original', async () => {
    const both = await review({ verb: 'get' }, { nonResourceAttributes: { path: '/', verb: 'get' }, user: '' });
    assert.equal(both.code, 422);
    assert.deepEqual(causes(both), [
      'spec.nonResourceAttributes: Invalid value: {"path":"/","verb":"get"}: cannot be specified in combination with resourceAttributes',
      'spec.user: Invalid value: "": at least one of user or group must be specified',
    ]);
    const selectors = await review({
      fieldSelector: {},
      labelSelector: {
        rawSelector: 'a',
        requirements: [
          { key: '-', operator: 'In' },
          { key: 'a', operator: 'Newer' },
        ],
      },
    });
    const path = 'spec.resourceAttributes';
    const [empty, twice, ...rest] = causes(selectors) as string[];
    assert.equal(
      empty,
      `${path}.fieldSelector.requirements: Required value: when ${path}.fieldSelector is specified, requirements or rawSelector is required`,
    );
    assert.equal(
      twice,
      `${path}.labelSelector.rawSelector: Invalid value: "a": may not specified at the same time as requirements`,
    );
    assert.ok(
      rest.every((text) => text.startsWith(`${path}.labelSelector.requirements[0].`)) && rest.length === 2,
      rest.join(),
    );
    const none = await admin.send(`${group}/selfsubjectaccessreviews`, { body: { metadata: { name: 'a' }, spec: {} } });
    assert.deepEqual(causes(none), [
      'spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
      'metadata: Invalid value: must be empty',
    ]);
  });

  it('of one namespace ask about nothing else', async () => {
    const send = (spec: object, metadata: object = {}): Promise<RawAnswer> =>
      admin.send(`${group}/namespaces/default/localsubjectaccessreviews`, { body: { metadata, spec } });
    const user = 'asked';
    const good = await send({ user, resourceAttributes: { namespace: 'default', verb: 'get', resource: 'pods' } });
    assert.equal(good.code, 201);
    assert.deepEqual(causes(await send({ user, resourceAttributes: { namespace: 'other' } })), [
      'spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace',
    ]);
    assert.deepEqual(causes(await send({ user, nonResourceAttributes: { path: '/' } })), [
      'spec.nonResourceAttributes: Invalid value: {"path":"/"}: disallowed on this kind of request',
    ]);
    assert.equal((await send({ user, resourceAttributes: {} }, { namespace: 'other' })).code, 400);
  });
});
