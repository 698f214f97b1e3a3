import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  FlowSchema,
  FlowSchemaSpec,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
} from '../../shared/api/generated/types.js';
import { makeTable } from '../table/table.js';
import {
  MANDATORY_FLOW_SCHEMAS,
  MANDATORY_PRIORITY_LEVELS,
  SUGGESTED_FLOW_SCHEMAS,
  SUGGESTED_PRIORITY_LEVELS,
} from './flow-objects.js';
import { flowSchemaDefinition } from './flowschema.js';
import { priorityLevelConfigurationDefinition } from './prioritylevelconfiguration.js';
import { createErrors, meta, row } from './testing.js';

const NOW = Date.parse('2024-01-01T00:05:00Z');
const schema = (spec: Partial<FlowSchemaSpec>, name = 'f'): FlowSchema => ({
  apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
  kind: 'FlowSchema',
  metadata: { ...meta(name), namespace: '' },
  spec: { priorityLevelConfiguration: { name: 'system' }, ...spec },
});
const level = (spec: PriorityLevelConfigurationSpec, name = 'p'): PriorityLevelConfiguration => ({
  apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
  kind: 'PriorityLevelConfiguration',
  metadata: { ...meta(name), namespace: '' },
  spec,
});

test('the objects that every cluster has are good, and defaults do not change them', () => {
  for (const [name, spec] of Object.entries({ ...MANDATORY_FLOW_SCHEMAS, ...SUGGESTED_FLOW_SCHEMAS })) {
    const given = schema(structuredClone(spec), name);
    assert.deepEqual(createErrors(flowSchemaDefinition, given), [], name);
    assert.deepEqual(given.spec, spec, name);
  }
  for (const [name, spec] of Object.entries({ ...MANDATORY_PRIORITY_LEVELS, ...SUGGESTED_PRIORITY_LEVELS })) {
    const given = level(structuredClone(spec), name);
    assert.deepEqual(createErrors(priorityLevelConfigurationDefinition, given), [], name);
    assert.deepEqual(given.spec, spec, name);
  }
});

test('a flow schema says whom and what it is about', () => {
  const rule = (more: Partial<PolicyRulesWithSubjects>): Partial<FlowSchemaSpec> => ({
    rules: [
      {
        subjects: [{ kind: 'User', user: { name: 'u' } }],
        nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }],
        ...more,
      },
    ],
  });
  const at = 'spec.rules[0]';
  const resources = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
  const table: [Partial<FlowSchemaSpec>, string[]][] = [
    [rule({}), []],
    [
      { matchingPrecedence: 1 },
      ["spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"],
    ],
    [{ matchingPrecedence: 10_001 }, ['spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000']],
    [
      { priorityLevelConfiguration: { name: '' } },
      ['spec.priorityLevelConfiguration.name: Required value: must reference a priority level'],
    ],
    [rule({ subjects: [] }), [`${at}.subjects: Required value: subjects must contain at least one value`]],
    [
      rule({ nonResourceRules: [] }),
      [`${at}: Required value: at least one of resourceRules and nonResourceRules has to be non-empty`],
    ],
    [
      rule({ subjects: [{ kind: 'Group', user: { name: 'u' } }] }),
      [
        `${at}.subjects[0].group: Required value: group is required when subject kind is 'Group'`,
        `${at}.subjects[0].user: Forbidden: user is forbidden when subject kind is not 'User'`,
      ],
    ],
    [
      rule({ subjects: [{ kind: 'Planet' }] }),
      [`${at}.subjects[0].kind: Unsupported value: "Planet": supported values: "Group", "ServiceAccount", "User"`],
    ],
    [
      rule({ nonResourceRules: [{ verbs: ['get', '*'], nonResourceURLs: ['/a*', 'b'] }] }),
      [
        `${at}.nonResourceRules[0].verbs: Invalid value: ["get","*"]: if '*' is present, must not specify other verbs`,
        `${at}.nonResourceRules[0].nonResourceURLs[0]: Invalid value: "/a*": wildcard can only do suffix matching`,
        `${at}.nonResourceRules[0].nonResourceURLs[1]: Invalid value: "b": must start with slash`,
      ],
    ],
    [
      rule({ resourceRules: [resources] }),
      [
        `${at}.resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace`,
      ],
    ],
  ];
  for (const [spec, expected] of table)
    assert.deepEqual(createErrors(flowSchemaDefinition, schema(spec)), expected, JSON.stringify(spec));
});

test('a priority level is limited, with queues that can be dealt from, or it is the exempt one', () => {
  const limited = (queues: number, handSize: number): PriorityLevelConfigurationSpec => ({
    type: 'Limited',
    limited: { limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 5 } } },
  });
  const queuing = 'spec.limited.limitResponse.queuing';
  const table: [PriorityLevelConfigurationSpec, string[]][] = [
    [limited(64, 8), []],
    [limited(4, 8), [`${queuing}.handSize: Invalid value: 8: should not be greater than queues (4)`]],
    [
      limited(1024, 8),
      [
        `${queuing}.handSize: Invalid value: 8: required entropy bits of deckSize 1024 and handSize 8 should not be greater than 60`,
      ],
    ],
    [
      { type: 'Exempt' },
      ["spec.type: Invalid value: \"Exempt\": type must be 'Exempt' if and only if name is 'exempt'"],
    ],
    [{ type: 'Limited' }, ['spec.limited: Required value: must not be empty when type is Limited']],
    [
      { type: 'Limited', limited: { lendablePercent: 101, limitResponse: { type: 'Queue' } } },
      [
        'spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive',
        `${queuing}: Required value: must not be empty if limited.limitResponse.type is Limited`,
      ],
    ],
  ];
  for (const [spec, expected] of table)
    assert.deepEqual(createErrors(priorityLevelConfigurationDefinition, level(spec)), expected, JSON.stringify(spec));
});

test('schemas are shown in the order in which they match', () => {
  const items = [
    schema({ matchingPrecedence: 900 }, 'b'),
    schema({ matchingPrecedence: 100 }, 'c'),
    schema({ matchingPrecedence: 900 }, 'a'),
  ];
  const { rows } = makeTable(flowSchemaDefinition, items, {
    apiVersion: 'meta.k8s.io/v1',
    metadata: {},
    nowMs: NOW,
  }) as {
    rows: { cells: unknown[] }[];
  };
  assert.deepEqual(
    rows.map(({ cells }) => cells[0]),
    ['c', 'a', 'b'],
  );
  assert.deepEqual(rows[0]?.cells, ['c', 'system', 100, '<none>', '5m', '?']);
  const exempt = level({ type: 'Exempt', exempt: {} }, 'exempt');
  assert.deepEqual(Object.values(row(priorityLevelConfigurationDefinition, exempt, NOW)).slice(1, 4), [
    'Exempt',
    '<none>',
    '<none>',
  ]);
});
