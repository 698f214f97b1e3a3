import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { definitions } from '../kinds/index.js';
import { serverWorld } from '../testing/server-world.js';
import { kubectlFor, type Kubectl } from './kubectl.js';

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly 'x-kubernetes-group-version-kind'?: readonly { group: string; version: string; kind: string }[];
}

/** Kind, field, and what kubectl must print of it. */
const samples: readonly (readonly [path: string, expected: readonly RegExp[]])[] = [
  [
    'persistentvolumeclaims.spec.resources',
    [/FIELD: resources <VolumeResourceRequirements>/, /requests\s+<map\[string\]Quantity>/],
  ],
  [
    'limitrange.spec.limits',
    [/FIELD: limits <\[\]LimitRangeItem>/, /maxLimitRequestRatio/, /type\s+<string> -required-/],
  ],
  ['flowschemas.spec.rules', [/GROUP:\s+flowcontrol\.apiserver\.k8s\.io/, /subjects\s+<\[\]Subject> -required-/]],
  ['apiservices.spec', [/groupPriorityMinimum\s+<integer> -required-/]],
  ['resourceslices.spec.devices', [/VERSION:\s+v1/, /consumesCounters\s+<\[\]DeviceCounterConsumption>/]],
];

describe('kubectl explain', () => {
  const world = serverWorld();
  let kubectl: Kubectl;
  before(async () => {
    kubectl = await kubectlFor(world.server.kubeconfigPath);
  });
  after(async () => {
    await kubectl.close();
  });

  it('finds every served kind in the document of its version, with all that it refers to', async () => {
    const documents = new Map<string, Readonly<Record<string, Schema>>>();
    for (const { resource } of definitions) {
      const root = resource.basePath.slice(1);
      if (!documents.has(root)) {
        const { code, json } = await world.admin.send(`/openapi/v3/${root}`);
        assert.equal(code, 200, root);
        documents.set(root, (json as { components: { schemas: Record<string, Schema> } }).components.schemas);
      }
      const schemas = documents.get(root) ?? {};
      const isOfKind = ({ 'x-kubernetes-group-version-kind': kinds = [] }: Schema): boolean =>
        kinds.some(
          (kind) => kind.group === resource.group && kind.version === resource.version && kind.kind === resource.kind,
        );
      const found = Object.values(schemas).filter(isOfKind);
      assert.equal(found.length, 1, `${resource.apiVersion} ${resource.kind}`);
      assert.ok(found[0]?.description, resource.kind);
      assertResolves(found, schemas);
    }
  });

  for (const [path, expected] of samples)
    it(`tells of ${path}`, async () => {
      const { code, stdout, stderr } = await kubectl.run('explain', path);
      assert.equal(code, 0, stderr);
      for (const pattern of expected) assert.match(stdout, pattern);
    });

  it('says so where there is no such field', async () => {
    const { code, stderr } = await kubectl.run('explain', 'storageclass.nope');
    assert.equal(code, 1);
    assert.match(stderr, /field "nope" does not exist/);
  });
});

/** Follows every reference once: a broken one ends kubectl. */
function assertResolves(roots: readonly Schema[], schemas: Readonly<Record<string, Schema>>): void {
  const seen = new Set<string>();
  const queue = [...roots];
  for (let schema = queue.pop(); schema; schema = queue.pop()) {
    if (schema.$ref !== undefined) {
      const name = schema.$ref.split('/').at(-1) ?? '';
      const target = schemas[name];
      assert.ok(target, schema.$ref);
      if (!seen.has(name)) queue.push(target);
      seen.add(name);
    }
    queue.push(...(schema.allOf ?? []), ...Object.values(schema.properties ?? {}));
    if (schema.items) queue.push(schema.items);
    if (schema.additionalProperties) queue.push(schema.additionalProperties);
  }
}
