import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kubeconfig } from '../../shared/client/kubeconfig.js';
import { renamedContext, withEntry, withoutEntry, withProperty } from './changes.js';

const config: Kubeconfig = {
  'current-context': 'work',
  clusters: [{ name: 'lab', cluster: { server: 'https://192.0.2.1' } }],
  users: [{ name: 'jane', user: { token: 'abc' } }],
  contexts: [{ name: 'work', context: { cluster: 'lab', user: 'jane', namespace: 'team' } }],
};

test('an entry is added in the order of names, changed in its place, and loses fields that are undefined', () => {
  const added = withEntry(config, 'clusters', 'home', { server: 'https://192.0.2.2' });
  assert.deepEqual(
    added.clusters?.map(({ name }) => name),
    ['home', 'lab'],
  );
  const changed = withEntry(config, 'contexts', 'work', { namespace: undefined, user: 'joe' });
  assert.deepEqual(changed.contexts, [{ name: 'work', context: { cluster: 'lab', user: 'joe' } }]);
  assert.deepEqual(withoutEntry(config, 'users', 'jane').users, []);
});

test('a renamed context stays the current one; a taken name is refused', () => {
  const renamed = renamedContext(config, 'work', 'job', 'f');
  assert.equal(renamed['current-context'], 'job');
  assert.throws(() => renamedContext(config, 'nope', 'job', 'f'), /cannot rename the context "nope", it's not in f/);
  assert.throws(() => renamedContext(config, 'work', 'work', 'f'), /already exists/);
});

test('a property is set and unset by its path, names with dots included', () => {
  const set = withProperty(config, 'contexts.work.namespace', 'other');
  assert.equal(set.contexts?.[0]?.context.namespace, 'other');
  assert.equal(withProperty(config, 'contexts.work.namespace', undefined).contexts?.[0]?.context.namespace, undefined);
  assert.deepEqual(withProperty(config, 'users.jane', undefined).users, []);
  const dotted = withProperty(config, 'clusters.a.example.com.server', 'https://192.0.2.3');
  assert.equal(dotted.clusters?.[0]?.name, 'a.example.com');
  assert.equal(withProperty(config, 'current-context', undefined)['current-context'], undefined);
  assert.throws(() => withProperty(config, 'nonsense.path', 'x'), /unable to parse nonsense.path after/);
  assert.throws(() => withProperty(config, 'nonsense', undefined), /unable to parse nonsense after/);
  assert.throws(() => withProperty(config, 'contexts.work.nonsense', 'x'), /unable to set path/);
  assert.deepEqual(withProperty(config, 'users.absent', undefined).users, config.users);
});

test('values of a property must be of its type', () => {
  const path = 'clusters.lab.insecure-skip-tls-verify';
  assert.deepEqual(withProperty({}, path, 'T').clusters?.[0]?.cluster, {
    server: '',
    'insecure-skip-tls-verify': true,
  });
  assert.throws(() => withProperty({}, path, 'maybe'), /ParseBool: parsing "maybe"/);
  const data = 'clusters.lab.certificate-authority-data';
  assert.deepEqual(withProperty({}, data, 'YWJj').clusters?.[0]?.cluster, {
    server: '',
    'certificate-authority-data': 'YWJj',
  });
  assert.throws(() => withProperty({}, data, 'notb64'), /illegal base64 data at input byte 4/);
  assert.throws(() => withProperty({}, data, 'a!'), /illegal base64 data at input byte 1/);
});

test('what is new has what it must have: a cluster its server, a context its cluster and user', () => {
  const { contexts } = withProperty({}, 'contexts.new.namespace', 'team');
  assert.deepEqual(contexts, [{ name: 'new', context: { cluster: '', user: '', namespace: 'team' } }]);
});
