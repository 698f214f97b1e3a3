import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWaitCondition } from '../wait-condition.js';
import { CustomColumns } from './custom-columns.js';
import { JsonPath } from './jsonpath.js';

const data = {
  kind: 'List',
  items: [
    { metadata: { name: 'a', labels: { 'x.y/z': '1' } }, n: 1, ok: true },
    { metadata: { name: 'b' }, n: 2 },
  ],
};

test('templates take fields, indexes, slices, unions, filters, ranges and descent', () => {
  const cases: Record<string, string> = {
    '{.kind}': 'List',
    '{.items[*].metadata.name}': 'a b',
    '{.items[-1].n}': '2',
    '{.items[0:1].n}': '1',
    '{.items[0,1].n}': '1 2',
    '{..name}': 'a b',
    '{.items[?(@.n==2)].metadata.name}': 'b',
    '{.items[?(@.n>1)].n}': '2',
    '{.items[?(@.ok)].n}': '1',
    "{.items[0].metadata.labels['x.y/z']}": '1',
    '{.items[0].metadata.labels.x\\.y/z}': '1',
    '{range .items[*]}{.metadata.name}{"\\n"}{end}': 'a\nb\n',
    '{.items[0].metadata.labels}': '{"x.y/z":"1"}',
    '{.missing}': '',
  };
  for (const [template, text] of Object.entries(cases))
    assert.equal(JsonPath.parse(template).render(data), text, template);
  for (const broken of ['{.a', '{.a[}', '{range .items[*]}x', '{end}', '{"a}'])
    assert.throws(() => JsonPath.parse(broken), /error parsing jsonpath/, broken);
});

test('custom columns show <none> where there is nothing', () => {
  const columns = CustomColumns.parse('NAME:.metadata.name,OK:.ok');
  assert.equal(columns.print(data.items as never), 'NAME   OK\na      true\nb      <none>');
  assert.throws(() => CustomColumns.parse('NAME'), /expected <header>:<json-path-expr>/);
});

test('wait conditions', () => {
  const pod = (status: object): never => ({ metadata: { generation: 2 }, status }) as never;
  const ready = parseWaitCondition('condition=ready');
  assert.ok(ready.isMet(pod({ conditions: [{ type: 'Ready', status: 'True' }] })));
  assert.ok(!ready.isMet(pod({ conditions: [{ type: 'Ready', status: 'True', observedGeneration: 1 }] })));
  assert.ok(!ready.isMet(undefined));
  assert.ok(
    parseWaitCondition('condition=Ready=False').isMet(pod({ conditions: [{ type: 'Ready', status: 'False' }] })),
  );
  assert.ok(parseWaitCondition('jsonpath={.status.phase}=Running').isMet(pod({ phase: 'Running' })));
  assert.ok(parseWaitCondition('delete').isMet(undefined));
  assert.throws(() => parseWaitCondition('nonsense'), /unrecognized condition/);
});

test('what is no expression is refused', () => {
  const form = /expected a 'name1\.name2'/;
  for (const nested of ['{.a}{.b}', "'{.a}'=b'", '.{.a}', '{.a'])
    assert.throws(() => JsonPath.parseRelaxed(nested), form);
  for (const broken of ['{.{.a}', '{.a!}', '{)}'])
    assert.throws(() => JsonPath.parse(broken), /unrecognized character/);
});
