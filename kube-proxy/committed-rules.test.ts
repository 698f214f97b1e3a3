import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommittedRules } from './committed-rules.js';
import type { Contribution, Element } from './rule-set.js';

const element = (key: string, value = 'goto service_1'): Element => ({ set: 'service_ports', key, value });
const wants = (elements: Element[], balancers: number[] = []): Contribution => ({
  elements,
  objects: new Map(),
  balancers: new Set(balancers),
});
const options = { clusterCIDR: '10.244.0.0/16', masqueradeWithinBridge: false };

function written(rules: CommittedRules): readonly string[] {
  const transaction = rules.changes();
  transaction?.commit();
  return transaction?.commands ?? [];
}
function started(): CommittedRules {
  const rules = new CommittedRules();
  rules.everything(options).commit();
  return rules;
}

test('only what changed is written, removals before additions', () => {
  const rules = started();
  rules.set('a', wants([element('1'), element('2')]));
  assert.deepEqual(written(rules), ['add element ip knarr service_ports { 1 : goto service_1, 2 : goto service_1 }']);
  rules.set('a', wants([element('2', 'goto service_2'), element('3')]));
  assert.deepEqual(written(rules), [
    'delete element ip knarr service_ports { 1, 2 }',
    'add element ip knarr service_ports { 2 : goto service_2, 3 : goto service_1 }',
  ]);
  rules.set('a', wants([element('2', 'goto service_2'), element('3')]));
  assert.deepEqual(written(rules), []);
});

test('a balancing chain is made once, before the elements that go to it', () => {
  const rules = started();
  rules.set('a', wants([element('1', 'goto service_3')], [3]));
  const commands = written(rules);
  assert.equal(commands[0], 'add chain ip knarr service_3');
  assert.match(commands.at(-1) ?? '', /^add element/);
  rules.set('b', wants([element('2', 'goto service_3')], [3]));
  assert.deepEqual(written(rules), ['add element ip knarr service_ports { 2 : goto service_3 }']);
});

test('of two owners of one element the first counts until it lets go', () => {
  const rules = started();
  rules.set('a', wants([element('1', 'goto service_1')]));
  rules.set('b', wants([element('1', 'goto service_2')]));
  assert.deepEqual(written(rules), ['add element ip knarr service_ports { 1 : goto service_1 }']);
  rules.set('a', undefined);
  assert.deepEqual(written(rules), [
    'delete element ip knarr service_ports { 1 }',
    'add element ip knarr service_ports { 1 : goto service_2 }',
  ]);
  rules.set('b', undefined);
  assert.deepEqual(written(rules), ['delete element ip knarr service_ports { 1 }']);
});

test('what is set while a transaction is under way belongs to the next one', () => {
  const rules = started();
  rules.set('a', wants([element('1')]));
  const first = rules.changes();
  rules.set('a', wants([element('2')]));
  first?.commit();
  assert.deepEqual(written(rules), [
    'delete element ip knarr service_ports { 1 }',
    'add element ip knarr service_ports { 2 : goto service_1 }',
  ]);
});

test('everything replaces the table with all that is wanted, and is the base of later changes', () => {
  const rules = new CommittedRules();
  rules.set('a', wants([element('1', 'goto service_2')], [2]));
  const whole = rules.everything(options);
  assert.deepEqual(whole.commands.slice(0, 2), ['add table ip knarr', 'delete table ip knarr']);
  assert.ok(whole.commands.includes('add chain ip knarr service_2'));
  assert.match(whole.commands.at(-1) ?? '', /0\.0\.0\.0 \. tcp \. 0 : return, 1 : goto service_2/);
  whole.commit();
  assert.deepEqual(written(rules), []);
  rules.set('a', undefined);
  assert.deepEqual(written(rules), ['delete element ip knarr service_ports { 1 }']);
});
