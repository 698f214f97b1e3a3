import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CustomResourceDefinition } from '../../shared/api/generated/types.js';
import { customResourceDefinitionDefinition } from '../kinds/customresourcedefinition.js';
import { createErrors, updateErrors } from '../kinds/testing.js';
import type { Schema } from './schema.js';
import { definitionOf, version } from './testing.js';

describe('definitions', () => {
  const make = (
    change: (spec: CustomResourceDefinition['spec'], crd: CustomResourceDefinition) => void = () => {},
  ): string[] => {
    const crd = definitionOf('Widget', [version('v1')]) as unknown as CustomResourceDefinition;
    change(crd.spec, crd);
    return createErrors(customResourceDefinitionDefinition, crd);
  };
  it('are refused with the words of the original', () => {
    assert.deepEqual(make(), []);
    const cases: readonly (readonly [Parameters<typeof make>[0], RegExp])[] = [
      [
        (_, crd) => void (crd.metadata.name = 'x'),
        /metadata.name: Invalid value: "x": must be spec.names.plural\+"."\+spec.group/,
      ],
      [
        (spec) => void (spec.scope = 'Both'),
        /spec.scope: Unsupported value: "Both": supported values: "Cluster", "Namespaced"/,
      ],
      [(spec) => void (spec.names.kind = 'A_B'), /spec.names.kind: Invalid value/],
      [
        (spec) => void (spec.preserveUnknownFields = true),
        /spec.preserveUnknownFields: Invalid value: true: cannot set to true/,
      ],
      [
        (spec) => spec.versions.push({ ...version('v2') } as never),
        /must have exactly one version marked as storage version/,
      ],
      [
        (spec) => spec.versions.push({ ...version('v1', { isStorage: false }) } as never),
        /spec.versions: .*must contain unique version names/,
      ],
      [(spec) => void (spec.versions = []), /exactly one version marked as storage version/],
      [(spec) => void (spec.conversion = { strategy: 'Webhook' }), /webhookClientConfig: Required value/],
      [
        (spec) =>
          void (spec.versions[0] = version('v1', {
            more: { additionalPrinterColumns: [{ name: 'A', type: 'x', jsonPath: 'a' }] },
          }) as never),
        /must be one of boolean,date,integer,number,string/,
      ],
      [
        (spec) =>
          void (spec.versions[0] = version('v1', {
            more: { subresources: { scale: { specReplicasPath: '.a', statusReplicasPath: '.status.a' } } },
          }) as never),
        /should be a json path under .spec/,
      ],
      [
        (spec) =>
          void (spec.versions[0] = version('v1', { more: { selectableFields: [{ jsonPath: '.spec.x' }] } }) as never),
        /does not refer to a valid field/,
      ],
    ];
    for (const [change, expected] of cases) assert.match(make(change).join('\n'), expected);
  });

  it('are told of where the original sees a part: what all versions share is one of the whole spec', () => {
    const odd: Schema = { type: 'object', properties: { a: {} } };
    const one = make((spec) => void (spec.versions[0] = version('v1', { schema: odd }) as never));
    assert.match(one.join('\n'), /^spec.validation.openAPIV3Schema.properties\[a\].type: Required value/);
    const second = version('v2', { schema: odd, isStorage: false });
    const other = make((spec) => void spec.versions.push(second as never));
    assert.match(other.join('\n'), /^spec.versions\[1\].schema.openAPIV3Schema.properties\[a\].type: Required value/);
  });

  it('show a rule as a whole', () => {
    const rules = [{ rule: 'self.b && true' }];
    const schema: Schema = { type: 'object', properties: {}, 'x-kubernetes-validations': rules };
    const [error] = make((spec) => void (spec.versions[0] = version('v1', { schema }) as never));
    const shown = `{"Rule":"self.b \\u0026\\u0026 true","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}`;
    assert.ok(error?.includes(`validations[0].rule: Invalid value: ${shown}: compilation failed: ERROR`), error);
  });

  it('warn of deprecation in words that can be printed', () => {
    const warn = (text: string): string[] =>
      make(
        (spec) =>
          void (spec.versions[0] = version('v1', { more: { deprecated: true, deprecationWarning: text } }) as never),
      );
    assert.deepEqual(warn('use v2'), []);
    assert.match(warn('')[0] ?? '', /must not be an empty string/);
    assert.match(warn('a\nb')[0] ?? '', /non-printable character found at index 1/);
  });

  it('keep what they are', () => {
    const old = definitionOf('Widget', [version('v1')]) as unknown as CustomResourceDefinition;
    const errors = updateErrors(customResourceDefinitionDefinition, old, ({ spec }) => {
      spec.group = 'other.com';
      spec.names.plural = 'others';
    });
    assert.match(errors.join('\n'), /spec.group: Invalid value: "other.com": field is immutable/);
    assert.match(errors.join('\n'), /spec.names.plural: Invalid value: "others": field is immutable/);
  });
});
